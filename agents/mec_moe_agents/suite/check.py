"""Whether the code still computes what is shipped: all that is cheap, and a sample of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mec_moe_agents.bounds.certify import certified_bound
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT
from mec_moe_agents.evaluation.soundness import above_bounds, not_finite
from mec_moe_agents.suite.build import missing_pieces
from mec_moe_agents.suite.definitions import definitions
from mec_moe_agents.suite.play import replay
from mec_moe_agents.suite.shipped import BOUNDS, PLANS, Rows, Shipped, load, path_of
from mec_moe_agents.suite.tasks import Split, Task, tasks
from mec_moe_env.core.buffers import Floats

TOLERANCE = 1e-6
"""Relative: processors round differently."""
BOUND_TOLERANCE = 1e-3
"""The same of a bound, whose multipliers' whole way depends on the last bits; where it ends
differs from processor to processor by 10⁻⁴ (one seed of `offloading-default`), valid each time."""


@dataclass(frozen=True)
class Sample:
    """One seed of one shipped piece, to be computed anew."""

    task: Task
    split: Split
    piece: str
    row: int

    @property
    def seed(self) -> int:
        """Of its episode."""
        return self.split.seeds[self.row]

    @property
    def name(self) -> str:
        """Task, split, piece and seed."""
        return f"{self.task.name} {self.split.name} {self.piece}, seed {self.seed}"


def splits() -> Iterator[tuple[Task, Split]]:
    """Yield the splits that have shipped data."""
    for task in tasks().values():
        for split in task.splits.values():
            if split.episodes is not None:
                yield task, split


def check_definitions() -> list[str]:
    """Say which tasks are not what the code defines now."""
    frozen, now = tasks(), {task.name: task for task in definitions()}
    problems = [f"task {name!r} is not frozen" for name in now.keys() - frozen.keys()]
    for name, task in frozen.items():
        if name not in now:
            problems.append(f"task {name!r} is no longer defined")
        elif now[name].checksum != task.in_full.checksum:
            problems.append(
                f"task {name!r}: checksum {task.in_full.checksum[:12]} frozen, "
                f"{now[name].checksum[:12]} by today's presets"
            )
    return sorted(problems)


def check_shipped() -> list[str]:
    """Say what is stale, not finite, or above its bound; nothing is computed anew."""
    problems = []
    for task, split in splits():
        shipped, where = load(task, split), f"{task.name} {split.name}"
        if path_of(task, split).is_file() and not shipped.pieces:
            problems.append(f"{where}: shipped for another checksum or other seeds")
        for agent, rows in shipped.rows.items():
            problems += [
                f"{where}, {problem}" for problem in _check_rows(split, shipped, agent, rows)
            ]
    return problems


def _check_rows(split: Split, shipped: Shipped, agent: str, rows: Rows) -> Iterator[str]:
    yield from not_finite(agent, rows, split.seeds)
    if shipped.bounds is not None:
        yield from above_bounds(agent, rows["return"], shipped.bounds, split.seeds)


def check_complete() -> list[str]:
    """Say what is missing of splits that were complete, their task's score 0 included."""
    problems = []
    for task in tasks().values():
        for name in sorted(task.complete):
            lacking = missing_pieces(task, task.split(name))
            problems += [f"{task.name} {name}: {piece} is missing" for piece in lacking]
        if task.complete and task.baseline is None:
            problems.append(f"{task.name}: no agent is score 0")
    return problems


def draw_samples(count: int, seed: int) -> list[Sample]:
    """Choose what is computed anew, without repetition; the same for the same seed."""
    population = [
        Sample(task, split, piece, row)
        for task, split in splits()
        for piece in sorted(load(task, split).pieces - {CLAIRVOYANT})
        for row in range(len(split.seeds))
    ]
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(population), size=min(count, len(population)), replace=False)
    return [population[index] for index in chosen.tolist()]


def check_sample(sample: Sample) -> str | None:
    """Compute one seed of a piece anew; say how it differs from what is shipped, if it does.

    A plan is played, and its return compared with the shipped one.
    """
    shipped, config = load(sample.task, sample.split), sample.split.config
    if sample.piece == BOUNDS and shipped.bounds is not None:
        there: Rows = {"bound": shipped.bounds}
        here: Rows = {"bound": certified_bound(config, [sample.seed])}
    elif sample.piece == PLANS and shipped.plans is not None:
        plan = shipped.plans[sample.row : sample.row + 1]
        there = shipped.rows[CLAIRVOYANT]
        here = replay(plan, config, [sample.seed]).episodes.metrics
    else:
        there = shipped.rows[sample.piece]
        here = evaluate(sample.piece, config, [sample.seed]).metrics
    if unshipped := sorted(here.keys() - there.keys()):
        return f"{sample.name}: {unshipped[0]} is not shipped"
    for name, values in there.items():
        if name not in here:
            return f"{sample.name}: {name} is no longer computed"
        tolerance = BOUND_TOLERANCE if sample.piece == BOUNDS else TOLERANCE
        if not _close(values[sample.row], here[name][0], tolerance):
            return f"{sample.name}: {name} is {values[sample.row]} shipped, {here[name][0]} anew"
    return None


def _close(shipped: Floats, fresh: Floats, tolerance: float) -> bool:
    return bool(np.isclose(fresh, shipped, rtol=tolerance, atol=tolerance, equal_nan=True))
