"""What the suite knows of a configuration's seeds, found by the configuration, not by a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.suite.actions import widened
from mec_moe_agents.suite.shipped import Rows, Shipped, load
from mec_moe_agents.suite.tasks import splits_of
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Actions, Floats


def shipped_bounds(config: Config, seeds: Sequence[int]) -> Floats | None:
    """Return certified bounds on the return, (n,), or None unless all seeds have one."""
    bounds = _gather(config, seeds, lambda shipped: shipped.bounds)
    return None if bounds is None else np.array(bounds)


def shipped_plans(config: Config, seeds: Sequence[int]) -> Actions | None:
    """Return the clairvoyant's flat actions, (n, T, A), or None unless all seeds have them."""
    plans = _gather(config, seeds, lambda shipped: shipped.plans)
    return None if plans is None else widened(np.stack(plans))


def shipped_rows(config: Config, agent: str, seeds: Sequence[int]) -> Rows | None:
    """Return the metrics of an agent's episodes, each (n,), or None unless all seeds have them."""

    def episodes(shipped: Shipped) -> list[dict[str, float]] | None:
        rows = shipped.rows.get(agent)
        if rows is None:
            return None
        return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]

    found = _gather(config, seeds, episodes)
    if found is None:
        return None
    return {name: np.array([episode[name] for episode in found]) for name in found[0]}


def frozen_baseline(config: Config) -> str | None:
    """Return the agent that is score 0 of a configuration's task, or None if it has none."""
    return next((task.baseline for task, _ in splits_of(config)), None)


def _gather(
    config: Config,
    seeds: Sequence[int],
    choose: Callable[[Shipped], Sequence[Any] | NDArray[Any] | None],
) -> list[Any] | None:
    """Collect one entry per seed from all splits of a configuration; None if one is missing."""
    found: dict[int, Any] = {}
    for task, split in splits_of(config):
        piece = None if found.keys() >= set(seeds) else choose(load(task, split))
        if piece is not None:
            found.update(zip(split.seeds, piece, strict=True))
    if not seeds or not found.keys() >= set(seeds):
        return None
    return [found[seed] for seed in seeds]
