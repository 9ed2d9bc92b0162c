"""The learning curve beside the baselines, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from mec_moe_agents.evaluation.drawing import finish, legend_below, new_figure
from mec_moe_agents.evaluation.looks import Look, looks_of
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.training.plan import Plan
from mec_moe_agents.training.run_folder import Evaluation, Progress

MARGIN = 0.08
LEGEND_COLUMNS = 5


def draw_curves(plan: Plan, progress: Progress, references: Mapping[str, float]) -> Figure:
    """Draw mean return against steps, and that of baselines on the same seeds as horizontal lines.

    The run has one evaluation at least. On the left all of it, on the right what decides: the best
    checkpoint and the better half of the baselines.
    """
    where = Scenario(plan.scenario_name, plan.config, ()).label
    title = f"{plan.algo}, {plan.policy} policy, {where}, seed {plan.seed}"
    figure = new_figure(title, (11, 4.8))
    whole, near = figure.subplots(1, 2)
    looks = looks_of([*references, plan.agent_name])
    span = max(progress.steps, plan.hyperparameters.steps_per_leg)
    for axes in (whole, near):
        _draw_references(axes, references, looks)
        _draw_learner(axes, plan, progress, looks[plan.agent_name])
        axes.set_xlim(-MARGIN / 4 * span, (1 + MARGIN / 2) * span)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    levels = sorted(references.values(), reverse=True)
    _show(whole, [*_extent(progress.evaluations), *levels])
    _show(near, [*_extent([progress.best]), *levels[: (len(levels) + 1) // 2]])
    steps = f"Training ({'steps' if plan.policy == 'mlp' else 'decisions'})"
    returns = f"Mean return, {plan.validation_episodes} held-out episodes"
    finish(whole, "The whole run", steps, returns, legend=None)
    finish(near, "Near the best", steps, legend=None)
    handles, labels = whole.get_legend_handles_labels()
    legend_below(figure, handles[::-1], labels[::-1], LEGEND_COLUMNS)
    return figure


def _draw_references(
    axes: Axes, references: Mapping[str, float], looks: Mapping[str, Look]
) -> None:
    for name, value in sorted(references.items(), key=lambda pair: pair[1]):
        look = looks[name]
        axes.axhline(value, color=look.color, ls=look.line, lw=1.5, label=f"{name} {value:.4g}")


def _draw_learner(axes: Axes, plan: Plan, progress: Progress, look: Look) -> None:
    points, best, color = progress.evaluations, progress.best, look.color
    steps = [point.steps for point in points]
    means = [point.mean_return for point in points]
    name = f"{plan.agent_name}, 95 % interval"
    axes.plot(steps, means, color=color, lw=2, marker=".", label=name)
    lows, highs = [point.low for point in points], [point.high for point in points]
    axes.fill_between(steps, lows, highs, color=color, alpha=0.18, lw=0)
    label = f"best checkpoint {best.mean_return:.4g}"
    star: dict[str, Any] = {"marker": "*", "ls": "none", "ms": 13, "mec": "white"}
    axes.plot(best.steps, best.mean_return, color=color, label=label, **star)


def _extent(points: Sequence[Evaluation]) -> list[float]:
    return [end for point in points for end in (point.low, point.mean_return, point.high)]


def _show(axes: Axes, returns: Sequence[float]) -> None:
    """Fit the axis to these returns."""
    low, high = float(np.nanmin(returns)), float(np.nanmax(returns))
    room = MARGIN * max(high - low, 1e-9)
    axes.set_ylim(low - room, high + room)
