"""The picture of a comparison: a curve over the episode, and a plane of two measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.typing import LineStyleType

from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.statistics import curve_band
from mec_moe_agents.evaluation.summary import Standing, Summary
from mec_moe_agents.report.view import Axis, View, view_of
from mec_moe_env.files import replacing

POINTS = 400
MARKED_STEPS = 16
"""Curves of so few steps show a marker at each."""
LOGARITHMIC_FROM = 8.0
LEGEND_COLUMNS = 6
DPI = 160


class Look(NamedTuple):
    """How an agent is drawn, the same in every picture."""

    color: str
    line: LineStyleType
    marker: str


# Okabe and Ito's palette, told apart by colour-blind readers; lines and markers differ too.
LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "random": Look("#8C8C8C", ":", "v"),
        "nearest": Look("#E69F00", "--", "s"),
        "most-powerful": Look("#D55E00", "-.", "^"),
        "reject-all": Look("#5B5B5B", (0, (1, 3)), "x"),
        "gating": Look("#CC79A7", "-", "D"),
        "profile": Look("#009E73", "-", "P"),
        "guard": Look("#0072B2", "-", "o"),
        "topk": Look("#56B4E9", "--", "p"),
        "des": Look("#882255", "--", "<"),
        "jesa": Look("#332288", "-", ">"),
        "oracle": Look("#000000", "--", "h"),
        "homogeneous": Look("#E69F00", "--", "s"),
        "jesa-plus": Look("#009E73", ":", "P"),
        "exact": Look("#000000", "--", "h"),
    }
)
OTHER = Look("#AA4499", "-.", "d")


def draw_comparison(results: Mapping[str, Episodes], summary: Summary, title: str) -> Figure:
    """Draw both panels with one legend in the order of the ranking."""
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    over_time, plane = figure.subplots(1, 2)
    view = view_of(summary.best.metrics)
    for standing in reversed(summary.standings):  # the best on top
        look = LOOKS.get(standing.agent, OTHER)
        _draw_curve(over_time, results[standing.agent], look, view)
        _draw_point(plane, standing, look, view)
    _finish_curves(over_time, results, view)
    _finish_plane(plane, summary, view)
    handles = [_legend_entry(standing) for standing in summary.standings]
    rows = -(-len(handles) // LEGEND_COLUMNS)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=-(-len(handles) // rows),
        frameon=False,
        handlelength=3.2,
    )
    figure.suptitle(title)
    return figure


def save_figure(figure: Figure, path: Path, dpi: int = DPI) -> None:
    """Write a PNG, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi)


def _draw_curve(axes: Axes, episodes: Episodes, look: Look, view: View) -> None:
    horizon = episodes.curve.shape[1]
    slots = np.unique(np.linspace(0, horizon - 1, POINTS).astype(np.int64))
    curves = view.curve.scale * episodes.curve[:, slots]
    marker = look.marker if horizon <= MARKED_STEPS else ""
    axes.plot(slots + 1, curves.mean(axis=0), color=look.color, ls=look.line, lw=1.8, marker=marker)
    if curves.shape[0] > 1:
        axes.fill_between(slots + 1, *curve_band(curves), color=look.color, alpha=0.18, lw=0)


def _draw_point(axes: Axes, standing: Standing, look: Look, view: View) -> None:
    x = view.horizontal.scale * np.array(standing.metrics[view.horizontal.measure])
    y = view.vertical.scale * np.array(standing.metrics[view.vertical.measure])
    axes.errorbar(
        x[0],
        y[0],
        xerr=_arms(x),
        yerr=_arms(y),
        color=look.color,
        marker=look.marker,
        linestyle="none",
        markersize=8,
        markeredgecolor=_edge(look),
        elinewidth=1.4,
    )


def _legend_entry(standing: Standing) -> Line2D:
    look = LOOKS.get(standing.agent, OTHER)
    return Line2D(
        [],
        [],
        color=look.color,
        linestyle=look.line,
        marker=look.marker,
        markersize=7,
        markeredgecolor=_edge(look),
        label=standing.agent if standing.contender else f"{standing.agent} (yardstick)",
    )


def _edge(look: Look) -> str:
    return look.color if look.marker == "x" else "white"


def _arms(estimate: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[list[float]] | None:
    mean, low, high = estimate.tolist()
    # A mean on the edge of its interval may lie outside by rounding.
    return None if np.isnan(low) else [[max(mean - low, 0.0)], [max(high - mean, 0.0)]]


def _finish_curves(axes: Axes, results: Mapping[str, Episodes], view: View) -> None:
    means = np.array([episodes.curve.mean(axis=0) for episodes in results.values()])
    steps = means.shape[1]
    _fit(axes, view.curve, means[:, int(view.settled_from * steps) :])
    if steps <= MARKED_STEPS:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(0.5, steps + 0.5)
    else:
        axes.set_xlim(0, steps)
    axes.set(title=view.curve_title, xlabel=view.step, ylabel=view.curve.label)
    _unclutter(axes)


def _finish_plane(axes: Axes, summary: Summary, view: View) -> None:
    values = [standing.metrics[view.vertical.measure].mean for standing in summary.standings]
    _fit(axes, view.vertical, np.array(values))
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    axes.set(title=view.plane_title, xlabel=view.horizontal.label, ylabel=view.vertical.label)
    _unclutter(axes)


def _unclutter(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _fit(axes: Axes, axis: Axis, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    if axis.fit == "errors":
        _scale(axes, axis.scale * values)
    elif axis.fit == "zero":
        axes.set_ylim(bottom=0.0)


def _scale(axes: Axes, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    """Show values that differ by far on a logarithmic axis."""
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > LOGARITHMIC_FROM:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.5, high * 1.5)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(min(0.0, 1.1 * low), 1.1 * high if high > 0 else 1.0)
