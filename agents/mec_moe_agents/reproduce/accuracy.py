"""Accuracy against energy on a model that really classifies held-out digits (Qin et al. 2025)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation.drawing import draw_point, finish, look_of, new_figure
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study, at_least, at_most, rows_of
from mec_moe_env import DMOE_PRESETS, DMoEConfig
from mec_moe_env.core.buffers import Floats

BASE = DMOE_PRESETS["digits-moe"].override(tokens_per_source=16)
"""More digits a seed than in the preset; energy per token is hardly touched by it."""
IMPORTANCE = (0.9, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.3, 0.2)
QOS = (0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1)
"""z of H(z, D)."""
LABELLED = (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
LARGEST_LOSS = 0.01
MEASURES = ("energy_per_token_j", "accuracy", "experts_per_token")

Points = dict[float, tuple[Floats, Floats]]
"""Joules per token and accuracy, each (n,), by γ0 or z."""


def run(seeds: Sequence[int]) -> Answer:
    """Sweep γ0 of JESA and z of H(z, D) beside Top-2 and Top-1."""
    rows: list[Row] = []
    curves: dict[str, Points] = {}

    def measure(agent: str, value: float, config: DMoEConfig, **options: float) -> None:
        metrics = evaluate(agent, config, seeds, options=options).metrics
        points = metrics["energy_per_token_j"], metrics["accuracy"]
        curves.setdefault(agent, {})[value] = points
        labels = {"scheduler": agent, "value": value}
        rows.extend(rows_of(labels, seeds, {name: metrics[name] for name in MEASURES}, config))

    for experts in (2, 1):
        measure("topk", float(experts), BASE.override(max_experts=experts))
    for importance in IMPORTANCE:
        measure("jesa", importance, BASE.override(importance=importance))
    for qos in QOS:
        measure("homogeneous", qos, BASE, qos=qos)
    return Answer(rows, _draw(curves, len(seeds)), headlines(curves))


def headlines(curves: dict[str, Points]) -> list[Headline]:
    """State what JESA saves at the cheapest γ0 whose loss of accuracy is surely small."""
    joules, accuracy = curves["topk"][2.0]
    cheap = [
        importance
        for importance, (_, reached) in curves["jesa"].items()
        if (loss := estimate_mean(accuracy - reached)).mean <= LARGEST_LOSS
        and not loss.high > LARGEST_LOSS  # even at the upper end; NaN for a single seed
    ]
    cheap = cheap or list(curves["jesa"])
    best = min(cheap, key=lambda importance: curves["jesa"][importance][0].mean())
    spent, reached = curves["jesa"][best]
    return [
        at_least("Top-2's accuracy on held-out digits (%)", estimate_mean(100 * accuracy), 96.0),
        at_least(
            f"JESA saves of Top-2's energy at γ0 = {best} (%)",
            estimate_mean(100 * (1.0 - spent / joules)),
            40.0,
        ),
        at_most(
            f"accuracy that it costs at γ0 = {best} (points)",
            estimate_mean(100 * (accuracy - reached)),
            100 * LARGEST_LOSS,
            decimals=2,
        ),
    ]


def _draw(curves: dict[str, Points], seeds: int) -> Figure:
    digits = seeds * BASE.sources * BASE.tokens_per_source
    figure = new_figure(f"DMoE · digits-moe, {seeds} seeds, {digits} digits", (8, 5.4))
    axes = figure.subplots()
    for agent, label in (("jesa", "JESA(γ0, 2)"), ("homogeneous", "H(z, 2)")):
        look = look_of(agent)
        means = np.array([[v.mean() for v in point] for point in curves[agent].values()])
        axes.plot(1e3 * means[:, 0], 1e2 * means[:, 1], color=look.color, ls=look.line, lw=1.4)
        for position, point in enumerate(curves[agent].values()):
            _draw_point(axes, point, agent, label if position == 0 else "")
    for value in LABELLED:
        x, y = curves["jesa"][value]
        axes.annotate(
            f"γ0 = {value:g}",
            (1e3 * x.mean(), 1e2 * y.mean()),
            xytext=(-8, 12),
            ha="right",
            textcoords="offset points",
            fontsize=8,
        )
    for experts, look_like in ((2.0, "topk"), (1.0, "random")):
        _draw_point(axes, curves["topk"][experts], look_like, f"Top-{experts:g}")
    axes.margins(x=0.1)
    title = "Accuracy against energy (upper left is better; 95 % intervals)"
    xlabel, ylabel = "Energy per token, all layers (mJ)", "Accuracy on held-out digits (%)"
    finish(axes, title, xlabel, ylabel, legend="lower right")
    return figure


def _draw_point(axes: Axes, point: tuple[Floats, Floats], agent: str, label: str) -> None:
    x, y = estimate_mean(1e3 * point[0]), estimate_mean(1e2 * point[1])
    draw_point(axes, x, y, look_of(agent), elinewidth=1.0, label=label)


STUDY = Study("accuracy", "What accuracy does saved energy cost on real digits?", run)
