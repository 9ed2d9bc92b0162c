"""What the pictures of all studies share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mec_moe_agents.evaluation.statistics import curve_band
from mec_moe_agents.report.figure import LOOKS, OTHER, Look

Floats = NDArray[np.float64]
BOUND = Look("#000000", (0, (1, 1)), "")
"""How a bound or a formula is drawn."""


def new_figure(title: str, panels: int = 2) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure with panels side by side."""
    figure = Figure(figsize=(5.6 * panels, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    return figure, list(np.atleast_1d(figure.subplots(1, panels)))


def look_of(agent: str) -> Look:
    """Return how an agent is drawn."""
    return LOOKS.get(agent, OTHER)


def draw_band(axes: Axes, x: Sequence[float], values: Floats, look: Look, label: str) -> None:
    """Draw the mean over the first axis of `values` (n, len(x)) with its 95 % interval."""
    style: dict[str, Any] = {"color": look.color, "ls": look.line, "marker": look.marker}
    axes.plot(x, values.mean(axis=0), label=label, lw=1.8, markersize=6, **style)
    if len(values) > 1:
        axes.fill_between(x, *curve_band(values), color=look.color, alpha=0.18, lw=0)


def finish(axes: Axes, title: str, xlabel: str, ylabel: str, *, legend: bool = True) -> None:
    """Label a panel and take away what distracts."""
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if legend:
        axes.legend(frameon=False)
