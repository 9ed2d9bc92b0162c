"""One line of the benchmark: a case in one form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from mec_moe_agents.bench.case import Case
from mec_moe_agents.bench.floor import measure_floor
from mec_moe_agents.bench.memory import bytes_per_env
from mec_moe_agents.bench.rounds import block_of, round_steps
from mec_moe_agents.bench.speed import MANY, scalar_seconds, stage_shares, vector_seconds

MEMORY_LIMIT = 2 << 30
TIME_LIMIT = 4.0
"""Seconds that one round may take."""
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
    stages: dict[str, float] | None = None
    """Share of each stage; of vector environments on one thread, up to `MANY`."""
    skipped: str | None = None
    """What it would have taken, where that is out of reach."""

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps per second."""
        return None if self.step_ns is None else 1e9 / self.step_ns

    @property
    def ratio(self) -> float | None:
        """Time of a step over its floor; None where nothing is drawn, which is no yardstick."""
        if self.step_ns is None or self.floor_drawing_ns == 0.0:
            return None
        return self.step_ns / self.floor_ns


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
    yield row(form="scalar", num_envs=1, num_threads=1, step_ns=1e9 * step)
    block = block_of(case)
    for num_envs in sorted(sizes):
        # A step of one sub-environment is hardly ever slower among more of them.
        steps = round_steps(case.episode_steps, block, TIME_LIMIT // (num_envs * step))
        skipped = _out_of_reach(num_envs * size, num_envs * step * steps)
        for count in threads if num_envs > 1 else (1,):
            vector = partial(row, form="vector", num_envs=num_envs, num_threads=count)
            if skipped is not None:
                yield vector(skipped=skipped)
                continue
            taken = vector_seconds(case, num_envs, count, seconds, steps)
            watched = count == 1 and num_envs <= MANY
            stages = stage_shares(case, num_envs, seconds, steps) if watched else None
            yield vector(step_ns=1e9 * taken, stages=stages)
            step = min(step, taken) if count == 1 else step


def _out_of_reach(memory: int, time: float) -> str | None:
    if memory > MEMORY_LIMIT:
        return f"{memory / 2**30:.1f} GiB"
    return f"{time:.0f} s" if time > TIME_LIMIT else None
