"""The picture of the transfer study: what each scheduler costs, as a share of `guard`'s cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.ranking.figure import LEARNED_LOOK
from mec_moe_agents.report.figure import Look
from mec_moe_agents.reproduce.drawing import finish, look_of
from mec_moe_agents.reproduce.offloading import ratio
from mec_moe_agents.reproduce.transfer_conditions import (
    AGENTS,
    BASE,
    LEARNED,
    PRESET,
    SWEEPS,
    Found,
    Sweep,
    returns,
)

SHARES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0)
NAMES = {LEARNED: f"learned on {PRESET}", "oracle": "oracle (yardstick)"}
APART = 0.07
"""Between the agents of one condition, so that their intervals do not hide each other."""


def draw(found: Found) -> Figure:
    """Draw a panel for each sweep, with one axis and one legend for all."""
    figure = Figure(figsize=(9, 6.8), layout="constrained")
    FigureCanvasAgg(figure)
    seeds = next(iter(found.values()))[LEARNED].seeds.size
    figure.suptitle(
        f"Trained on {PRESET}, tested elsewhere: cost (minus the return) as a share of guard's\n"
        f"{seeds} held-out seeds, mean and 95 % interval; lower is better; "
        "in brackets: guard's return"
    )
    grid = figure.subplots(2, 2, sharey=True)
    for axes, sweep in zip(grid.flat, SWEEPS, strict=True):
        _draw_sweep(axes, found, sweep)
    for axes in grid[:, 1]:
        axes.set_ylabel("")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="outside lower center",
        ncols=len(AGENTS),
        frameon=False,
        handlelength=3.2,
    )
    return figure


def _draw_sweep(axes: Axes, found: Found, sweep: Sweep) -> None:
    trained = sweep.values.index(getattr(BASE, sweep.field))
    axes.axvspan(trained - 0.4, trained + 0.4, color="#EEEEEE", lw=0, zorder=0)
    axes.text(trained, 0.98, "trained", ha="center", va="top", transform=axes.get_xaxis_transform())
    for position, agent in enumerate(reversed(AGENTS)):
        shares = [
            ratio(returns(found, name, agent), returns(found, name, "guard"))
            for name in map(sweep.name, sweep.values)
        ]
        _draw_agent(axes, agent, shares, APART * (position - (len(AGENTS) - 1) / 2))
    axes.set_yscale("log")
    axes.set_ylim(bottom=min(0.45, axes.get_ylim()[0]))
    axes.yaxis.set_major_locator(FixedLocator(SHARES))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes.set_xticks(range(len(sweep.values)), [_tick(found, sweep, v) for v in sweep.values])
    axes.set_xlim(-0.5, len(sweep.values) - 0.5)
    finish(axes, sweep.title, sweep.axis, "Cost, share of guard's", legend=False)


def _draw_agent(axes: Axes, agent: str, shares: list[Estimate], shift: float) -> None:
    look = LEARNED_LOOK if agent == LEARNED else look_of(agent)
    axes.errorbar(
        np.arange(len(shares)) + shift,
        [share.mean for share in shares],
        yerr=_arms(shares),
        **_style(look),
        lw=2.4 if agent == LEARNED else 1.4,
        markersize=10 if agent == LEARNED else 6,
        elinewidth=1.4,
        capsize=2.5,
        label=NAMES.get(agent, agent),
    )


def _style(look: Look) -> dict[str, Any]:
    return {
        "color": look.color,
        "ls": look.line,
        "marker": look.marker,
        "markeredgecolor": "white",
        "markeredgewidth": 0.5,
    }


def _arms(shares: list[Estimate]) -> list[list[float]]:
    """Return what to draw below and above; NaN, drawn as nothing, for a single seed."""
    return [
        [max(share.mean - share.low, 0.0) for share in shares],
        [max(share.high - share.mean, 0.0) for share in shares],
    ]


def _tick(found: Found, sweep: Sweep, value: float) -> str:
    """Name a value, and what `guard` gets there."""
    mean = returns(found, sweep.name(value), "guard").mean()
    name = "∞" if np.isinf(value) else f"{value:g}"
    return f"{name}\n({mean:.0f})".replace("-", "−")
