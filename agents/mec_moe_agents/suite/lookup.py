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
    return _gather(config, seeds, lambda shipped: shipped.bounds)


def shipped_plans(config: Config, seeds: Sequence[int]) -> Actions | None:
    """Return the clairvoyant's flat actions, (n, T, A), or None unless all seeds have them."""
    plans = _gather(config, seeds, lambda shipped: shipped.plans)
    return None if plans is None else widened(plans)


def shipped_rows(config: Config, agent: str, seeds: Sequence[int]) -> Rows | None:
    """Return the metrics of an agent's episodes, each (n,), or None unless all seeds have them."""

    def table(shipped: Shipped) -> NDArray[Any] | None:
        rows = shipped.rows.get(agent)
        return None if rows is None else np.stack(list(rows.values()), axis=1)

    values = _gather(config, seeds, table)
    if values is None:
        return None
    known = (load(task, split).rows.get(agent) for task, split in splits_of(config))
    names = next(list(rows) for rows in known if rows is not None)
    return dict(zip(names, values.T, strict=True))


def frozen_baseline(config: Config) -> str | None:
    """Return the agent that is score 0 of a configuration's task, or None if it has none."""
    return next((task.baseline for task, _ in splits_of(config)), None)


def _gather(
    config: Config,
    seeds: Sequence[int],
    choose: Callable[[Shipped], NDArray[Any] | None],
) -> NDArray[Any] | None:
    """Collect one entry per seed from all splits of a configuration; None if one is missing."""
    found: dict[int, NDArray[Any]] = {}
    for task, split in splits_of(config):
        piece = None if found.keys() >= set(seeds) else choose(load(task, split))
        if piece is not None:
            found.update(zip(split.seeds, piece, strict=True))
    if not seeds or not found.keys() >= set(seeds):
        return None
    return np.stack([found[seed] for seed in seeds])
