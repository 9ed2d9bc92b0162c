"""What must hold before agents are compared: the same seeds, numbers that are numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mec_moe_agents.evaluation.rollout import Episodes, check_different
from mec_moe_env.core.buffers import Floats, Integers

WITHOUT_TASKS = frozenset(
    {"energy_per_task_j", "energy_per_arrival_j", "mean_delay_slots", "rejected_share"}
)
"""Means over tasks: NaN, no value, on a seed without a task. Elsewhere NaN is a fault."""
TOLERANCE = 1e-9
"""By how much, relative, a return may exceed a bound by rounding."""


def check_comparable(results: Mapping[str, Episodes]) -> None:
    """See that agents ran on the same seeds, and that what was measured of them is finite.

    Raises:
        ValueError: there is no agent, two agents have other seeds, a seed stands twice, or a value
            is not finite: the agent, the seed, and where it is known the step, are named.
    """
    if not results:
        raise ValueError("nothing to compare: no agents")
    first, reference = next(iter(results.items()))
    check_different(reference.seeds.tolist(), first)
    for agent, episodes in results.items():
        if not np.array_equal(episodes.seeds, reference.seeds):
            raise ValueError(
                f"{agent} ran on the seeds {_listed(episodes)}, {first} on {_listed(reference)}: "
                "only agents that ran on the same seeds in the same order are compared"
            )
        _refuse(not_finite(agent, episodes.metrics, episodes.seeds, episodes.curve))


def check_bounds(results: Mapping[str, Episodes], bounds: Floats) -> None:
    """See that no return exceeds the certified bound (n,) of its seed.

    Raises:
        ValueError: one does, so that the bound is wrong; the agent and the seed are named.
    """
    for agent, episodes in results.items():
        _refuse(above_bounds(agent, episodes.metrics["return"], bounds, episodes.seeds))


def not_finite(
    agent: str,
    metrics: Mapping[str, Floats],
    seeds: Sequence[int] | Integers,
    curve: Floats | None = None,
) -> Iterator[str]:
    """Name every value, (n,) of each metric on n seeds, that is not finite and should be.

    The curve, (n, T), knows the step at which one began where it is not finite itself.
    """
    for name, values in metrics.items():
        broken = np.isinf(values) if name in WITHOUT_TASKS else ~np.isfinite(values)
        for row in np.flatnonzero(broken).tolist():
            steps = [] if curve is None else np.flatnonzero(~np.isfinite(curve[row])).tolist()
            when = f", from step {steps[0]} on" if steps else ""
            yield f"{name} = {values[row]} of {agent} on seed {seeds[row]} is not finite{when}"


def above_bounds(
    agent: str, returns: Floats, bounds: Floats, seeds: Sequence[int] | Integers
) -> Iterator[str]:
    """Name every return, (n,), that exceeds the certified bound, (n,), of its seed."""
    allowed = bounds + TOLERANCE * np.maximum(np.abs(bounds), 1.0)
    for row in np.flatnonzero(returns > allowed).tolist():
        yield (
            f"the certified bound is wrong: {agent} returns {returns[row]} on seed "
            f"{seeds[row]}, above {bounds[row]}"
        )


def _refuse(problems: Iterator[str]) -> None:
    """Raise the first of some problems, if there is one."""
    for problem in problems:
        raise ValueError(problem)


def _listed(episodes: Episodes) -> str:
    seeds = episodes.seeds.tolist()
    few = [str(seed) for seed in seeds[:3]]
    return f"{', '.join(few)}{', …' if len(seeds) > len(few) else ''} ({len(seeds)})"
