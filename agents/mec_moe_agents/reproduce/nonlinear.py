"""Linear experts against networks under every router. An open question of Li & Duan 2024 (Q3).

`teacher` has truths that no linear model finds, `digits` real images that linear models nearly fit.
Both kinds of experts meet the same tasks, channels and, where a router draws any, the same noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.executors import Executor
from mec_moe_agents.reproduce import Answer, Headline, Study, positive
from mec_moe_agents.reproduce.experts import (
    ERROR,
    EXPERTS,
    SPECIALISING,
    TRADITIONAL,
    Found,
    as_rows,
    evaluate_all,
    metric,
)

SCENARIOS = ("teacher", "digits")
ROUTERS = ("reject-all", *TRADITIONAL, *SPECIALISING, "guard", "des")
LOOKS = {
    "linear": drawing.Look("#8C8C8C", "none", "s"),
    "mlp": drawing.Look("#0072B2", "none", "o"),
}
NAMES = {"linear": "linear experts", "mlp": "networks"}
APART = 0.12
"""Between the two kinds of experts, so that their intervals do not hide each other."""


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run every router with both kinds of experts on the same seeds."""
    found = evaluate_all(SCENARIOS, ROUTERS, seeds, executor)
    return Answer(as_rows(found), _draw(found), headlines(found))


def headlines(found: Found) -> list[Headline]:
    """State by how much networks lower the error and raise the return, and who is best."""
    lines = []
    for name, (measure, sign, decimals) in itertools.product(
        SCENARIOS, ((ERROR, -1.0, 3), ("return", 1.0, 1))
    ):
        for router in ROUTERS:
            linear, mlp = (metric(found, measure, name, kind, router) for kind in EXPERTS)
            gain = estimate_mean(sign * (mlp - linear))
            words = "error, linear − networks" if sign < 0 else "return, networks − linear"
            label = f"{name}, {router}: {words}"
            lines.append(positive(label, gain, decimals))
        for kind in EXPERTS:
            values = [metric(found, measure, name, kind, router) for router in ROUTERS]
            best = int(np.argmax([sign * each.mean() for each in values]))
            label = f"{name}, {NAMES[kind]}: best {measure.replace('_', ' ')}, {ROUTERS[best]}"
            lines.append(Headline(label, estimate_mean(values[best]), decimals=decimals))
    return lines


def _draw(found: Found) -> Figure:
    seeds = next(iter(found.values())).seeds.size
    figure, panels = drawing.new_panels(
        f"Linear experts and networks under every router, {seeds} seeds (mean and 95 % interval)"
    )
    for axes, name in zip(panels, SCENARIOS, strict=True):
        _draw_scenario(axes, found, name)
        label = "Final generalization error $G_T$" if name == SCENARIOS[0] else ""
        drawing.finish(axes, name, "", label, legend=None)
    drawing.legend_below(figure, *panels[0].get_legend_handles_labels(), len(EXPERTS))
    return figure


def _draw_scenario(axes: Axes, found: Found, name: str) -> None:
    for kind, shift in zip(EXPERTS, (-APART, APART), strict=True):
        estimates = [estimate_mean(metric(found, ERROR, name, kind, each)) for each in ROUTERS]
        x = np.arange(len(ROUTERS)) + shift
        drawing.draw_intervals(axes, x, estimates, LOOKS[kind], label=NAMES[kind], capsize=3)
    axes.set_xticks(range(len(ROUTERS)), ROUTERS, rotation=35, ha="right")
    axes.set_ylim(bottom=0)


STUDY = Study("q3", "Do networks change which router is best?", run)
