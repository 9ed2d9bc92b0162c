"""The picture of a comparison: over time, error or accuracy against energy, and returns."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

from mec_moe_agents.evaluation import drawing, leaderboard
from mec_moe_agents.evaluation.bounds import BOUND
from mec_moe_agents.evaluation.columns import COLUMNS, ENERGY_OF_A_TASK
from mec_moe_agents.evaluation.line import Line
from mec_moe_env.core.buffers import Floats

MARKED_STEPS = 16
"""Curves of so few steps show a marker at each."""
SETTLED_FROM = 0.05
"""Share of a curve's beginning that may leave the axis: errors start with jumps."""
LOGARITHMIC_FROM = 8.0
MARGIN = 0.03
"""Share of an axis below zero."""
LEGEND_COLUMNS = 7
NOTE_CHARACTERS = 44
"""That fit under a panel."""

Looks = Mapping[str, drawing.Look]
"""By agent."""


@dataclass(frozen=True)
class Axis:
    """A measure with the words beside it."""

    label: str
    measure: str
    """One of `COLUMNS`; a curve may have another one of the same unit."""
    fit: str = "data"
    """What the axis covers: the data, the data and zero, or errors (logarithmic if they must)."""

    @property
    def scale(self) -> float:
        """From the stored unit to the one that is shown, the same as in a table."""
        return COLUMNS[self.measure].scale


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
    curve=Axis("Overall generalization error $G_t$", "generalization_error", fit="errors"),
    plane_title="Error against energy (lower left is better)",
    horizontal=Axis("Energy per arriving task (mJ)", ENERGY_OF_A_TASK),
    vertical=Axis("Final generalization error $G_T$", "generalization_error", fit="errors"),
)
DMOE = View(
    curve_title="Energy by layer (mean and 95 % interval)",
    step="Layer",
    curve=Axis("Energy of the layer, all tokens (mJ)", "energy_per_token_j", fit="zero"),
    plane_title="Violations against energy (lower left is better)",
    horizontal=Axis("Energy per token, all layers (mJ)", "energy_per_token_j"),
    vertical=Axis("Token layers below the threshold (%)", "violated", fit="zero"),
)
DMOE_MODEL = dataclasses.replace(
    DMOE,
    plane_title="Accuracy against energy (upper left is better)",
    vertical=Axis("Accuracy on held-out digits (%)", "accuracy"),
)


def view_of(measures: Collection[str]) -> View:
    """Return the view for episodes that have these measures."""
    if "energy_per_token_j" not in measures:
        return OFFLOADING
    return DMOE_MODEL if "accuracy" in measures else DMOE


def draw_comparison(board: leaderboard.Leaderboard, title: str) -> Figure:
    """Draw a curve, a plane and the returns with one legend in the order of the leaderboard."""
    figure = drawing.new_figure(title, (15, 5.2))
    over_time, plane, returns = figure.subplots(1, 3, width_ratios=(5, 5, 4))
    view = view_of(board.best.metrics)
    looks = drawing.looks_of([line.agent for line in board.lines])
    _draw_curves(over_time, board, view, looks)
    _draw_plane(plane, board, view, looks)
    _draw_returns(returns, board, looks)
    labels = [_label(line) for line in board.lines]
    handles = [Line2D([], [], markersize=7, mec=look.edge, **look.style) for look in looks.values()]
    if board.bound is not None:
        handles.append(Line2D([], [], **drawing.BOUND.style))
        labels.append(BOUND)
    drawing.legend_below(figure, handles, labels, LEGEND_COLUMNS)
    return figure


def _label(line: Line) -> str:
    return line.agent if line.contender else f"{line.agent} (reference)"


def _draw_curves(axes: Axes, board: leaderboard.Leaderboard, view: View, looks: Looks) -> None:
    means = np.array([line.episodes.curve.mean(axis=0) for line in board.lines])
    steps = means.shape[1]
    marked = steps <= MARKED_STEPS
    for line in reversed(board.lines):  # the best on top
        look = looks[line.agent]
        curve = view.curve.scale * line.episodes.curve
        drawing.draw_curves(axes, curve, look if marked else look._replace(marker=""))
    _fit(axes, view.curve, means[:, int(SETTLED_FROM * steps) :])
    if marked:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(0.5, steps + 0.5)
    else:
        axes.set_xlim(0, steps)
    drawing.finish(axes, view.curve_title, view.step, view.curve.label, legend=None)


def _draw_plane(axes: Axes, board: leaderboard.Leaderboard, view: View, looks: Looks) -> None:
    for line in reversed(board.lines):
        look, sides = looks[line.agent], (view.horizontal, view.vertical)
        x, y = (line.metrics[axis.measure].times(axis.scale) for axis in sides)
        drawing.draw_point(
            axes, x, y, look, markersize=8, markeredgecolor=look.edge, elinewidth=1.4
        )
    values = [line.metrics[view.vertical.measure].mean for line in board.lines]
    _fit(axes, view.vertical, np.array(values))
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    drawing.finish(axes, view.plane_title, view.horizontal.label, view.vertical.label, legend=None)


def _draw_returns(axes: Axes, board: leaderboard.Leaderboard, looks: Looks) -> None:
    """Draw mean returns from the best to the worst, and the bound as a line to their right."""
    for row, line in enumerate(board.lines):
        look = looks[line.agent]
        drawing.draw_interval(axes, line.mean_return, row, look)
    means = [line.mean_return.mean for line in board.shown]
    ends = [end for line in board.shown for end in line.mean_return if np.isfinite(end)]
    if board.bound is not None:
        axes.axvline(board.bound.mean_return.mean, color=drawing.BOUND.color, ls=drawing.BOUND.line)
    if max(ends) < 0 and min(means) / max(means) > LOGARITHMIC_FROM:
        drawing.scale_by_size(axes, ends)
    axes.set_yticks(range(len(board.lines)), [line.agent for line in board.lines])
    axes.set_ylim(len(board.lines) - 0.5, -0.5)
    title = "Return (mean and 95 % interval)"
    why = textwrap.fill(board.scale.why_none(board.baseline), NOTE_CHARACTERS)
    notes = ["Return (further right is better)", why]
    drawing.finish(axes, title, "\n".join(filter(None, notes)), legend=None)


def _fit(axes: Axes, axis: Axis, values: Floats) -> None:
    if axis.fit == "zero":
        # A little below, so that markers at zero are whole.
        axes.set_ylim(bottom=-MARGIN * axes.get_ylim()[1])
    elif axis.fit == "errors":
        low, high = axis.scale * float(values.min()), axis.scale * float(values.max())
        if low > 0 and high / low > LOGARITHMIC_FROM:
            axes.set_yscale("log")
            axes.set_ylim(low / 1.5, high * 1.5)
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            top = 1.1 * high if high > 0 else 1.0
            axes.set_ylim(min(-MARGIN * top, 1.1 * low), top)
