"""The picture of a ranking: scores by scenario, their interquartile means, and profiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mec_moe_agents.ranking.aggregate import THRESHOLDS, Aggregate
from mec_moe_agents.ranking.columns import SCORE
from mec_moe_agents.ranking.contest import LEARNED
from mec_moe_agents.ranking.scenarios import DMOE_PREFIX, environment_of
from mec_moe_agents.ranking.standings import Standings
from mec_moe_agents.report.figure import LOOKS, OTHER, Look

COLORS = colormaps["cividis"]  # told apart by colour-blind readers, and in grey
SHADES = Normalize(0.0, 1.0, clip=True)
DARK = 0.55
"""Below this shade text is white."""
ROW_INCHES = 0.34
DPI = 110
LEARNED_LOOK = Look("#AA3377", "-", "*")


def draw_ranking(standings: Sequence[Standings], aggregates: Sequence[Aggregate]) -> Figure:
    """Draw a row of panels for each environment: scores, interquartile means, profiles."""
    environments = list(dict.fromkeys(environment_of(e.contest.config) for e in standings))
    by_environment = [
        [e for e in standings if environment_of(e.contest.config) == name] for name in environments
    ]
    orders = [
        _order(entries, _first(aggregates, name))
        for name, entries in zip(environments, by_environment, strict=True)
    ]
    heights = [len(order) + 4.5 for order in orders]
    figure = Figure(figsize=(14, ROW_INCHES * sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(
        len(environments), 3, squeeze=False, height_ratios=heights, width_ratios=(6, 3, 3.4)
    )
    for row, name in enumerate(environments):
        table, means, profiles = grid[row]
        group = _first(aggregates, name)
        _draw_scores(table, by_environment[row], orders[row])
        table.set_title(f"{name}: normalised score by scenario")
        _draw_means(means, group, orders[row])
        _draw_profiles(profiles, group)
    return figure


def _first(aggregates: Sequence[Aggregate], environment: str) -> Aggregate | None:
    """Return the environment's aggregate over all its scenarios."""
    return next((group for group in aggregates if group.environment == environment), None)


def _order(standings: Sequence[Standings], group: Aggregate | None) -> list[str]:
    """Return the agents from top to bottom: by interquartile mean, then those without one."""
    first = [line.agent for line in group.lines] if group else []
    rest = [line.agent for entry in standings for line in entry.lines]
    return list(dict.fromkeys([*first, *rest]))


def _draw_scores(axes: Axes, standings: Sequence[Standings], order: Sequence[str]) -> None:
    scores = np.full((len(order), len(standings)), np.nan)
    for column, entry in enumerate(standings):
        for line in entry.lines:
            scores[order.index(line.agent), column] = line.score.mean
    axes.imshow(scores, cmap=COLORS, norm=SHADES, aspect="auto")
    for (row, column), score in np.ndenumerate(scores):
        if np.isfinite(score):
            ink = "white" if SHADES(score) < DARK else "black"
            bold = "bold" if score >= np.nanmax(scores[:, column]) else "normal"
            text = SCORE.number(score)
            axes.text(column, row, text, color=ink, ha="center", va="center", weight=bold)
    names = [entry.contest.scenario.removeprefix(DMOE_PREFIX) for entry in standings]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(order)), _labels(standings, order))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _labels(standings: Sequence[Standings], order: Sequence[str]) -> list[str]:
    yardsticks = {line.agent for e in standings for line in e.lines if not line.contender}
    return [f"{agent} (yardstick)" if agent in yardsticks else agent for agent in order]


def _draw_means(axes: Axes, group: Aggregate | None, order: Sequence[str]) -> None:
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_yticks(range(len(order)), [""] * len(order))
    _finish(axes, "Interquartile mean, 95 % interval", "Normalised score")
    for line in group.lines if group else ():
        look, row = _look(line.agent), order.index(line.agent)
        axes.plot(line.iqm.mean, row, look.marker, color=look.color, markersize=8)
        if np.isfinite(line.iqm.low):
            axes.hlines(row, line.iqm.low, line.iqm.high, color=look.color, lw=5, alpha=0.45)
    axes.axvline(1.0, color="black", lw=0.8, ls=":")


def _draw_profiles(axes: Axes, group: Aggregate | None) -> None:
    _finish(axes, "Performance profile", "Normalised score τ")
    axes.set_ylabel("Share of episodes above τ")
    axes.axvline(1.0, color="black", lw=0.8, ls=":")
    for line in group.lines if group else ():
        look = _look(line.agent)
        axes.plot(
            THRESHOLDS,
            line.profile,
            color=look.color,
            ls=look.line,
            marker=look.marker,
            markevery=10,
            label=line.agent,
        )
    if group:
        axes.legend(frameon=False, fontsize=8, loc="lower left", handlelength=3)


def _look(agent: str) -> Look:
    return LEARNED_LOOK if agent == LEARNED else LOOKS.get(agent, OTHER)


def _finish(axes: Axes, title: str, label: str) -> None:
    axes.set(title=title, xlabel=label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
