"""One line of the benchmark: a case in one form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mec_moe_agents.bench.case import Case
from mec_moe_agents.bench.floor import measure_floor
from mec_moe_agents.bench.memory import bytes_per_env
from mec_moe_agents.bench.rounds import round_steps
from mec_moe_agents.bench.speed import Times, scalar_seconds, stage_shares, vector_rounds

MEMORY_LIMIT = 2 << 30
MANY = 1024
"""Up to so many sub-environments the stages are timed."""
TIME_LIMIT = 4.0
"""Seconds that a round on all numbers of threads may take."""
SIZES = (1, 64, 1024, 4096)


@dataclass(frozen=True)
class Row:
    """What was measured; times are of one step of one sub-environment."""

    case: str
    form: str
    """`scalar` or `vector`."""
    num_envs: int
    num_threads: int
    bytes_per_env: int
    floor_ns: float
    floor_drawing_ns: float
    counting_ns: float
    """What drawing takes with counting streams."""
    step_ns: float | None = None
    ratio: float | None = None
    """Time of a step over its floor; None where nothing is drawn, which is no yardstick."""
    gain: float | None = None
    """How much faster than on the first number of threads."""
    stages: dict[str, float] | None = None
    """Share of each stage; of vector environments on one thread, up to `MANY`."""
    skipped: str | None = None
    """What it would have taken, where that is out of reach."""

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps per second."""
        return None if self.step_ns is None else 1e9 / self.step_ns


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
        counting_ns=1e9 * floor.counting,
    )
    step = scalar_seconds(case, seconds)
    drawn = floor.drawing > 0.0
    ratio = step / floor.total if drawn else None
    yield row(form="scalar", num_envs=1, num_threads=1, step_ns=1e9 * step, ratio=ratio)
    for num_envs in sorted(sizes):
        counts = threads if num_envs > 1 else (1,)
        together = num_envs * len(counts)
        # A step of one sub-environment is hardly ever slower among more of them.
        steps = round_steps(case.episode_steps, TIME_LIMIT // (together * step))
        skipped = _out_of_reach(together * size, together * step * steps)
        vectors = [
            partial(row, form="vector", num_envs=num_envs, num_threads=count) for count in counts
        ]
        if skipped is not None:
            yield from (vector(skipped=skipped) for vector in vectors)
            continue
        times = vector_rounds(case, num_envs, counts, seconds, steps)
        for index, vector in enumerate(vectors):
            yield vector(
                **_figures(times, 1 + index, drawn),
                stages=stage_shares(case, num_envs, seconds, steps)
                if counts[index] == 1 and num_envs <= MANY
                else None,
            )
        step = min(step, float(np.median(times[:, 1:].max(axis=1))))


def _figures(times: Times, column: int, drawn: bool) -> dict[str, float | None]:
    """Return medians over the rounds of a column, and of its ratios within them."""
    taken = times[:, column]
    return {
        "step_ns": 1e9 * float(np.median(taken)),
        "ratio": float(np.median(taken / times[:, 0])) if drawn else None,
        "gain": float(np.median(times[:, 1] / taken)) if column > 1 else None,
    }


def _out_of_reach(memory: int, time: float) -> str | None:
    if memory > MEMORY_LIMIT:
        return f"{memory / 2**30:.1f} GiB"
    return f"{time:.0f} s" if time > TIME_LIMIT else None
