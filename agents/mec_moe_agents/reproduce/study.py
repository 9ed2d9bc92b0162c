"""A question with the rows, the picture and the figures that answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mec_moe_agents.evaluation.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = Mapping[str, object]


@dataclass(frozen=True)
class Headline:
    """One figure that a reader takes away."""

    label: str
    estimate: Estimate
    """In the unit of the label."""
    target: str = ""
    holds: bool | None = None
    """Whether the target is met; None where there is none."""
    decimals: int = 1


@dataclass(frozen=True)
class Answer:
    """What a study leaves behind."""

    rows: Sequence[Row]
    """One per condition and seed (or instance)."""
    figure: Figure
    headlines: Sequence[Headline]


@dataclass(frozen=True)
class Study:
    """A question; its answer is drawn from episodes with these seeds."""

    name: str
    question: str
    run: Callable[[Sequence[int]], Answer]


def at_least(label: str, estimate: Estimate, target: float, decimals: int = 1) -> Headline:
    """Return a headline whose mean should reach a target."""
    return Headline(label, estimate, f"≥ {target:g}", estimate.mean >= target, decimals)


def at_most(label: str, estimate: Estimate, target: float, decimals: int = 1) -> Headline:
    """Return a headline whose mean should not exceed a target."""
    return Headline(label, estimate, f"≤ {target:g}", estimate.mean <= target, decimals)
