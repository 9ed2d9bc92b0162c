"""From a plan to a model of Stable-Baselines3 with fresh weights."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from mec_moe_agents.learning.defaults import (
    A2CHyperparameters,
    ActorCritic,
    DQNHyperparameters,
    Hyperparameters,
    PPOHyperparameters,
    RecurrentPPOHyperparameters,
)
from mec_moe_agents.learning.memory import check_memory
from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.policy import shape_policy
from mec_moe_agents.learning.scaled_reward import ScaledReward
from mec_moe_agents.learning.schedule import StepSchedule
from mec_moe_agents.learning.seeds import generator_seed
from mec_moe_agents.learning.views import view_of

WEIGHTS_LEG = 2**32 - 1
"""Stands for "before the first leg" where the fresh weights are drawn."""
CLASSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ppo": ("stable_baselines3", "PPO"),
        "maskable-ppo": ("sb3_contrib", "MaskablePPO"),
        "recurrent-ppo": ("sb3_contrib", "RecurrentPPO"),
        "a2c": ("stable_baselines3", "A2C"),
        "dqn": ("stable_baselines3", "DQN"),
    }
)
"""Module and class of each algorithm."""


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
        env = VecMonitor(self.view.make_env(plan))
        self.learning_rate = StepSchedule(
            hyper.learning_rate, hyper.final_learning_rate, hyper.decay_steps
        )
        set_random_seed(generator_seed(plan.seed, WEIGHTS_LEG))
        self.model = self._build(ScaledReward(env, hyper.reward_scale))
        self.exploration: StepSchedule | None = None
        if isinstance(hyper, DQNHyperparameters):
            self.exploration = StepSchedule(1.0, hyper.final_exploration, hyper.exploration_steps)
            vars(self.model)["exploration_schedule"] = self.exploration

    def count_steps(self) -> None:
        """Move the schedules on to the steps made so far."""
        self.learning_rate.done = self.model.num_timesteps
        if self.exploration is not None:
            self.exploration.done = self.model.num_timesteps

    @property
    def rollout_steps(self) -> int:
        """Steps of each sub-environment between two updates."""
        hyper: Any = self.plan.hyperparameters
        return int(hyper.rollout_steps or self.view.steps_per_episode(self.plan.config))

    def close(self) -> None:
        """Release the environment."""
        env = self.model.get_env()
        if env is not None:
            env.close()

    def _build(self, env: VecEnv) -> BaseAlgorithm:
        module, name = CLASSES[self.plan.algo]
        kind: Any = getattr(importlib.import_module(module), name)
        hyper = self.plan.hyperparameters
        policy, policy_options = policy_of(self.plan)
        with warnings.catch_warnings():
            # A last mini-batch that is smaller than the others does no harm.
            warnings.filterwarnings("ignore", "You have specified a mini-batch size")
            model: BaseAlgorithm = kind(
                policy,
                env,
                learning_rate=self.learning_rate,
                gamma=hyper.gamma,
                max_grad_norm=hyper.max_grad_norm,
                policy_kwargs=policy_options,
                device="cpu",
                **algorithm_options(hyper, self.rollout_steps),
            )
        return model


def policy_of(plan: Plan) -> tuple[Any, dict[str, Any]]:
    """Return the policy's class, or its name in Stable-Baselines3, and its arguments."""
    hyper = plan.hyperparameters
    if plan.policy == "shape":
        return shape_policy(plan.algo)
    options: dict[str, Any] = {"net_arch": [hyper.width] * hyper.depth}
    kind = "Mlp" if plan.policy == "features" else "MultiInput"
    if isinstance(hyper, RecurrentPPOHyperparameters):
        return f"{kind}LstmPolicy", {**options, "lstm_hidden_size": hyper.lstm_size}
    return f"{kind}Policy", options


def algorithm_options(hyper: Hyperparameters, rollout_steps: int) -> dict[str, Any]:
    """Return Stable-Baselines3's names for what not all algorithms have."""
    if isinstance(hyper, DQNHyperparameters):
        return {
            "buffer_size": hyper.replay_steps,
            "batch_size": hyper.batch_size,
            "learning_starts": hyper.first_update,
            "train_freq": rollout_steps,
            "gradient_steps": hyper.updates,
            "target_update_interval": hyper.target_interval,
        }
    options: dict[str, Any] = {}
    if isinstance(hyper, ActorCritic):
        options |= {
            "n_steps": rollout_steps,
            "gae_lambda": hyper.gae_lambda,
            "ent_coef": hyper.entropy_weight,
            "vf_coef": hyper.value_weight,
        }
    if isinstance(hyper, PPOHyperparameters):
        options |= {
            "batch_size": hyper.batch_size,
            "n_epochs": hyper.epochs,
            "clip_range": hyper.clip_range,
        }
    if isinstance(hyper, A2CHyperparameters):
        options |= {"normalize_advantage": True}
    return options
