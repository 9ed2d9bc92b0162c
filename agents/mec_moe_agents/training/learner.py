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
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecMonitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from mec_moe_agents.training.plan import Plan, generator_seed
from mec_moe_agents.training.views import View, view_of

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
        self.rollout_steps = _rollout_steps(plan, self.view)
        self.learning_rate = hyper.learning_rate_schedule()
        self.exploration = hyper.exploration_schedule()
        env = ScaledReward(VecMonitor(self.view.make_env()), hyper.reward_scale)
        set_random_seed(generator_seed(plan.seed, BEFORE_TRAINING))
        self.model = self._build(env)
        if self.exploration is not None:
            vars(self.model)["exploration_schedule"] = self.exploration

    def count_steps(self) -> None:
        """Move the schedules on to the steps made so far."""
        self.learning_rate.done = self.model.num_timesteps
        if self.exploration is not None:
            self.exploration.done = self.model.num_timesteps

    @property
    def segment_steps(self) -> int:
        """Steps between two checkpoints: whole episodes, rounded up to whole rollouts."""
        hyper, episode = self.plan.hyperparameters, self.view.steps_per_episode
        episodes = math.ceil(hyper.steps_per_leg / hyper.num_envs / episode)
        rollouts = math.ceil(episodes * episode / self.rollout_steps)
        return rollouts * self.rollout_steps * hyper.num_envs

    @property
    def log_interval(self) -> int:
        """Updates, off policy episodes, between two lines of the learner's log."""
        rollout = self.rollout_steps * self.plan.hyperparameters.num_envs
        unit = self.view.steps_per_episode if self.plan.algorithm.off_policy else rollout
        return max(1, LOGGED_STEPS // unit)

    def close(self) -> None:
        """Release the environment."""
        env = self.model.get_env()
        if env is not None:
            env.close()

    def _build(self, env: VecEnv) -> BaseAlgorithm:
        algorithm, hyper = self.plan.algorithm, self.plan.hyperparameters
        kind: Any = getattr(importlib.import_module(algorithm.module), algorithm.model)
        policy, policy_options = self.view.policy
        with warnings.catch_warnings():
            # A last mini-batch that is smaller than the others does no harm.
            warnings.filterwarnings("ignore", "You have specified a mini-batch size")
            model: BaseAlgorithm = kind(
                policy,
                env,
                learning_rate=self.learning_rate,
                policy_kwargs=policy_options,
                device="cpu",
                **hyper.options(self.rollout_steps),
            )
        return model


class ScaledReward(VecEnvWrapper):
    """Multiplies every reward by a constant, so that it has a size that suits a network."""

    def __init__(self, venv: VecEnv, scale: float) -> None:
        super().__init__(venv)
        self._scale = scale

    def reset(self) -> VecEnvObs:
        """Begin new episodes."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Advance, and scale what comes."""
        observation, rewards, dones, infos = self.venv.step_wait()
        return observation, rewards * self._scale, dones, infos


def check_memory(plan: Plan) -> None:
    """See that the observations which a learner keeps are not too many.

    Raises:
        ValueError: they are; what to change is named.
    """
    view, hyper = view_of(plan), plan.hyperparameters
    kept = hyper.kept_observations(_rollout_steps(plan, view))
    gigabytes = kept * view.observation_size * 4 / 1e9
    if gigabytes > MOST_GIGABYTES:
        raise ValueError(
            f"the learner would keep {gigabytes:.0f} GB of observations, more than "
            f"{MOST_GIGABYTES}: take fewer --envs or a smaller --tune {hyper.LIMITS_MEMORY}"
        )


def _rollout_steps(plan: Plan, view: View) -> int:
    """Return the steps of each sub-environment between two updates."""
    return plan.hyperparameters.rollout_steps or view.steps_per_episode


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Have torch use so many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
