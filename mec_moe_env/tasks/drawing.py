"""Arriving tasks: their types, and what they are, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.core.kernels import inlined, lean
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.randomness import TYPES
from mec_moe_env.streams import Streams, next_uniform
from mec_moe_env.tasks.images import draw_image_task
from mec_moe_env.tasks.stream import Floats, Integers, TaskBatch
from mec_moe_env.tasks.synthetic import draw_synthetic_task, draw_truths
from mec_moe_env.tasks.tables import TaskScratch, TaskTables


class Arrivals(NamedTuple):
    """The Markov chain of types."""

    persistence: float
    """Probability that a task repeats the type before it."""
    cumulative: Floats
    """Cumulative frequencies of the types, (N,), the last one 1."""
    last_type: Integers
    """Type of the last task drawn, −1 for none, (n,)."""


def make_arrivals(config: OffloadingConfig, num_envs: int) -> Arrivals:
    """Begin the chains of `num_envs` sub-environments."""
    frequencies = np.array(config.type_frequencies or (1.0,) * config.num_types)
    return Arrivals(
        persistence=float(config.type_persistence),
        cumulative=np.cumsum(frequencies / frequencies.sum()),
        last_type=np.full(num_envs, -1, np.int64),
    )


@inlined
def draw_type(streams: Streams, arrivals: Arrivals, i: int) -> int:
    """Return the type of the next task of sub-environment i; two uniforms are drawn.

    Uniform and independent in Li & Duan 2024; frequencies and bursts are our extension.
    """
    repeats = next_uniform(streams[i], TYPES) < arrivals.persistence
    level = next_uniform(streams[i], TYPES)
    n: int = arrivals.last_type[i]
    if n < 0 or not repeats:
        n = 0
        while n < arrivals.cumulative.shape[0] - 1 and level >= arrivals.cumulative[n]:
            n += 1
    arrivals.last_type[i] = n
    return n


@lean
def draw_types(
    streams: Streams,
    arrivals: Arrivals,
    indices: Integers,
    rows: Integers,
    block: int,
    types: Integers,
) -> None:
    """Write the types of the next tasks of some sub-environments, for tasks that Python writes.

    Args:
        streams: by sub-environment and purpose.
        arrivals: updated.
        indices: sub-environments to draw for.
        rows: first row to write of each, (len(indices),).
        block: number of rows to write.
        types: written, (n, B, U).
    """
    for position in range(indices.shape[0]):
        i = indices[position]
        for b in range(rows[position], rows[position] + block):
            for u in range(types.shape[2]):
                types[i, b, u] = draw_type(streams, arrivals, i)


@inlined
def are_drawn(tables: TaskTables) -> bool:
    """Return whether compiled code draws the tasks."""
    drawn: bool = tables.synthetic.models.shape[0] > 0 or tables.images.bank.shape[0] > 0
    return drawn


@inlined
def begin_tasks(streams: Streams, tables: TaskTables, i: int, scratch: TaskScratch) -> None:
    """Draw what an episode of sub-environment i keeps."""
    if tables.synthetic.models.shape[0] > 0:
        draw_truths(streams[i], tables.synthetic, i, scratch.numbers)


@inlined
def draw_task(
    streams: Streams,
    tables: TaskTables,
    i: int,
    b: int,
    u: int,
    n: int,
    scratch: TaskScratch,
    out: TaskBatch,
) -> None:
    """Write task u of row b, of type n; (n, B, U) lead every array of `out`."""
    features, labels, linear = out.features[i, b, u], out.labels[i, b, u], out.linear[i, b, u]
    if tables.images.bank.shape[0] > 0:
        draw_image_task(streams[i], tables.images, n, scratch.chosen, features, labels, linear)
        out.constant[i, b, u] = 1.0
    else:
        out.constant[i, b, u] = draw_synthetic_task(
            streams[i], tables.synthetic, i, n, scratch.numbers, features, labels, linear
        )
