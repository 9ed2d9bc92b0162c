"""Time of a step of every preset, scalar and vector."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.bench.case import (
    Case,
    bytes_per_env,
    per_call,
    player,
    round_steps,
    step_seconds,
)
from mec_moe_agents.bench.floor import measure_floor

SIZES = (1, 64, 1024, 4096)
MEMORY_LIMIT = 2 << 30
TIME_LIMIT = 4.0
"""Seconds that a round on all numbers of threads may take."""
FLOOR_SECONDS = 0.01
ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """A case in one form; times are of one step of one sub-environment."""

    case: str
    form: str
    """`scalar` or `vector`."""
    num_envs: int
    num_threads: int
    bytes_per_env: int
    floor_ns: float
    floor_drawing_ns: float
    step_ns: float | None = None
    steps_per_second: float | None = None
    ratio: float | None = None
    """Time of a step over its floor; None where nothing is drawn, which is no reference."""
    gain: float | None = None
    """How much faster than on the first number of threads."""
    skipped: str | None = None
    """What it would have taken, where that is out of reach."""


def measure_case(
    case: Case, sizes: Sequence[int], threads: Sequence[int], seconds: float
) -> Iterator[Row]:
    """Measure the scalar environment and vectors of every size on every number of threads.

    Vectors that would take too much memory, or whose round would take too long, are skipped.
    """
    floor, size = measure_floor(case.config, seconds), bytes_per_env(case)
    row = partial(
        Row,
        case=case.name,
        bytes_per_env=size,
        floor_ns=1e9 * floor.total,
        floor_drawing_ns=1e9 * floor.drawing,
    )
    figures = partial(_figures, drawn=floor.drawing > 0.0)
    step = step_seconds(case.scalar(), round_steps(case.config.steps), seconds)
    times = np.array([[floor.total, step]])
    yield row(form="scalar", num_envs=1, num_threads=1, **figures(times, 1))
    for num_envs in sorted(sizes):
        counts = threads if num_envs > 1 else (1,)
        vector = partial(row, form="vector", num_envs=num_envs)
        together = num_envs * len(counts)
        # A step of one sub-environment is hardly ever slower among more of them.
        steps = round_steps(case.config.steps, TIME_LIMIT // (together * step))
        skipped = _out_of_reach(together * size, together * step * steps)
        if skipped is not None:
            yield from (vector(num_threads=count, skipped=skipped) for count in counts)
            continue
        times = vector_rounds(case, num_envs, counts, seconds, steps)
        for column, count in enumerate(counts, start=1):
            yield vector(num_threads=count, **figures(times, column))
        step = min(step, float(np.median(times[:, 1:].max(axis=1))))


def vector_rounds(
    case: Case, num_envs: int, threads: Sequence[int], seconds: float, steps: int
) -> NDArray[np.float64]:
    """Measure a step of one of `num_envs` sub-environments, on each number of threads in turn.

    The speed of a shared machine changes from second to second: the floor and all numbers of
    threads are measured in every round, so that ratios within a round mean something.

    Returns:
        Seconds by round, (rounds, 1 + len(threads)): the floor, then a step on so many threads.
    """
    with contextlib.ExitStack() as stack:
        players = []
        for count in threads:
            env = stack.enter_context(contextlib.closing(case.vector(num_envs, count)))
            players.append(player(env, steps))
            env.step(env.action_space.sample())
        rounds: list[list[float]] = []
        end = time.perf_counter() + seconds * len(threads)
        while len(rounds) < ROUNDS or time.perf_counter() < end:
            floor = measure_floor(case.config, FLOOR_SECONDS).total
            taken = [per_call(play, 0.0, least=1) / (steps * num_envs) for play in players]
            rounds.append([floor, *taken])
    return np.array(rounds)


def _figures(times: NDArray[np.float64], column: int, drawn: bool) -> dict[str, Any]:
    """Return medians over the rounds of a column, and of its ratios within them."""
    taken = times[:, column]
    step = float(np.median(taken))
    return {
        "step_ns": 1e9 * step,
        "steps_per_second": 1.0 / step,
        "ratio": float(np.median(taken / times[:, 0])) if drawn else None,
        "gain": float(np.median(times[:, 1] / taken)) if column > 1 else None,
    }


def _out_of_reach(memory: int, time: float) -> str | None:
    if memory > MEMORY_LIMIT:
        return f"{memory / 2**30:.1f} GiB"
    return f"{time:.0f} s" if time > TIME_LIMIT else None
