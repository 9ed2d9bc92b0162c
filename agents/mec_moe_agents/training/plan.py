"""What a training run is: everything that determines its weights, but for its length.

Its seeds are `FIRST_TRAINING_SEED` or above. An evaluation (`mec-moe compare`, `rank`) takes seeds
below, so that no episode it runs can have served training, nor the choice of the best checkpoint:

| seeds | for |
|---|---|
| 0 … 2³¹ − 1 | evaluation |
| 2³¹ … 2³² − 1 | validation: which checkpoint is best, when to stop |
| from 2³² | the episodes of training |
"""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from mec_moe_agents.environments import ENVIRONMENTS, environment_of
from mec_moe_agents.evaluation.naming import scenario_name
from mec_moe_agents.evaluation.overrides import changed_settings
from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED
from mec_moe_agents.training import algorithms
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import Config, Whole, resolve, setting, suggest

POLICIES: Mapping[str, Sequence[str]] = MappingProxyType(
    {"offloading": ("shape", "features", "mlp"), "dmoe": ("mlp",)}
)
"""By environment: `shape`, the deep-set policy; `features`, a flat network on what that one sees;
`mlp`, a flat network on the observation."""
FORMAT = 1
FIRST_EPISODE_SEED = 2 * FIRST_TRAINING_SEED
EPISODE_SEEDS = range(FIRST_EPISODE_SEED, FIRST_EPISODE_SEED + 2**62 + 2**32)
"""All that the sub-environments of a run may begin with."""


@dataclass(frozen=True, kw_only=True)
class Plan(Config):
    """One training run; equal plans give equal weights after equal steps, bit for bit.

    That holds for equal versions of the packages on one machine: floating-point sums differ from
    processor to processor.
    """

    env: str
    """`offloading` or `dmoe`."""
    scenario: str
    """Name of the preset that `config` came from."""
    config: OffloadingConfig | DMoEConfig
    algo: str
    policy: str
    """One of `POLICIES`."""
    hyperparameters: algorithms.Hyperparameters
    seed: int = setting(0, Whole(0))
    validation_episodes: int = setting(50, Whole(1, 10**6))
    """Episodes that tell at each checkpoint how good the policy is."""
    threads: int = setting(1, Whole(1))
    start: str | None = None
    """Weights to begin with instead of fresh ones: the name of a preset with shipped weights, or a
    file of exported ones; for the `shape` policy."""
    start_digest: str | None = None
    """Digest of that file, see `mec_moe_agents.training.policy`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_algorithm(self.algo)
        check_policy(self.algo, self.policy, self.config)
        if self.start is not None and self.policy != "shape":
            raise ValueError(f"--from {self.start!r} needs --policy shape, not {self.policy}")

    @classmethod
    def tuned(
        cls,
        algo: str,
        config: OffloadingConfig | DMoEConfig,
        scenario: str,
        policy: str | None = None,
        tuning: Mapping[str, Any] = MappingProxyType({}),
        **fields: Any,
    ) -> Self:
        """Plan a run with the tuned hyperparameters.

        Args:
            algo: one of `ALGORITHMS`.
            config: the scenario's configuration, with fields overridden or not.
            scenario: name of the preset.
            policy: None is the one that `default_policy` names.
            tuning: hyperparameters that are to be otherwise.
            fields: of the plan.

        Raises:
            ValueError: something is unknown, out of range, or does not fit the rest.
        """
        check_algorithm(algo)
        policy = policy or default_policy(algo, config)
        env = environment_of(config).name
        hyperparameters = algorithms.hyperparameters_for(algo, policy, env, scenario, tuning)
        return cls(
            env=env,
            scenario=scenario,
            config=config,
            algo=algo,
            policy=policy,
            hyperparameters=hyperparameters,
            **fields,
        )

    @property
    def algorithm(self) -> algorithms.Algorithm:
        """What trains."""
        return algorithms.ALGORITHMS[self.algo]

    @property
    def scenario_name(self) -> str:
        """What the scenario is called among those of all environments."""
        return scenario_name(self.env, self.scenario)

    @property
    def agent_name(self) -> str:
        """What is trained is called so, which is the name of no baseline."""
        return f"{self.algo} ({self.policy})"

    def describe(self) -> dict[str, Any]:
        """Return the plan as JSON has it; equal plans give equal descriptions."""
        fields = dataclasses.asdict(self)
        config: dict[str, Any] = fields["config"]
        # JSON has no infinity.
        fields["config"] = {k: "inf" if v == math.inf else v for k, v in config.items()}
        described: dict[str, Any] = json.loads(json.dumps({"format": FORMAT, **fields}))
        return described

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> Self:
        """Rebuild a plan from `describe`.

        Raises:
            ValueError: it is of another format, or a field is missing, unknown or out of range.
        """
        fields = dict(described)
        if fields.pop("format", None) != FORMAT:
            raise ValueError(f"expected the description of a training run in format {FORMAT}")
        missing = [field.name for field in dataclasses.fields(cls) if field.name not in fields]
        if missing:
            raise ValueError(f"the description of a training run lacks {', '.join(missing)}")
        try:
            presets = {each.name: each.presets for each in ENVIRONMENTS}[fields["env"]]
            config = {k: math.inf if v == "inf" else v for k, v in fields["config"].items()}
            fields["config"] = resolve(config, presets, {})
            defaults = algorithms.ALGORITHMS[fields["algo"]].defaults
            fields["hyperparameters"] = defaults.override(**fields["hyperparameters"])
            return cls(**fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not the description of a training run: {error}") from error

    def command(self, steps: int) -> str:
        """Return the command that trains this plan anew."""
        tuned = algorithms.hyperparameters_for(self.algo, self.policy, self.env, self.scenario, {})
        parts = [f"mec-moe train --algo {self.algo} --scenario {self.scenario_name}"]
        parts.append(f"--policy {self.policy} --steps {steps} --seed {self.seed}")
        if self.start is not None:
            parts.append(f"--from {shlex.quote(self.start)}")
        preset = environment_of(self.config).scenarios[self.scenario]
        parts += _options("--set", changed_settings(preset, self.config))
        parts += _options("--tune", changed_settings(tuned, self.hyperparameters))
        for field in ("validation_episodes", "threads"):
            if getattr(self, field) != getattr(Plan, field):
                parts.append(f"--{field.partition('_')[0]} {getattr(self, field)}")
        return " ".join(parts)


def validation_seeds(count: int) -> Sequence[int]:
    """Return the seeds of the episodes that tell which checkpoint is best."""
    return range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + count)


def episode_seed(seed: int, segment: int) -> int:
    """Return the seed of sub-environment 0 in one segment of a run; i begins with this plus i."""
    # Below 2⁶²: a seed plus an index stays a small integer for every library.
    return FIRST_EPISODE_SEED + (_bits(seed, segment, 1) >> 2)


def generator_seed(seed: int, segment: int) -> int:
    """Return the seed of the libraries' global generators in one segment, below 2³²."""
    return _bits(seed, segment, 2) >> 32


