"""What a training run is: everything that determines its weights, but for its length."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from mec_moe_agents.learning.defaults import (
    DEFAULTS,
    Hyperparameters,
    hyperparameters_for,
)
from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from mec_moe_env.config import Config, Whole, reject, resolve, suggest

POLICIES = ("shape", "features", "mlp")
SHAPED_ALGORITHMS = ("ppo", "maskable-ppo", "a2c")
"""Those that have a policy of the problem's shape, in Offloading."""
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Plan:
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
    """`shape`; `features`, a flat network on what `shape` sees; or `mlp`, on the observation."""
    hyperparameters: Hyperparameters
    seed: int = 0
    validation_episodes: int = 50
    """Episodes that tell at each checkpoint how good the policy is."""
    threads: int = 1
    start: str | None = None
    """Weights to begin with instead of fresh ones: the name of a preset with shipped weights, or a
    `.safetensors` file; for the `shape` policy."""
    start_digest: str | None = None
    """Digest of that file, see `mec_moe_agents.learning.start`."""

    def __post_init__(self) -> None:
        for field, allowed in (
            ("seed", Whole(0)),
            ("validation_episodes", Whole(1, 10**6)),
            ("threads", Whole(1)),
        ):
            value = getattr(self, field)
            if not allowed.admits(value):
                raise reject(field, value, allowed)
        check_algorithm(self.algo)
        check_policy(self.algo, self.policy, self.config)
        if self.start is not None and self.policy != "shape":
            raise ValueError(f"--from {self.start!r} needs --policy shape, not {self.policy}")

    def describe(self) -> dict[str, Any]:
        """Return the plan as JSON has it; equal plans give equal descriptions."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["config"] = _fields(self.config)
        fields["hyperparameters"] = _fields(self.hyperparameters)
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
            presets: Any = DMOE_PRESETS if fields["env"] == "dmoe" else OFFLOADING_PRESETS
            fields["config"] = resolve(_numbers(fields["config"]), presets, {})
            tuned = DEFAULTS[fields["algo"]]
            fields["hyperparameters"] = tuned.override(**fields["hyperparameters"])
            return cls(**fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not the description of a training run: {error}") from error


def command_of(plan: Plan, steps: int) -> str:
    """Return the command that trains this plan anew."""
    presets: Any = DMOE_PRESETS if plan.env == "dmoe" else OFFLOADING_PRESETS
    tuned = hyperparameters_for(plan.algo, plan.policy, plan.env, plan.scenario, {})
    parts = [f"mec-moe train --algo {plan.algo} --scenario {plan.scenario}"]
    if plan.env != "offloading":
        parts.append(f"--env {plan.env}")
    parts.append(f"--policy {plan.policy} --steps {steps} --seed {plan.seed}")
    if plan.start is not None:
        parts.append(f"--from {shlex.quote(plan.start)}")
    parts += _changes("--set", presets[plan.scenario], plan.config)
    parts += _changes("--tune", tuned, plan.hyperparameters)
    for field in ("validation_episodes", "threads"):
        if getattr(plan, field) != getattr(Plan, field):
            parts.append(f"--{field.partition('_')[0]} {getattr(plan, field)}")
    return " ".join(parts)


def _changes(option: str, before: Config, now: Config) -> list[str]:
    """Write the fields that differ as options of the command line."""
    changes = []
    for field in dataclasses.fields(now):
        value = getattr(now, field.name)
        if value != getattr(before, field.name):
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            changes.append(f"{option} {field.name}={text}")
    return changes


def check_algorithm(algo: str) -> None:
    """See that an algorithm exists.

    Raises:
        ValueError: it does not; the nearest name is given.
    """
    if algo not in DEFAULTS:
        raise ValueError(f"unknown algorithm {algo!r}: {suggest(algo, DEFAULTS)}")


def default_policy(algo: str, config: OffloadingConfig | DMoEConfig) -> str:
    """Return `shape` where there is such a policy, otherwise `mlp`."""
    shaped = isinstance(config, OffloadingConfig) and algo in SHAPED_ALGORITHMS
    return "shape" if shaped else "mlp"


def check_policy(algo: str, policy: str, config: OffloadingConfig | DMoEConfig) -> None:
    """See that an algorithm can train a policy in an environment.

    Raises:
        ValueError: it cannot; what is allowed is named.
    """
    if policy not in POLICIES:
        raise ValueError(f"unknown policy {policy!r}: {suggest(policy, POLICIES)}")
    if policy == "shape" and default_policy(algo, config) != "shape":
        raise ValueError(
            f"--policy shape exists in --env offloading for {', '.join(SHAPED_ALGORITHMS)}; "
            f"take --policy mlp for {algo} here"
        )
    if policy == "features" and not isinstance(config, OffloadingConfig):
        raise ValueError("--policy features exists in --env offloading; take --policy mlp here")
    if algo == "dqn" and policy == "mlp":
        _check_one_pick(config)


def _check_one_pick(config: OffloadingConfig | DMoEConfig) -> None:
    others = ", ".join(name for name in DEFAULTS if name != "dqn")
    if isinstance(config, DMoEConfig):
        raise ValueError(f"dqn needs a single discrete action, which DMoE has not: take {others}")
    for field in ("num_tasks", "max_experts"):
        if getattr(config, field) != 1:
            raise ValueError(
                f"dqn needs one pick per slot: {field} = {getattr(config, field)} here, "
                f"not 1; take --policy features, or {others}"
            )


def _fields(config: Any) -> dict[str, Any]:
    """Return a config's fields; infinities, which JSON has not, as text."""
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return {
        name: str(value) if isinstance(value, float) and math.isinf(value) else value
        for name, value in fields.items()
    }


def _numbers(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: float(value) if value in ("inf", "-inf") else value for name, value in fields.items()
    }
