"""What saved energy costs in any DMoE scenario: schedulers on the plane of both (our extension).

The claim of Qin et al. 2025 is a trade-off, not a point. A real model is judged by its accuracy,
given gates by the thresholds that are violated and by how much relevance is missing; the reward
weighs either into one number, here it is a column. Each family of schedulers is swept over what
it leaves open, in one and the same environment, so that z·γ^(l) of the configuration is what all
are judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.dmoe.learned import has_learned_importance, learned_family
from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.columns import COLUMNS, Column, return_column
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.reproduce import Headline, Row, rows_of
from mec_moe_env import DMoEConfig
from mec_moe_env.core.buffers import Floats

QUESTION = "What does saved energy cost? The front, by rising energy."
GRID = tuple(round(step / 20, 2) for step in range(1, 21))
"""γ0 of JESA and z of H(z, D): 0.05, 0.10, …, 1."""
ENERGY = "energy_per_token_j"
MEASURES: Mapping[str, Column] = {**COLUMNS, "shortfall": Column("Shortfall", 3)}


class Choice(NamedTuple):
    """A scheduler with what its family leaves open."""

    family: str
    value: str
    agent: str
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Point:
    """A scheduler's episodes; two points are never one."""

    choice: Choice
    metrics: Mapping[str, Floats]
    """Each (n,)."""

    def estimate(self, name: str) -> Estimate:
        """Return a measure's mean and interval."""
        return estimate_mean(self.metrics[name])

    def losses(self, merits: Sequence[str]) -> tuple[float, ...]:
        """Return the mean energy and what is lost by the measures of merit: less is better."""
        signs = {"accuracy": -1.0}
        return tuple(
            signs.get(name, 1.0) * float(self.metrics[name].mean()) for name in (ENERGY, *merits)
        )


@dataclass(frozen=True)
class Trade:
    """All schedulers of a scenario on the same seeds."""

    config: DMoEConfig
    seeds: Sequence[int]
    points: Sequence[Point]

    @property
    def merits(self) -> tuple[str, ...]:
        """What a scheduler is judged by beside energy."""
        model = "accuracy" in self.points[0].metrics
        return ("accuracy",) if model else ("violated", "shortfall")

    @property
    def front(self) -> list[Point]:
        """The points that no other equals in all and beats in one respect, by rising energy.

        Of points that are equal in all, the first.
        """
        found: dict[tuple[float, ...], Point] = {}
        for point in self.points:
            found.setdefault(point.losses(self.merits), point)

        def beaten(ours: tuple[float, ...]) -> bool:
            return any(theirs != ours and all(np.less_equal(theirs, ours)) for theirs in found)

        return [found[losses] for losses in sorted(found) if not beaten(losses)]

    @property
    def best(self) -> Point:
        """The point of the highest mean return."""
        return max(self.points, key=lambda point: float(point.metrics["return"].mean()))

    @property
    def rows(self) -> list[Row]:
        """A row for each point and seed."""
        front = self.front
        rows: list[Row] = []
        for point in self.points:
            labels: dict[str, object] = {
                "scheduler": point.choice.family,
                "value": point.choice.value,
                "on_front": point in front,
            }
            columns = {name: point.metrics[name] for name in (ENERGY, *self.merits, "return")}
            rows += rows_of(labels, self.seeds, columns, self.config)
        return rows

    @property
    def columns(self) -> dict[str, Column]:
        """What a table shows of a point."""
        largest = max(abs(float(point.metrics["return"].mean())) for point in self.points)
        measures = {name: MEASURES[name] for name in (ENERGY, *self.merits)}
        return {**measures, "return": return_column(largest)}


def choices(config: DMoEConfig) -> Iterator[Choice]:
    """Yield every scheduler that takes part."""
    yield Choice("no-expert", "", "no-expert", {})
    for experts in range(1, config.max_experts + 1):
        yield Choice("topk", f"k = {experts}", "topk", {"experts": experts})
    if config.importance not in GRID:
        yield Choice("jesa", "as configured", "jesa", {})
    for value in GRID:
        yield Choice("jesa", f"γ0 = {value:g}", "jesa", {"importance": value})
    for value in GRID:
        yield Choice("homogeneous", f"z = {value:g}", "homogeneous", {"qos": value})
    if has_learned_importance(config):
        for schedule in learned_family(config).schedules:
            text = " ".join(f"{each:.3g}" for each in schedule.importance)
            yield Choice("learned", text, "jesa", {"importance": schedule.importance})


def measure(
    config: DMoEConfig,
    seeds: Sequence[int],
    tell: Callable[[str], None] = lambda text: None,
) -> Trade:
    """Run all schedulers of a scenario.

    Args:
        config: the scenario.
        seeds: one episode each.
        tell: called with what is being done.

    Raises:
        ValueError: a seed is one of training's.
    """
    points = []
    for choice in choices(config):
        tell(f"{choice.family} {choice.value}".rstrip())
        found = evaluate(choice.agent, config, seeds, options=choice.options)
        points.append(Point(choice, found.metrics))
    return Trade(config, seeds, points)


def headlines(trade: Trade) -> list[Headline]:
    """State every measure of every point of the front."""
    return [
        Headline(
            f"{point.choice.family} {point.choice.value}".rstrip() + f": {column.heading}",
            point.estimate(name).times(column.scale),
            decimals=column.decimals,
        )
        for point in trade.front
        for name, column in trade.columns.items()
    ]


def draw(trade: Trade, title: str) -> Figure:
    """Draw each family as a line through its points, a panel for each measure of merit."""
    figure, panels = drawing.new_panels(title, len(trade.merits))
    for axes, merit in zip(panels, trade.merits, strict=True):
        for family in dict.fromkeys(point.choice.family for point in trade.points):
            members = [point for point in trade.points if point.choice.family == family]
            _draw_family(axes, family, members, merit)
        corner = "Upper" if merit == "accuracy" else "Lower"
        heading = MEASURES[merit].heading
        drawing.finish(
            axes,
            f"{corner} left is better; 95 % intervals",
            "Energy per token, all layers (mJ)",
            heading,
        )
    return figure


def _draw_family(axes: Axes, family: str, members: Sequence[Point], merit: str) -> None:
    look, scale = drawing.look_of(family), MEASURES[merit].scale
    at = [
        (point.estimate(ENERGY).times(1e3), point.estimate(merit).times(scale)) for point in members
    ]
    at.sort(key=lambda pair: pair[0].mean)
    means = np.array([[x.mean, y.mean] for x, y in at])
    axes.plot(means[:, 0], means[:, 1], color=look.color, ls=look.line, lw=1.2)
    for position, (x, y) in enumerate(at):
        label = family if position == 0 else ""
        drawing.draw_point(axes, x, y, look, elinewidth=0.8, ms=5, label=label)
