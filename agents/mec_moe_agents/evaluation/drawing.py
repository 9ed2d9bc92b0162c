"""What all pictures share: axes, intervals, legends, saving."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from mec_moe_agents.evaluation.looks import BOUND as BOUND
from mec_moe_agents.evaluation.looks import LOOKS as LOOKS
from mec_moe_agents.evaluation.looks import Look as Look
from mec_moe_agents.evaluation.looks import look_of as look_of
from mec_moe_agents.evaluation.looks import looks_of as looks_of
from mec_moe_agents.evaluation.statistics import Estimate, curve_band
from mec_moe_env.core.buffers import Floats
from mec_moe_env.files import replacing

DPI = 160
DATELESS: Mapping[str, Mapping[str, None]] = MappingProxyType(
    {"svg": MappingProxyType({"Date": None}), "pdf": MappingProxyType({"CreationDate": None})}
)
"""Drawings for papers, and what is left out of them."""
TITLE_CHARACTERS = 10.0
"""That fit an inch of a figure's width."""


def new_figure(title: str, size: tuple[float, float]) -> Figure:
    """Return an empty figure of this size in inches, which needs no display.

    Lines of the title that are too long for it are broken; its own breaks stay.
    """
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    if title:  # an empty one would take room, too
        most = int(TITLE_CHARACTERS * size[0])
        figure.suptitle("\n".join(textwrap.fill(line, most) for line in title.splitlines()))
    return figure


def new_panels(title: str, panels: int = 2) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure with panels side by side."""
    figure = new_figure(title, (5.6 * panels, 4.6))
    return figure, list(np.atleast_1d(figure.subplots(1, panels)))


def draw_band(axes: Axes, x: ArrayLike, values: Floats, look: Look, label: str = "") -> None:
    """Draw the mean over the first axis of `values` (n, len(x)) with its 95 % interval."""
    axes.plot(x, values.mean(axis=0), label=label, lw=1.8, markersize=6, **look.style)
    if len(values) > 1:
        axes.fill_between(x, *curve_band(values), color=look.color, alpha=0.18, lw=0)


def draw_curves(
    axes: Axes, curves: Floats, look: Look, label: str = "", most_points: int = 400
) -> None:
    """Draw curves (n, T) over the steps 1..T as a band, with fewer points where T is large."""
    steps = curves.shape[1]
    shown = np.unique(np.linspace(0, steps - 1, most_points).astype(np.int64))
    draw_band(axes, shown + 1, curves[:, shown], look, label)


def draw_point(axes: Axes, x: Estimate, y: Estimate, look: Look, **style: Any) -> None:
    """Draw two means as a point with their intervals."""
    style = {**look.style, "ls": "none", **style}
    axes.errorbar(x.mean, y.mean, xerr=_arms([x]), yerr=_arms([y]), **style)


def draw_interval(axes: Axes, x: Estimate, row: float, look: Look) -> None:
    """Draw a mean and its interval as a bar at the height `row`."""
    axes.plot(x.mean, row, look.marker, color=look.color, markersize=8)
    if np.isfinite(x.low):
        axes.hlines(row, x.low, x.high, color=look.color, lw=5, alpha=0.45)


def draw_intervals(
    axes: Axes, x: ArrayLike, estimates: Sequence[Estimate], look: Look, **style: Any
) -> None:
    """Draw means at positions x as a line with their intervals."""
    means = [estimate.mean for estimate in estimates]
    axes.errorbar(x, means, yerr=_arms(estimates), **look.style, **style)


def _arms(estimates: Sequence[Estimate]) -> Floats | None:
    """Return what to draw on both sides of means, (2, n); None for a single seed."""
    means, lows, highs = np.transpose(estimates)
    # A mean on the edge of its interval may lie outside by rounding.
    return None if np.isnan(lows).any() else np.maximum([means - lows, highs - means], 0.0)


def finish(
    axes: Axes,
    title: str,
    xlabel: str,
    ylabel: str = "",
    legend: Literal["best", "lower right"] | None = "best",
) -> None:
    """Label a panel, take away what distracts, and put the legend somewhere unless it has none."""
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if legend is not None:
        axes.legend(frameon=False, loc=legend)


def double_along_x(axes: Axes) -> None:
    """Let each tick of the x axis be twice the one before, in plain numbers."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:.0f}")


def scale_by_size(axes: Axes, values: Sequence[float]) -> None:
    """Show negative values on a logarithmic axis, the smallest in size on the right."""
    smallest, largest = -max(values), -min(values)
    axes.set_xscale("symlog", linthresh=smallest / 2, linscale=0.1)
    axes.set_xlim(-1.25 * largest, -smallest / 1.25)
    exponents = np.arange(math.floor(math.log10(smallest)), math.ceil(math.log10(largest)) + 1)
    ticks = np.outer(10.0**exponents, (1, 2, 5)).ravel()
    axes.set_xticks(-ticks[(ticks >= smallest / 1.25) & (ticks <= 1.25 * largest)])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))


def legend_below(
    figure: Figure, handles: Sequence[Any], labels: Sequence[str], most_columns: int
) -> None:
    """Put one legend for all panels beneath them, in rows of nearly the same length."""
    rows = math.ceil(len(handles) / most_columns)
    columns = math.ceil(len(handles) / rows)
    style: dict[str, Any] = {"ncols": columns, "frameon": False, "handlelength": 3.2}
    figure.legend(handles, labels, loc="outside lower center", **style)


def save_drawings(figure: Figure, path: Path, dpi: int = DPI) -> None:
    """Write a PNG, and beside it the same for papers, as SVG and PDF; each whole or not at all.

    Equal figures give equal files: no date is in them.
    """
    save_figure(figure, path, dpi)
    # Type 3 fonts, Matplotlib's default, are refused by many publishers.
    with rc_context({"pdf.fonttype": 42, "svg.hashsalt": path.stem}):
        for kind, metadata in DATELESS.items():
            with replacing(path.with_suffix(f".{kind}")) as temporary:
                figure.savefig(temporary, format=kind, metadata=dict(metadata))


def save_figure(figure: Figure, path: Path, dpi: int = DPI) -> None:
    """Write a PNG, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi)
