"""The picture of a weight sweep: mean vectors, the front among them, and the hypervolumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.reproduce.fronts import ALL, EXACT, Reached, Trades, by_volume, share

COSTS: Mapping[str, str] = {
    "reward_error": "Error of an episode",
    "reward_energy": "Energy of an episode (J)",
    "reward_delay": "Delay of an episode (slots)",
}
"""What a term is with the opposite sign."""
OUTLINE = "#000000"
MOST_COLUMNS = 6
MARGIN = 1.06


def draw(trades: Trades, title: str) -> Figure:
    """Draw the error against each other term, and the hypervolumes beside that."""
    others = range(1, len(trades.terms))
    figure, panels = drawing.new_panels(title, len(others) + 1)
    looks = drawing.looks_of([each.agent for each in trades.reached])
    for axes, term in zip(panels, others, strict=False):
        for each in trades.reached:
            _draw_reached(axes, trades, each, term, looks[each.agent])
        _draw_exact(axes, trades, term)
        _frame(axes, trades, term)
    _draw_volumes(panels[-1], trades, looks)
    handles, labels = panels[0].get_legend_handles_labels()
    drawing.legend_below(figure, handles, labels, MOST_COLUMNS)
    return figure


def _draw_reached(
    axes: Axes, trades: Trades, reached: Reached, term: int, look: drawing.Look
) -> None:
    """Draw a scheduler's mean vectors, those on the front larger and with a black outline."""
    means = -reached.means
    label = reached.agent if reached.contender else f"{reached.agent} (reference)"
    style: dict[str, Any] = {"color": look.color, "marker": look.marker, "ls": "none"}
    axes.plot(means[:, term], means[:, 0], label=label, ms=5, alpha=0.6, mew=0.8, **style)
    if reached.contender:
        best = means[[trades.on_front(point) for point in reached.means]]
        edge = look.color if look.edge == look.color else OUTLINE
        axes.plot(best[:, term], best[:, 0], ms=8, mec=edge, mew=1.0, zorder=3, **style)


def _draw_exact(axes: Axes, trades: Trades, term: int) -> None:
    if trades.exact is not None:
        points = -trades.exact[np.argsort(trades.exact[:, term])]
        look: dict[str, Any] = {"color": OUTLINE, "marker": "o", "mfc": "none", "ls": "none"}
        axes.plot(points[:, term], points[:, 0], label=EXACT, zorder=0, ms=12, **look)


def _frame(axes: Axes, trades: Trades, term: int) -> None:
    """Mark the reference; what lies outside of it dominates nothing."""
    right, top = -trades.reference[[term, 0]]
    axes.plot([0, right, right], [top, top, 0], color="#808080", ls="--", lw=1, label="reference")
    reached = max((-each.means[:, term]).max() for each in trades.reached)
    shown = min(reached, right) or right
    axes.set_xlim(-0.03 * shown, MARGIN * shown)
    axes.set_ylim(0 - 0.03 * top, MARGIN * top)
    title = "Lower left is better; large: on the front of all terms"
    across, up = (COSTS.get(name, name) for name in (trades.terms[term], trades.terms[0]))
    drawing.finish(axes, title, across, up, legend=None)


def _draw_volumes(axes: Axes, trades: Trades, looks: Mapping[str, drawing.Look]) -> None:
    names = by_volume(trades)[::-1]
    for place, name in enumerate(names):
        look = drawing.BOUND._replace(marker="D") if name == ALL else looks[name]
        drawing.draw_interval(axes, trades.volume(name), place, look)
    axes.set_yticks(range(len(names)), names)
    if trades.exact is not None:
        axes.axvline(float(share(trades.exact, trades.reference)), color=OUTLINE, ls=":", lw=1)
    axes.set_xlim(-0.02, 1.02)
    at = ", ".join(f"{value:.5g}".replace("-", "−") for value in trades.reference)
    drawing.finish(
        axes, f"Hypervolume, reference ({at})", "Share of the box, 95 % interval", legend=None
    )
