"""What must hold before agents are compared: the same seeds, numbers that are numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_env.core.buffers import Floats

WITHOUT_TASKS = frozenset(
    {"energy_per_task_j", "energy_per_arrival_j", "mean_delay_slots", "rejected_share"}
)
"""Means over tasks: NaN, no value, on a seed without a task. Elsewhere NaN is a fault."""
TOLERANCE = 1e-9
"""By how much, relative, a return may exceed a bound by rounding."""


def check_comparable(results: Mapping[str, Episodes]) -> None:
    """See that agents ran on the same seeds, and that what was measured of them is finite.

    Raises:
        ValueError: there is no agent, two agents have other seeds, or a value is not finite: the
            agent, and the seed, are named.
    """
    if not results:
        raise ValueError("nothing to compare: no agents")
    first, reference = next(iter(results.items()))
    for agent, episodes in results.items():
        if not np.array_equal(episodes.seeds, reference.seeds):
            raise ValueError(
                f"{agent} ran on the seeds {_listed(episodes)}, {first} on {_listed(reference)}: "
                "only agents that ran on the same seeds in the same order are compared"
            )
        for name, values in episodes.metrics.items():
            _check_finite(agent, name, values, episodes)


def check_bounds(results: Mapping[str, Episodes], bounds: Floats) -> None:
    """See that no return exceeds the certified bound (n,) of its seed.

    Raises:
        ValueError: one does, so that the bound is wrong; the agent and the seed are named.
    """
    allowed = bounds + TOLERANCE * np.maximum(np.abs(bounds), 1.0)
    for agent, episodes in results.items():
        returns = episodes.metrics["return"]
        for row in np.flatnonzero(returns > allowed)[:1]:
            raise ValueError(
                f"the certified bound is wrong: {agent} returns {returns[row]} on seed "
                f"{episodes.seeds[row]}, above {bounds[row]}"
            )


def _check_finite(agent: str, name: str, values: Floats, episodes: Episodes) -> None:
    broken = np.isinf(values) if name in WITHOUT_TASKS else ~np.isfinite(values)
    for row in np.flatnonzero(broken)[:1]:
        raise ValueError(
            f"{name} = {values[row]} of {agent} on seed {episodes.seeds[row]} is not finite"
        )


def _listed(episodes: Episodes) -> str:
    seeds = episodes.seeds.tolist()
    few = [str(seed) for seed in seeds[:3]]
    return f"{', '.join(few)}{', …' if len(seeds) > len(few) else ''} ({len(seeds)})"
