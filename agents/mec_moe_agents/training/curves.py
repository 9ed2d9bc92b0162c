"""The learning curve beside the baselines, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from mec_moe_agents.evaluation.drawing import finish, legend_below, look_of, new_figure
from mec_moe_agents.training.plan import Plan
from mec_moe_agents.training.run_folder import Progress

SETTLED_FROM = 0.15
"""The first part of the curve may leave the picture: untrained policies are far below."""
MARGIN = 0.08
LEGEND_COLUMNS = 5


def draw_curves(plan: Plan, progress: Progress, references: Mapping[str, float]) -> Figure:
    """Draw mean return against steps, and that of baselines on the same seeds as horizontal lines.

    The run has one evaluation at least.
    """
    title = f"{plan.algo}, {plan.policy} policy, {plan.scenario}, seed {plan.seed}"
    figure = new_figure(title, (11, 4.8))
    whole, near = figure.subplots(1, 2)
    for axes in (whole, near):
        _draw_references(axes, references)
        _draw_learner(axes, plan, progress)
        axes.set_xlim(0, (1 + MARGIN / 2) * max(progress.steps, 1))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    _show(whole, _settled(progress), references)
    _show(near, [progress.best.low, progress.best.high], references)
    steps = f"Training ({'steps' if plan.policy == 'mlp' else 'decisions'})"
    returns = f"Mean return, {plan.validation_episodes} held-out episodes"
    finish(whole, "The run", steps, returns, legend=None)
    finish(near, "Near the baselines", steps, legend=None)
    handles, labels = whole.get_legend_handles_labels()
    legend_below(figure, handles[::-1], labels[::-1], LEGEND_COLUMNS)
    return figure


def _draw_references(axes: Axes, references: Mapping[str, float]) -> None:
    for name, value in sorted(references.items(), key=lambda pair: pair[1]):
        look = look_of(name)
        axes.axhline(value, color=look.color, ls=look.line, lw=1.5, label=f"{name} {value:.4g}")


def _draw_learner(axes: Axes, plan: Plan, progress: Progress) -> None:
    points = progress.evaluations
    steps = [point.steps for point in points]
    lows, highs = [point.low for point in points], [point.high for point in points]
    means = [point.mean_return for point in points]
    best = progress.best
    axes.plot(steps, means, color="#D55E00", lw=2, marker=".", label=f"{plan.algo}, 95 % interval")
    axes.fill_between(steps, lows, highs, color="#D55E00", alpha=0.18, lw=0)
    axes.plot(
        best.steps,
        best.mean_return,
        color="#D55E00",
        marker="*",
        ls="none",
        ms=13,
        mec="white",
        label=f"best checkpoint {best.mean_return:.4g}",
    )


def _settled(progress: Progress) -> list[float]:
    return [
        bound
        for point in progress.evaluations
        if point.steps >= SETTLED_FROM * progress.steps
        for bound in (point.low, point.mean_return, point.high)
    ]


def _show(axes: Axes, returns: Sequence[float], references: Mapping[str, float]) -> None:
    """Fit the axis to these returns and the baselines."""
    values = np.array([*returns, *references.values()])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = MARGIN * max(high - low, 1e-9)
    axes.set_ylim(low - room, high + room)