def _bits(seed: int, segment: int, purpose: int) -> int:
    """Return 64 bits that look random."""
    return int(np.random.SeedSequence((seed, segment, purpose)).generate_state(1, np.uint64)[0])


def check_algorithm(algo: str) -> None:
    """Raise ValueError with the nearest name if there is no such algorithm."""
    if algo not in algorithms.ALGORITHMS:
        raise ValueError(f"unknown algorithm {algo!r}: {suggest(algo, algorithms.ALGORITHMS)}")


def default_policy(algo: str, config: Config) -> str:
    """Return `shape` where there is such a policy, otherwise `mlp`."""
    exists = "shape" in POLICIES[environment_of(config).name]
    return "shape" if exists and algorithms.ALGORITHMS[algo].deep_set else "mlp"


def check_policy(algo: str, policy: str, config: Config) -> None:
    """Raise ValueError with what is allowed if the algorithm cannot train the policy there."""
    env = environment_of(config).name
    known = {name for names in POLICIES.values() for name in names}
    if policy not in known:
        raise ValueError(f"unknown policy {policy!r}: {suggest(policy, known)}")
    if policy == "shape" and default_policy(algo, config) != "shape":
        able = ", ".join(name for name, each in algorithms.ALGORITHMS.items() if each.deep_set)
        raise ValueError(
            f"--policy shape exists in --env offloading for {able}; "
            f"take --policy mlp for {algo} here"
        )
    if policy not in POLICIES[env]:
        raise ValueError("--policy features exists in --env offloading; take --policy mlp here")
    if policy == "mlp" and algorithms.ALGORITHMS[algo].off_policy:
        check_one_pick(algo, config)


def check_one_pick(algo: str, config: Config) -> None:
    """Raise ValueError if a step is not one pick, which one discrete action can stand for."""
    others = ", ".join(name for name, each in algorithms.ALGORITHMS.items() if not each.off_policy)
    if not isinstance(config, OffloadingConfig):
        raise ValueError(
            f"{algo} needs a single discrete action, which DMoE has not: take {others}"
        )
    for field in ("num_tasks", "max_experts"):
        if getattr(config, field) != 1:
            raise ValueError(
                f"{algo} needs one pick per slot: {field} = {getattr(config, field)} here, "
                f"not 1; take --policy features, or {others}"
            )


def _options(option: str, settings: Mapping[str, str]) -> list[str]:
    """Write settings as options of the command line."""
    return [f"{option} {name}={text}" for name, text in settings.items()]
