"""What is kept of an episode, for each kind of environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mec_moe_agents.evaluation.episodes import Floats
from mec_moe_env import DMoEConfig, DMoEVectorEnv, OffloadingConfig, OffloadingVectorEnv
from mec_moe_env.config import Config

Totals = Mapping[str, Floats]


@dataclass(frozen=True)
class Measures:
    """Which infos to sum, average and keep, and what to derive from the sums."""

    summed: tuple[str, ...]
    averaged: tuple[str, ...]
    """Means over the steps."""
    final: tuple[str, ...]
    """Values after the last step, where the environment has them."""
    curve: str
    """Kept after every step."""
    derived: Callable[[Totals, Config], dict[str, Floats]]


def measures_of(config: Config) -> Measures:
    """Return the measures of the environment with this kind of configuration.

    Raises:
        TypeError: there is no such environment.
    """
    if isinstance(config, OffloadingConfig):
        return OFFLOADING
    if isinstance(config, DMoEConfig):
        return DMOE
    raise TypeError(f"no measures for a {type(config).__name__}")


def make_vector_env(config: Config, rows: int) -> OffloadingVectorEnv | DMoEVectorEnv:
    """Build the vector environment of a configuration.

    Raises:
        TypeError: there is none.
    """
    if isinstance(config, OffloadingConfig):
        return OffloadingVectorEnv(rows, config)
    if isinstance(config, DMoEConfig):
        return DMoEVectorEnv(rows, config)
    raise TypeError(f"no environment for a {type(config).__name__}")


def steps_of(config: Config) -> int:
    """Return the steps of an episode: slots, or layers.

    Raises:
        TypeError: there is no such environment.
    """
    if isinstance(config, OffloadingConfig):
        return config.horizon
    if isinstance(config, DMoEConfig):
        return config.num_layers
    raise TypeError(f"no episodes for a {type(config).__name__}")


def per_task(totals: Totals, config: Config) -> dict[str, Floats]:
    """Return means per accepted task (NaN without any) and shares of all tasks, each (n,)."""
    accepted, arrived = totals["accepted"], totals["accepted"] + totals["rejected"]
    return {
        "energy_per_task_j": _ratio(totals["energy_j"], accepted),
        "energy_per_arrival_j": _ratio(totals["energy_j"], arrived),
        "mean_delay_slots": _ratio(totals["delay_slots"], accepted),
        "rejected_share": _ratio(totals["rejected"], arrived),
    }


def per_token(totals: Totals, config: Config) -> dict[str, Floats]:
    """Return joules per token over all layers, (n,)."""
    assert isinstance(config, DMoEConfig)
    return {"energy_per_token_j": totals["energy_j"] / (config.sources * config.tokens_per_source)}


def _ratio(sums: Floats, counts: Floats) -> Floats:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


OFFLOADING = Measures(
    summed=(
        "energy_j",
        "transmission_energy_j",
        "delay_slots",
        "accepted",
        "rejected",
        "dropped_picks",
        "lost",
    ),
    averaged=(),
    final=("generalization_error", "forgetting", "accuracy"),
    curve="generalization_error",
    derived=per_task,
)
DMOE = Measures(
    summed=("energy_j", "transmission_energy_j", "dropped_picks", "lost_states", "unserved"),
    averaged=("relevance", "shortfall", "violated", "experts_per_token"),
    final=("accuracy",),
    curve="energy_j",
    derived=per_token,
)
