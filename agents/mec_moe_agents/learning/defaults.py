"""How each algorithm is set, and what is set otherwise on some presets: the file to tune."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mec_moe_env.config import Config, Real, Whole, setting

SHARE = Real(0, 1)
POSITIVE = Real(0, open_low=True)


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(Config):
    """What every algorithm has."""

    num_envs: int = setting(64, Whole(1))
    """Sub-environments."""
    steps_per_leg: int = setting(50_000, Whole(1))
    """Environment steps from checkpoint to checkpoint; rounded up to whole episodes."""
    learning_rate: float = setting(1e-3, POSITIVE)
    final_learning_rate: float = setting(1e-4, POSITIVE)
    decay_steps: int = setting(1_000_000, Whole(1))
    """Environment steps in which the learning rate falls linearly to its final value. It does not
    depend on the length of the run, so that a run can be extended."""
    gamma: float = setting(0.99, SHARE)
    max_grad_norm: float = setting(0.5, POSITIVE)
    reward_scale: float = setting(0.2, POSITIVE)
    """The learner sees the reward times this."""
    width: int = setting(128, Whole(1))
    """Units of a hidden layer of the `mlp` and `features` policies."""
    depth: int = setting(2, Whole(0))
    """Hidden layers of them."""


@dataclass(frozen=True, kw_only=True)
class ActorCritic(Hyperparameters):
    """What the on-policy algorithms have."""

    rollout_steps: int = setting(0, Whole(0))
    """Steps of each sub-environment between two updates; 0 is a whole episode. All episodes run in
    step, so that shorter rollouts show each update only a part of them."""
    gae_lambda: float = setting(0.95, SHARE)
    entropy_weight: float = setting(0.005, Real(0))
    value_weight: float = setting(0.5, Real(0))


@dataclass(frozen=True, kw_only=True)
class PPOHyperparameters(ActorCritic):
    """PPO and MaskablePPO."""

    batch_size: int = setting(1600, Whole(2))
    epochs: int = setting(8, Whole(1))
    clip_range: float = setting(0.2, POSITIVE)


@dataclass(frozen=True, kw_only=True)
class RecurrentPPOHyperparameters(PPOHyperparameters):
    """PPO with an LSTM before the layers of the policy."""

    num_envs: int = setting(32, Whole(1))
    lstm_size: int = setting(64, Whole(1))
    epochs: int = setting(4, Whole(1))


@dataclass(frozen=True, kw_only=True)
class A2CHyperparameters(ActorCritic):
    """A2C: one update for each short rollout."""

    rollout_steps: int = setting(10, Whole(1))


@dataclass(frozen=True, kw_only=True)
class DQNHyperparameters(Hyperparameters):
    """DQN."""

    num_envs: int = setting(16, Whole(1))
    learning_rate: float = setting(5e-4, POSITIVE)
    max_grad_norm: float = setting(10.0, POSITIVE)
    replay_steps: int = setting(50_000, Whole(1))
    """Environment steps that the replay buffer holds."""
    batch_size: int = setting(128, Whole(1))
    first_update: int = setting(5_000, Whole(0))
    """Environment steps before the first update."""
    rollout_steps: int = setting(4, Whole(1))
    """Steps of each sub-environment between two rounds of updates."""
    updates: int = setting(8, Whole(1))
    """Gradient steps of a round."""
    target_interval: int = setting(4_000, Whole(1))
    """Environment steps between two copies to the target network."""
    exploration_steps: int = setting(100_000, Whole(1))
    """Environment steps in which the share of random actions falls from 1 to its final value."""
    final_exploration: float = setting(0.02, SHARE)


PPO = PPOHyperparameters()
DEFAULTS: Mapping[str, Hyperparameters] = MappingProxyType(
    {
        "ppo": PPO,
        "maskable-ppo": PPO,
        "recurrent-ppo": RecurrentPPOHyperparameters(),
        "a2c": A2CHyperparameters(),
        "dqn": DQNHyperparameters(),
    }
)

SHAPE: Mapping[str, Any] = MappingProxyType(
    {
        "learning_rate": 1.5e-3,
        "final_learning_rate": 3e-5,
        "decay_steps": 2_000_000,
        "gamma": 0.99,
        "batch_size": 3200,
        "epochs": 4,
        "entropy_weight": 0.003,
        "max_grad_norm": 5.0,
        "reward_scale": 0.1,
    }
)
"""PPO and MaskablePPO with the `shape` or `features` policy, whose steps are decisions."""
SHAPE_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "scarce": {"num_envs": 32, "decay_steps": 3_000_000},
        "joint": {"num_envs": 16, "decay_steps": 3_000_000},
        "digits": {"num_envs": 32, "reward_scale": 0.3},
        "mnist": {"num_envs": 32, "reward_scale": 0.3},
    }
)
"""What is set otherwise with these policies on a preset of Offloading."""

# Episodes of a few steps, and rewards of the order of one joule or one unit of cross-entropy.
DMOE: Mapping[str, Any] = {"num_envs": 256, "reward_scale": 1.0}

PRESETS: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType(
    {
        ("offloading", "scarce"): {"gamma": 0.995, "decay_steps": 3_000_000},
        ("offloading", "paper-synthetic"): {"gamma": 0.995, "num_envs": 16},
        ("offloading", "digits"): {"reward_scale": 1.0},
        ("offloading", "mnist"): {"reward_scale": 1.0},
        ("offloading", "massive"): {"num_envs": 16},
        ("offloading", "toy"): {"reward_scale": 1.0, "steps_per_leg": 10_000},
        ("dmoe", "default"): DMOE,
        ("dmoe", "paper"): DMOE,
        ("dmoe", "digits-moe"): DMOE,
        ("dmoe", "toy"): {**DMOE, "steps_per_leg": 10_000},
        ("dmoe", "large"): {**DMOE, "num_envs": 16},
        ("dmoe", "massive"): {**DMOE, "num_envs": 1, "steps_per_leg": 1_000},
    }
)
"""What is set otherwise on a preset, by environment and scenario, with any policy."""


def hyperparameters_for(
    algo: str, policy: str, env: str, scenario: str, overrides: Mapping[str, Any]
) -> Hyperparameters:
    """Return the tuned hyperparameters with some of them replaced.

    Raises:
        ValueError: an override is unknown (the nearest name is given) or out of range.
    """
    tuned = DEFAULTS[algo].override(**PRESETS.get((env, scenario), {}))
    if policy in ("shape", "features") and isinstance(tuned, PPOHyperparameters):
        tuned = tuned.override(**SHAPE).override(**SHAPE_PRESETS.get(scenario, {}))
    return tuned.override(**overrides)
