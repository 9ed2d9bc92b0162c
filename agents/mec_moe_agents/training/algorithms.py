"""The algorithms and how each is set, also otherwise on some presets: the file to tune."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from mec_moe_env.config import Config, Real, Whole, setting

SHARE = Real(0, 1)
POSITIVE = Real(0, open_low=True)

ARGUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "learning_rate": "learning_rate",
        "gamma": "gamma",
        "max_grad_norm": "max_grad_norm",
        "gae_lambda": "gae_lambda",
        "entropy_weight": "ent_coef",
        "value_weight": "vf_coef",
        "batch_size": "batch_size",
        "epochs": "n_epochs",
        "clip_range": "clip_range",
        "replay_steps": "buffer_size",
        "first_update": "learning_starts",
        "updates": "gradient_steps",
        "target_interval": "target_update_interval",
    }
)
"""What Stable-Baselines3 calls the hyperparameters that it is given as they are."""


class StepSchedule:
    """Linear from `initial` to `final` over `steps` environment steps, then constant.

    Stable-Baselines3's schedules depend on the share of the run that remains: a run that is
    extended would have begun differently. This one counts steps; the training loop keeps
    `done` at the number made so far.
    """

    def __init__(self, initial: float, final: float, steps: int) -> None:
        self.initial = initial
        self.final = final
        self.steps = steps
        self.done = 0

    def __call__(self, progress_remaining: float) -> float:
        """Return the value of now; what remains of the run does not matter."""
        return self.initial + (self.final - self.initial) * min(self.done / self.steps, 1.0)


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(Config):
    """What every algorithm has."""

    LIMITS_MEMORY: ClassVar[str] = "rollout_steps"
    """What to lower where the observations that are kept do not fit in memory."""
    ROLLOUT: ClassVar[str] = "n_steps"
    """What Stable-Baselines3 calls the steps of each sub-environment between two updates."""
    CONSTANTS: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Arguments of Stable-Baselines3 that are not tuned."""

    num_envs: int = setting(64, Whole(1))
    """Sub-environments."""
    steps_per_leg: int = setting(50_000, Whole(1))
    """Environment steps of a segment, from checkpoint to checkpoint; rounded up to whole
    episodes."""
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
    rollout_steps: int = setting(0, Whole(0))
    """Steps of each sub-environment between two updates; 0 is a whole episode. All episodes run in
    step, so that shorter rollouts show each update only a part of them."""

    @property
    def network(self) -> dict[str, Any]:
        """Stable-Baselines3's arguments of a flat policy."""
        return {"net_arch": [self.width] * self.depth}

    @property
    def schedules(self) -> dict[str, StepSchedule]:
        """What changes over the steps, by the attribute of Stable-Baselines3's model."""
        rate = StepSchedule(self.learning_rate, self.final_learning_rate, self.decay_steps)
        return {"lr_schedule": rate}

    def options(self, rollout_steps: int) -> dict[str, Any]:
        """Return Stable-Baselines3's arguments of the algorithm for rollouts of so many steps."""
        tuned = {
            argument: getattr(self, field)
            for field, argument in ARGUMENTS.items()
            if hasattr(self, field)
        }
        return {**tuned, self.ROLLOUT: rollout_steps, **self.CONSTANTS}

    def kept_observations(self, rollout_steps: int) -> int:
        """Return how many observations the learner keeps."""
        return rollout_steps * self.num_envs


@dataclass(frozen=True, kw_only=True)
class ActorCritic(Hyperparameters):
    """What the on-policy algorithms have."""

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

    @property
    def network(self) -> dict[str, Any]:
        """Stable-Baselines3's arguments of a flat policy."""
        return super().network | {"lstm_hidden_size": self.lstm_size}


@dataclass(frozen=True, kw_only=True)
class A2CHyperparameters(ActorCritic):
    """A2C: one update for each short rollout."""

    CONSTANTS: ClassVar[Mapping[str, Any]] = MappingProxyType({"normalize_advantage": True})

    rollout_steps: int = setting(10, Whole(1))


