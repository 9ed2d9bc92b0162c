"""The picture of a comparison, and that of a ranking."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

from mec_moe_agents.evaluation import drawing, leaderboard
from mec_moe_agents.evaluation.verdict import SCORE
from mec_moe_env.core.buffers import Floats

MARKED_STEPS = 16
"""Curves of so few steps show a marker at each."""
SETTLED_FROM = 0.05
"""Share of a curve's beginning that may leave the axis: errors start with jumps."""
LOGARITHMIC_FROM = 8.0
LEGEND_COLUMNS = 6
SHADES = Normalize(0.0, 1.0, clip=True)
DARK = 0.55
"""Below this shade text is white."""
ROW_INCHES = 0.34
RANKING_DPI = 110


@dataclass(frozen=True)
class Axis:
    """A measure with the words beside it."""

    label: str
    measure: str = ""
    scale: float = 1.0
    fit: str = "data"
    """What the axis covers: the data, the data and zero, or errors (logarithmic if they must)."""


@dataclass(frozen=True)
class View:
    """What a picture shows: a curve over the steps of an episode, and a plane of two measures."""

    curve_title: str
    step: str
    curve: Axis
    plane_title: str
    horizontal: Axis
    vertical: Axis


OFFLOADING = View(
    curve_title="Error over time (mean and 95 % interval)",
    step="Slot",
    curve=Axis("Overall generalization error $G_t$", fit="errors"),
    plane_title="Error against energy (lower left is better)",
    horizontal=Axis("Energy per arriving task (mJ)", "energy_per_arrival_j", 1e3),
    vertical=Axis("Final generalization error $G_T$", "generalization_error", fit="errors"),
)
DMOE = View(
    curve_title="Energy by layer (mean and 95 % interval)",
    step="Layer",
    curve=Axis("Energy of the layer, all tokens (mJ)", scale=1e3, fit="zero"),
    plane_title="Violations against energy (lower left is better)",
    horizontal=Axis("Energy per token, all layers (mJ)", "energy_per_token_j", 1e3),
    vertical=Axis("Token layers below the threshold (%)", "violated", 1e2, fit="zero"),
)
DMOE_MODEL = dataclasses.replace(
    DMOE,
    plane_title="Accuracy against energy (upper left is better)",
    vertical=Axis("Accuracy on held-out digits (%)", "accuracy", 1e2),
)


def view_of(measures: Collection[str]) -> View:
    """Return the view for episodes that have these measures."""
    if "energy_per_token_j" not in measures:
        return OFFLOADING
    return DMOE_MODEL if "accuracy" in measures else DMOE


def draw_comparison(board: leaderboard.Leaderboard, title: str) -> Figure:
    """Draw a curve and a plane with one legend in the order of the leaderboard."""
    figure = drawing.new_figure(title, (11, 5.2))
    over_time, plane = figure.subplots(1, 2)
    view = view_of(board.best.metrics)
    _draw_curves(over_time, board, view)
    _draw_plane(plane, board, view)
    looks = [drawing.look_of(line.agent) for line in board.lines]
    handles = [Line2D([], [], markersize=7, mec=look.edge, **look.style) for look in looks]
    drawing.legend_below(figure, handles, [_label(line) for line in board.lines], LEGEND_COLUMNS)
    return figure


def _label(line: leaderboard.Line) -> str:
    return line.agent if line.contender else f"{line.agent} (yardstick)"


def _draw_curves(axes: Axes, board: leaderboard.Leaderboard, view: View) -> None:
    means = np.array([line.episodes.curve.mean(axis=0) for line in board.lines])
    steps = means.shape[1]
    marked = steps <= MARKED_STEPS
    for line in reversed(board.lines):  # the best on top
        look = drawing.look_of(line.agent)
        curve = view.curve.scale * line.episodes.curve
        drawing.draw_curves(axes, curve, look if marked else look._replace(marker=""))
    _fit(axes, view.curve, means[:, int(SETTLED_FROM * steps) :])
    if marked:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(0.5, steps + 0.5)
    else:
        axes.set_xlim(0, steps)
    drawing.finish(axes, view.curve_title, view.step, view.curve.label, legend=None)


def _draw_plane(axes: Axes, board: leaderboard.Leaderboard, view: View) -> None:
    for line in reversed(board.lines):
        look, sides = drawing.look_of(line.agent), (view.horizontal, view.vertical)
        x, y = (line.metrics[axis.measure].times(axis.scale) for axis in sides)
        drawing.draw_point(
            axes, x, y, look, markersize=8, markeredgecolor=look.edge, elinewidth=1.4
        )
    values = [line.metrics[view.vertical.measure].mean for line in board.lines]
    _fit(axes, view.vertical, np.array(values))
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    drawing.finish(axes, view.plane_title, view.horizontal.label, view.vertical.label, legend=None)


