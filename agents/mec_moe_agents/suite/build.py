"""Computes what is shipped, piece by piece: what is finished is kept, and found again.

A unit is one agent on all seeds of a split, or the bounds or plans of a few seeds. Finished units
lie in a work folder; a piece whose units are all there goes into the split's file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mec_moe_agents.bounds.certify import certified_bound
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT, Scenario
from mec_moe_agents.executors import Executor, completed
from mec_moe_agents.registry import agent_names
from mec_moe_agents.suite.definitions import TEST
from mec_moe_agents.suite.play import replay
from mec_moe_agents.suite.shipped import BOUNDS, PLANS, Shipped, load, save
from mec_moe_agents.suite.tasks import Split, Task
from mec_moe_agents.suite.theory import has_bounds, has_plans, plan_actions
from mec_moe_env.files import Arrays, read_arrays, write_arrays

SEEDS_OF_A_UNIT = 2
"""Of bounds and plans, which take up to minutes a seed."""


@dataclass(frozen=True)
class Unit:
    """The least that is computed at a time."""

    task: Task
    split: Split
    piece: str
    """An agent, `bounds` or `plans`."""
    seeds: range

    @property
    def name(self) -> str:
        """Task, split, piece and first seed: a name that no other unit has."""
        return f"{self.task.name}.{self.split.name}.{self.piece}.{self.seeds.start}"

    def path(self, work: Path) -> Path:
        """Where its result lies."""
        return work / f"{self.name}.{self.task.checksum[:12]}.npz"


def pieces_of(split: Split) -> list[str]:
    """Return all that a split can have: its agents, the clairvoyant aside, bounds and plans."""
    agents = [name for name in agent_names(split.config) if name != CLAIRVOYANT]
    theory = {BOUNDS: has_bounds(split.config), PLANS: has_plans(split.config)}
    return [*agents, *(piece for piece, there in theory.items() if there)]


def units_of(task: Task, split: Split, piece: str) -> list[Unit]:
    """Cut a piece into units."""
    seeds = split.seeds
    size = SEEDS_OF_A_UNIT if piece in (BOUNDS, PLANS) else len(seeds)
    starts = range(0, len(seeds), size)
    return [Unit(task, split, piece, seeds[start : start + size]) for start in starts]


def compute(unit: Unit) -> Arrays:
    """Compute a unit: the metrics of an agent, or an array under the name of its piece."""
    config, seeds = unit.split.config, list(unit.seeds)
    if unit.piece == BOUNDS:
        return {BOUNDS: certified_bound(config, seeds)}
    if unit.piece == PLANS:
        return {PLANS: plan_actions(config, seeds)}
    return dict(evaluate(unit.piece, config, seeds).metrics)


def missing_units(
    task: Task, split: Split, pieces: Sequence[str], work: Path, *, fresh: bool = False
) -> list[Unit]:
    """Return what is neither shipped nor finished; all of it if `fresh`."""
    there = set() if fresh else load(task, split).pieces
    units = [
        unit for piece in pieces if piece not in there for unit in units_of(task, split, piece)
    ]
    return [unit for unit in units if fresh or not unit.path(work).is_file()]


def run_units(
    units: Sequence[Unit], work: Path, executor: Executor | None = None
) -> Iterator[Unit]:
    """Compute units, keep the result of each, and yield it when that is done.

    Raises:
        OSError: the work folder cannot be written, or the executor's workers are lost.
    """
    work.mkdir(parents=True, exist_ok=True)
    calls = {at: partial(compute, unit) for at, unit in enumerate(units)}
    for at, arrays, _ in completed(calls, executor):
        write_arrays(units[at].path(work), arrays)
        yield units[at]


def assemble(task: Task, split: Split, pieces: Sequence[str], work: Path) -> Shipped:
    """Put the pieces whose units are all finished into the split's file, and return its content."""
    before = shipped = load(task, split)
    for piece in pieces:
        units = units_of(task, split, piece)
        if all(unit.path(work).is_file() for unit in units):
            parts = [read_arrays(unit.path(work)) for unit in units]
            whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            shipped = shipped.with_piece(piece, whole)
    if shipped.plans is not None and shipped.plans is not before.plans:
        played = replay(shipped.plans, split.config, split.seeds).episodes.metrics
        shipped = shipped.with_piece(CLAIRVOYANT, dict(played))
    if shipped is not before:
        save(task, split, shipped)
    return shipped


def best_untrained(task: Task) -> str | None:
    """Return the contender that nobody trained with the best mean return on `test`.

    Returns:
        None before all of them have rows there.

    Raises:
        ValueError: a mean return is not finite.
    """
    split = task.split(TEST)
    rows, agents = load(task, split).rows, agent_names(split.config)
    untrained = Scenario(task.name, split.config, agents).baselines(agents)
    if not rows.keys() >= set(untrained):
        return None
    means = {name: float(rows[name]["return"].mean()) for name in untrained}
    for name, mean in means.items():
        if not np.isfinite(mean):
            raise ValueError(f"task {task.name!r}: the mean return of {name} is {mean}")
    return max(means, key=means.__getitem__)


def missing_pieces(task: Task, split: Split) -> list[str]:
    """Return what a split can have and is not shipped."""
    return sorted(set(pieces_of(split)) - load(task, split).pieces)


def settle(task: Task) -> Task:
    """Write down what follows from the shipped data: score 0, and the splits that have all.

    Both stay once they are written, whatever agents come later; a task that is frozen anew has
    neither.
    """
    full = {
        split.name
        for split in task.splits.values()
        if split.episodes is not None and not missing_pieces(task, split)
    }
    settled = replace(
        task, baseline=task.baseline or best_untrained(task), complete=task.complete | full
    )
    if settled != task:
        settled.save()
    return settled
