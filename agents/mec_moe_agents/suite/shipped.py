"""What is shipped for the episodes of a task: agents' rows, certified bounds, clairvoyant plans.

One .npz file per task and split, stamped with the task's checksum; of another checksum it counts
as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.suite.tasks import Split, Task, data_file
from mec_moe_env.core.buffers import Floats
from mec_moe_env.files import read_arrays, write_arrays

CHECKSUM, SEEDS, METRICS, ROWS = "checksum", "seeds", "metrics", "rows:"
BOUNDS, PLANS = "bounds", "plans"

Rows = Mapping[str, Floats]
"""The metrics of one agent's n episodes, each (n,)."""


@dataclass(frozen=True)
class Shipped:
    """What is shipped of one split with n seeds."""

    rows: Mapping[str, Rows] = field(default_factory=dict)
    """By agent."""
    bounds: Floats | None = None
    """(n,), no policy's return is above."""
    plans: NDArray[Any] | None = None
    """(n, T, A), the clairvoyant's flat actions, unsigned integers."""

    @property
    def pieces(self) -> set[str]:
        """What is there: names of agents, `bounds`, `plans`."""
        found = {BOUNDS: self.bounds, PLANS: self.plans}
        return {*self.rows, *(name for name, piece in found.items() if piece is not None)}

    def with_piece(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the same with another piece, an agent's metrics or `{name: array}`."""
        if name in (BOUNDS, PLANS):
            fields: dict[str, Any] = {name: arrays[name]}
            return replace(self, **fields)
        return replace(self, rows={**self.rows, name: arrays})


def path_of(task: Task, split: Split) -> Path:
    """Return the file of a split."""
    return data_file(f"{task.name}.{split.name}.npz")


def load(task: Task, split: Split) -> Shipped:
    """Read what is shipped of a split; nothing where the file is missing or of another task.

    Raises:
        ValueError: the file is damaged.
    """
    path = path_of(task, split)
    if not path.is_file():
        return Shipped()
    arrays = read_arrays(path)
    same_seeds = np.array_equal(arrays.get(SEEDS, ()), np.array(split.seeds))
    if str(arrays.get(CHECKSUM)) != task.checksum or not same_seeds:
        return Shipped()
    metrics = [str(name) for name in arrays.get(METRICS, ())]
    rows = {
        name.removeprefix(ROWS): dict(zip(metrics, values, strict=True))
        for name, values in arrays.items()
        if name.startswith(ROWS)
    }
    return Shipped(rows, arrays.get(BOUNDS), arrays.get(PLANS))


def save(task: Task, split: Split, shipped: Shipped) -> None:
    """Write what is shipped of a split: the same bytes for the same content.

    Raises:
        ValueError: two agents have different metrics.
    """
    arrays: dict[str, NDArray[Any]] = {
        CHECKSUM: np.array(task.checksum),
        SEEDS: np.array(split.seeds),
    }
    metrics = list(next(iter(shipped.rows.values()), ()))
    arrays[METRICS] = np.array(metrics, dtype=np.str_)
    for agent in sorted(shipped.rows):
        rows = shipped.rows[agent]
        if list(rows) != metrics:
            raise ValueError(f"agent {agent!r} has the metrics {list(rows)}, others {metrics}")
        arrays[ROWS + agent] = np.stack([rows[name] for name in metrics])
    for name, piece in ((BOUNDS, shipped.bounds), (PLANS, shipped.plans)):
        if piece is not None:
            arrays[name] = piece
    write_arrays(path_of(task, split), arrays, compressed=True)