def _fit(axes: Axes, axis: Axis, values: Floats) -> None:
    if axis.fit == "zero":
        axes.set_ylim(bottom=0.0)
    elif axis.fit == "errors":
        low, high = axis.scale * float(values.min()), axis.scale * float(values.max())
        if low > 0 and high / low > LOGARITHMIC_FROM:
            axes.set_yscale("log")
            axes.set_ylim(low / 1.5, high * 1.5)
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.set_ylim(min(0.0, 1.1 * low), 1.1 * high if high > 0 else 1.0)


def draw_ranking(
    standings: Sequence[leaderboard.Standings], aggregates: Sequence[leaderboard.Aggregate]
) -> Figure:
    """Draw a row of panels for each environment: scores, interquartile means, profiles."""
    groups: dict[str, list[leaderboard.Standings]] = defaultdict(list)
    for entry in standings:
        groups[entry.scenario.traits.title].append(entry)
    # The first aggregate of an environment is the one over all its scenarios.
    over_all = {group.environment: group.lines for group in reversed(aggregates)}
    orders = {name: _order(entries, over_all.get(name, ())) for name, entries in groups.items()}
    heights = [len(order) + 4.5 for order in orders.values()]
    figure = drawing.new_figure("", (14, ROW_INCHES * sum(heights)))
    grid = figure.subplots(
        len(groups), 3, squeeze=False, height_ratios=heights, width_ratios=(6, 3, 3.4)
    )
    for (table, means, profiles), (name, entries) in zip(grid, groups.items(), strict=True):
        _draw_scores(table, entries, orders[name])
        table.set_title(f"{name}: normalised score by scenario")
        _draw_means(means, over_all.get(name, ()), orders[name])
        _draw_profiles(profiles, over_all.get(name, ()))
    return figure


def _order(
    standings: Sequence[leaderboard.Standings], lines: Sequence[leaderboard.AggregateLine]
) -> list[str]:
    """Return the agents from top to bottom: by interquartile mean, then those without one."""
    rest = (line.agent for entry in standings for line in entry.lines)
    return list(dict.fromkeys([*(line.agent for line in lines), *rest]))


def _draw_scores(
    axes: Axes, standings: Sequence[leaderboard.Standings], order: Sequence[str]
) -> None:
    scores = np.full((len(order), len(standings)), np.nan)
    labels = {}
    for column, entry in enumerate(standings):
        for line in entry.lines:
            scores[order.index(line.agent), column] = line.score.mean
            labels[line.agent] = _label(line)
    # Told apart by colour-blind readers, and in grey.
    axes.imshow(scores, cmap=colormaps["cividis"], norm=SHADES, aspect="auto")
    for (row, column), score in np.ndenumerate(scores):
        if np.isfinite(score):
            ink = "white" if SHADES(score) < DARK else "black"
            bold = "bold" if score >= np.nanmax(scores[:, column]) else "normal"
            text = SCORE.number(score)
            axes.text(column, row, text, color=ink, ha="center", va="center", weight=bold)
    names = [entry.scenario.name.rpartition("/")[2] for entry in standings]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(order)), [labels[agent] for agent in order])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_means(
    axes: Axes, lines: Sequence[leaderboard.AggregateLine], order: Sequence[str]
) -> None:
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_yticks(range(len(order)), [""] * len(order))
    drawing.finish(axes, "Interquartile mean, 95 % interval", "Normalised score", legend=None)
    for line in lines:
        look, row = drawing.look_of(line.agent), order.index(line.agent)
        axes.plot(line.iqm.mean, row, look.marker, color=look.color, markersize=8)
        if np.isfinite(line.iqm.low):
            axes.hlines(row, line.iqm.low, line.iqm.high, color=look.color, lw=5, alpha=0.45)
    axes.axvline(1.0, color="black", lw=0.8, ls=":")


def _draw_profiles(axes: Axes, lines: Sequence[leaderboard.AggregateLine]) -> None:
    axes.axvline(1.0, color="black", lw=0.8, ls=":")
    for line in lines:
        style = drawing.look_of(line.agent).style
        axes.plot(leaderboard.THRESHOLDS, line.profile, markevery=10, label=line.agent, **style)
    title, ylabel = "Performance profile", "Share of episodes above τ"
    drawing.finish(axes, title, "Normalised score τ", ylabel, legend=None)
    if lines:
        axes.legend(frameon=False, fontsize=8, loc="lower left", handlelength=3)
