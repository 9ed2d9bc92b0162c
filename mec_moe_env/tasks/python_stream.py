"""Tasks that Python code writes, before the compiled call that needs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mec_moe_env.orders import NOTHING_DUE, START, Orders, write_due_rows
from mec_moe_env.randomness import Randomness
from mec_moe_env.tasks.drawing import Arrivals, draw_types
from mec_moe_env.tasks.stream import Integers, Judge, TaskBatch, TaskStream
from mec_moe_env.tasks.tables import TaskTables, no_tables


class StreamSource:
    """A task stream of the user's own, drawn for one sub-environment after the other."""

    block = 32
    """How many tasks the stream is asked for at once may change what it draws: always as many."""

    def __init__(self, stream: TaskStream, num_envs: int) -> None:
        self._stream = stream
        self._episodes: list[Any] = [None] * num_envs

    @property
    def sum_bound(self) -> float:
        """The stream's."""
        return float(self._stream.sum_bound)

    @property
    def judge(self) -> Judge:
        """The stream's."""
        return self._stream.judge

    @property
    def tables(self) -> TaskTables:
        """None: compiled code draws no task."""
        return no_tables()

    def prepare(
        self,
        orders: Orders,
        cursor: Integers,
        randomness: Randomness,
        arrivals: Arrivals,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Let the stream write the blocks that are due under these orders.

        Args:
            orders: one for each sub-environment.
            cursor: present slots, (n,).
            randomness: the generators, and the streams of the types.
            arrivals: updated.
            types: written, (n, B, U).
            out: written; (n, B, U) lead every array, and X lies transposed.
        """
        starting = np.flatnonzero(orders == START)
        arrivals.last_type[starting] = -1
        for index in starting.tolist():
            self._episodes[index] = self._stream.start_episode(randomness[index])
        due = np.empty_like(cursor)
        write_due_rows(orders, cursor, self.block, due)
        indices = np.flatnonzero(due != NOTHING_DUE)
        if len(indices) > 0:
            rows = due[indices]
            draw_types(randomness.streams, arrivals, indices, rows, self.block, types)
            self._draw(indices, rows, randomness, types, out)

    def _draw(
        self,
        indices: Integers,
        rows: Integers,
        randomness: Randomness,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        for index, row in zip(indices.tolist(), rows.tolist(), strict=True):
            wanted = types[index, row : row + self.block].reshape(-1)
            parts = (array[index, row : row + self.block] for array in out)
            flat = TaskBatch(*(part.reshape(len(wanted), *part.shape[2:]) for part in parts))
            flat = flat._replace(features=flat.features.transpose(0, 2, 1))
            self._stream.draw(randomness[index], self._episodes[index], wanted, flat)