@dataclass(frozen=True, kw_only=True)
class DQNHyperparameters(Hyperparameters):
    """DQN."""

    LIMITS_MEMORY: ClassVar[str] = "replay_steps"
    ROLLOUT: ClassVar[str] = "train_freq"

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

    @property
    def schedules(self) -> dict[str, StepSchedule]:
        """The learning rate, and the share of random actions."""
        exploration = StepSchedule(1.0, self.final_exploration, self.exploration_steps)
        return super().schedules | {"exploration_schedule": exploration}

    def kept_observations(self, rollout_steps: int) -> int:
        """Return how many observations the replay buffer holds: before and after each step."""
        return 2 * max(self.replay_steps, self.num_envs)


@dataclass(frozen=True)
class Algorithm:
    """What Stable-Baselines3 calls an algorithm, and what it can do."""

    module: str
    model: str
    """Name of its class."""
    defaults: Hyperparameters
    policy: str = "{}Policy"
    """Name of its policies; the braces stand for `Mlp` or `MultiInput`."""
    masked: bool = False
    """Whether it looks at action masks."""
    deep_set: bool = False
    """Whether it can train the deep-set policy."""
    off_policy: bool = False
    """Whether it learns from a replay buffer, in which case its action is a single choice."""


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "ppo": Algorithm("stable_baselines3", "PPO", PPOHyperparameters(), deep_set=True),
        "maskable-ppo": Algorithm(
            "sb3_contrib", "MaskablePPO", PPOHyperparameters(), masked=True, deep_set=True
        ),
        "recurrent-ppo": Algorithm(
            "sb3_contrib", "RecurrentPPO", RecurrentPPOHyperparameters(), policy="{}LstmPolicy"
        ),
        "a2c": Algorithm("stable_baselines3", "A2C", A2CHyperparameters(), deep_set=True),
        "dqn": Algorithm("stable_baselines3", "DQN", DQNHyperparameters(), off_policy=True),
    }
)

DECISIONS: Mapping[str, Any] = MappingProxyType(
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
"""The family of PPO with the `shape` or `features` policy, whose steps are decisions."""
DECISION_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "scarce": {"num_envs": 32, "decay_steps": 3_000_000},
        "joint": {"num_envs": 16, "decay_steps": 3_000_000},
        "digits": {"num_envs": 32, "reward_scale": 0.3},
        "mnist": {"num_envs": 32, "reward_scale": 0.3},
        "mnist-5k": {"num_envs": 32, "reward_scale": 0.3},
        "teacher": {"num_envs": 32, "reward_scale": 0.3},
    }
)
"""What is set otherwise with these on a preset of Offloading."""

BY_ENVIRONMENT: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"dmoe": {"num_envs": 256, "reward_scale": 1.0}}
)
"""DMoE has episodes of a few steps, and rewards of the order of one joule or one unit of
cross-entropy."""
PRESETS: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType(
    {
        ("offloading", "scarce"): {"gamma": 0.995, "decay_steps": 3_000_000},
        ("offloading", "paper-synthetic"): {"gamma": 0.995, "num_envs": 16},
        ("offloading", "digits"): {"reward_scale": 1.0},
        ("offloading", "mnist"): {"reward_scale": 1.0},
        ("offloading", "mnist-5k"): {"reward_scale": 1.0},
        ("offloading", "teacher"): {"reward_scale": 1.0},
        ("offloading", "massive"): {"num_envs": 16},
        ("offloading", "toy"): {"reward_scale": 1.0, "steps_per_leg": 10_000},
        ("dmoe", "toy"): {"steps_per_leg": 10_000},
        ("dmoe", "large"): {"num_envs": 16},
        ("dmoe", "massive"): {"num_envs": 1, "steps_per_leg": 1_000},
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
    tuned = ALGORITHMS[algo].defaults.override(**BY_ENVIRONMENT.get(env, {}))
    tuned = tuned.override(**PRESETS.get((env, scenario), {}))
    if policy != "mlp" and isinstance(tuned, PPOHyperparameters):
        tuned = tuned.override(**DECISIONS).override(**DECISION_PRESETS.get(scenario, {}))
    return tuned.override(**overrides)
