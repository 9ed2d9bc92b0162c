"""One line of the benchmark: a case in one form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from mec_moe_agents.bench.case import Case
from mec_moe_agents.bench.floor import measure_floor
from mec_moe_agents.bench.memory import bytes_per_env
from mec_moe_agents.bench.speed import MANY, scalar_seconds, stage_shares, vector_seconds

MEMORY_LIMIT = 2 << 30
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
    step_ns: float | None = None
    stages: dict[str, float] | None = None
    """Share of each stage; of vector environments on one thread, up to `MANY`."""
    skipped: str | None = None
    """Why it was not measured."""

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps per second."""
        return None if self.step_ns is None else 1e9 / self.step_ns

    @property
    def ratio(self) -> float | None:
        """Time of a step over its floor."""
        return None if self.step_ns is None else self.step_ns / self.floor_ns


def measure_case(
    case: Case, sizes: Sequence[int], threads: Sequence[int], seconds: float
) -> Iterator[Row]:
    """Measure the scalar environment and vectors of every size on every number of threads."""
    floor, size = measure_floor(case.config, seconds), bytes_per_env(case)
    row = partial(
        Row,
        case=case.name,
        bytes_per_env=size,
        floor_ns=1e9 * floor.total,
        floor_drawing_ns=1e9 * floor.drawing,
    )
    scalar = 1e9 * scalar_seconds(case, seconds)
    yield row(form="scalar", num_envs=1, num_threads=1, step_ns=scalar)
    for num_envs in sizes:
        for count in threads if num_envs > 1 else (1,):
            vector = partial(row, form="vector", num_envs=num_envs, num_threads=count)
            if num_envs * size > MEMORY_LIMIT:
                yield vector(skipped=_too_large(num_envs * size))
                continue
            step = 1e9 * vector_seconds(case, num_envs, count, seconds)
            watched = count == 1 and num_envs <= MANY
            stages = stage_shares(case, num_envs, seconds) if watched else None
            yield vector(step_ns=step, stages=stages)


def _too_large(needed: int) -> str:
    return f"would take {needed / 2**30:.1f} GiB, more than {MEMORY_LIMIT / 2**30:.0f}"
