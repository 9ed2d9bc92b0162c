"""Arrivals from a table: in which slot a task of which type comes from where, and how large."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mec_moe_env.config import Real, Whole, reject
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.limits import CSV_ROWS
from mec_moe_env.worlds.table import Row, read_rows

COLUMNS = ("slot", "type", "origin", "payload")
SLOTS = Whole(0, CSV_ROWS - 1)


class Arrivals(NamedTuple):
    """A tasks in R slots; those of slot t are rows starts[t], …, starts[t + 1] − 1."""

    starts: Integers
    """(R + 1,)."""
    types: Integers
    """(A,)."""
    origins: Integers
    """(A,)."""
    payloads: Floats
    """(A,), Mbit."""

    @property
    def slots(self) -> int:
        """R."""
        return len(self.starts) - 1


class Limits(NamedTuple):
    """What a scenario allows."""

    per_slot: int
    """U, most tasks of a slot."""
    types: int
    """N."""
    nodes: int
    """M."""
    payload: float
    """Largest, Mbit."""
    slots: int
    """Least R that will do."""


def read_arrivals(source: Any, limits: Limits) -> Arrivals:
    """Read a table of arrivals.

    Args:
        source: a CSV file with columns `slot`, `type`, `origin` and `payload` (Mbit), or rows of
            these four. Slots count from 0; order is kept within one. A slot that no row names has
            no arrivals, and so has one whose row is blank but for the slot: such a row says how
            long the table is where nothing arrives at its end.
        limits: what the scenario allows.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a cell is not allowed, a slot has more tasks than U, or the table is too short;
            file, row and column are named.
    """
    rows, name = _rows_of(source)
    allowed = {
        "type": Whole(0, limits.types - 1),
        "origin": Whole(0, limits.nodes - 1),
    }
    payload = Real(0, limits.payload, open_low=True)
    entries: list[tuple[int, int, int, float]] = []
    counts: dict[int, int] = {}
    last = -1
    for row in rows:
        t = row.integer("slot", SLOTS)
        last = max(last, t)
        if not any(row.cells[column] for column in COLUMNS[1:]):
            continue
        counts[t] = counts.get(t, 0) + 1
        if counts[t] > limits.per_slot:
            most = f"a slot with at most num_tasks = {limits.per_slot} arrivals"
            raise row.reject("slot", most)
        n, origin = (row.integer(column, allowed[column]) for column in ("type", "origin"))
        entries.append((t, n, origin, row.number("payload", payload)))
    if last + 1 < limits.slots:
        raise ValueError(
            f"{name}: the last slot is {last}, an episode needs slots up to {limits.slots - 1}: "
            "shorten the episode, or end the table with a row of that slot, else blank"
        )
    return _packed(entries, last + 1)


def _packed(entries: list[tuple[int, int, int, float]], slots: int) -> Arrivals:
    """Sort by slot, those of one in the order of the table."""
    entries = sorted(entries, key=lambda entry: entry[0])
    columns = zip(*entries, strict=True) if entries else ((), (), (), ())
    when, types, origins, payloads = columns
    starts = np.searchsorted(np.array(when, np.int64), np.arange(slots + 1)).astype(np.int64)
    return Arrivals(
        starts,
        np.array(types, np.int64),
        np.array(origins, np.int64),
        np.array(payloads, np.float64),
    )


def _rows_of(source: Any) -> tuple[list[Row], str]:
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        return read_rows(path, COLUMNS), str(path)
    if not isinstance(source, Iterable):
        raise reject("arrivals", source, f"a CSV file, or rows of {', '.join(COLUMNS)}")
    rows = []
    for position, cells in enumerate(source):
        if not isinstance(cells, Iterable) or len(given := list(cells)) != len(COLUMNS):
            raise reject(f"arrivals[{position}]", cells, f"a row of {', '.join(COLUMNS)}")
        texts = ["" if cell is None else str(cell) for cell in given]
        rows.append(Row(f"arrivals[{position}]", dict(zip(COLUMNS, texts, strict=True))))
    return rows, "arrivals"
