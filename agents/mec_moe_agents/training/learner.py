"""From a plan to a model of Stable-Baselines3 with fresh weights, and its environment."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv, VecMonitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from mec_moe_agents.training.plan import Plan, generator_seed
from mec_moe_agents.training.views import view_of

BEFORE_TRAINING = 2**32 - 1
"""Stands for "before the first segment" where the fresh weights are drawn."""
MOST_GIGABYTES = 8
LOGGED_STEPS = 8192
"""Steps between two lines of the learner's own log, at least."""


class Learner:
    """A model, and the schedules that the training loop moves on."""

    def __init__(self, plan: Plan) -> None:
        """Build the environment and a model with fresh weights.

        Raises:
            ValueError: what it would remember of the environment does not fit in memory.
        """
        check_memory(plan)
        self.plan = plan
        self.view = view_of(plan)
        hyper = plan.hyperparameters
        self._env = ScaledReward(self.view.make_env(), hyper.reward_scale)
        set_random_seed(generator_seed(plan.seed, BEFORE_TRAINING))
        self.model = self._build()
        self._schedules = hyper.schedules
        vars(self.model).update(self._schedules)

    def count_steps(self) -> None:
        """Move the schedules on to the steps made so far."""
        for schedule in self._schedules.values():
            schedule.done = self.model.num_timesteps

    @property
    def segment_steps(self) -> int:
        """Steps between two checkpoints: whole episodes, rounded up to whole rollouts."""
        hyper, episode = self.plan.hyperparameters, self.view.steps_per_episode
        episodes = math.ceil(hyper.steps_per_leg / hyper.num_envs / episode)
        rollouts = math.ceil(episodes * episode / self.view.rollout_steps)
        return rollouts * self.view.rollout_steps * hyper.num_envs

    @property
    def log_interval(self) -> int:
        """Updates, off policy episodes, between two lines of the learner's log."""
        rollout = self.view.rollout_steps * self.plan.hyperparameters.num_envs
        unit = self.view.steps_per_episode if self.plan.algorithm.off_policy else rollout
        return max(1, LOGGED_STEPS // unit)

    def close(self) -> None:
        """Release the environment."""
        self._env.close()

    def _build(self) -> BaseAlgorithm:
        algorithm, hyper = self.plan.algorithm, self.plan.hyperparameters
        kind: Any = getattr(importlib.import_module(algorithm.module), algorithm.model)
        policy, policy_options = self.view.policy
        with warnings.catch_warnings():
            # A last mini-batch that is smaller than the others does no harm.
            warnings.filterwarnings("ignore", "You have specified a mini-batch size")
            model: BaseAlgorithm = kind(
                policy,
                self._env,
                policy_kwargs=policy_options,
                device="cpu",
                **hyper.options(self.view.rollout_steps),
            )
        return model


class ScaledReward(VecMonitor):
    """Notes the returns of episodes, and scales rewards to a size that suits a network."""

    def __init__(self, venv: VecEnv, scale: float) -> None:
        super().__init__(venv)
        self._scale = scale

    def step_wait(self) -> VecEnvStepReturn:
        """Advance, and scale what comes."""
        observation, rewards, dones, infos = super().step_wait()
        return observation, rewards * self._scale, dones, infos


def check_memory(plan: Plan) -> None:
    """See that the observations which a learner keeps are not too many.

    Raises:
        ValueError: they are; what to change is named.
    """
    view, hyper = view_of(plan), plan.hyperparameters
    kept = hyper.kept_observations(view.rollout_steps)
    gigabytes = kept * view.observation_size * 4 / 1e9
    if gigabytes > MOST_GIGABYTES:
        raise ValueError(
            f"the learner would keep {gigabytes:.0f} GB of observations, more than "
            f"{MOST_GIGABYTES}: take fewer --envs or a smaller --tune {hyper.LIMITS_MEMORY}"
        )


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Have torch use so many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
