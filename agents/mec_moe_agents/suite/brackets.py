"""How tight each task's bound is: what stands between it and the best that was played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mec_moe_agents.evaluation.scale import Scale
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT
from mec_moe_agents.suite.definitions import TEST
from mec_moe_agents.suite.shipped import load
from mec_moe_agents.suite.tasks import Task, tasks

REFERENCES = (CLAIRVOYANT, "optimal")
"""Who sees more than a contender, or solves the return itself: of Offloading and of DMoE."""
HEADER = (
    "| task | best untrained | its return | reference | its return | bound "
    "| open, of the scale | of the bound |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Bracket:
    """Mean returns on a split, from a task's baseline over a reference to the certified bound."""

    task: str
    baseline: str
    baseline_return: float
    reference: str
    reference_return: float
    bound: float

    @property
    def lack(self) -> str:
        """Why there is no scale; empty where there is one."""
        return Scale(self.baseline_return, np.array([self.bound])).lack

    @property
    def open_share(self) -> float:
        """(bound − reference) / (bound − baseline): of the scale, what nobody is known to reach."""
        return (self.bound - self.reference_return) / (self.bound - self.baseline_return)

    @property
    def open_of_bound(self) -> float:
        """(bound − reference) / |bound|."""
        return (self.bound - self.reference_return) / abs(self.bound)

    @property
    def markdown(self) -> str:
        """A row of the table."""
        cells = (
            f"`{self.task}`",
            f"`{self.baseline}`",
            _number(self.baseline_return),
            f"`{self.reference}`",
            _number(self.reference_return),
            _number(self.bound),
            self.lack or f"{100 * self.open_share:.1f} %",
            f"{100 * self.open_of_bound:.2g} %",
        )
        return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def bracket_of(task: Task, split: str = TEST) -> Bracket | None:
    """Return the bracket of a task, None where bounds, baseline or reference are not shipped.

    Raises:
        ValueError: the task has no such split.
    """
    shipped = load(task, task.split(split))
    reference = next((name for name in REFERENCES if name in shipped.rows), None)
    baseline = task.baseline if task.baseline in shipped.rows else None
    if shipped.bounds is None or reference is None or baseline is None:
        return None
    low, high = (float(shipped.rows[name]["return"].mean()) for name in (baseline, reference))
    return Bracket(task.name, baseline, low, reference, high, float(shipped.bounds.mean()))


def brackets(split: str = TEST) -> list[Bracket]:
    """Return the brackets of all tasks that have one."""
    found = (bracket_of(task, split) for task in tasks().values() if split in task.splits)
    return [each for each in found if each is not None]


def as_markdown(found: Sequence[Bracket]) -> str:
    """Write brackets as a table of Markdown."""
    return "\n".join([HEADER, *(each.markdown for each in found)])
