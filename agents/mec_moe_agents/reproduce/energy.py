"""What schedulers spend, which thresholds they miss, what they get right (Qin et al. 2025).

`energy` sweeps γ0 on `paper` for Top-k, H, JESA, JESA+ and the lower bound. `staleness` (our
extension) gives JESA an old channel, which the paper leaves open: a transfer has to end within the
slot (a documented choice: `deadline_seconds = slot_seconds`); what does not arrive in time is lost,
and its tokens fall below their thresholds. Reliable links get picked on what was seen, so that both
energy and violations grow with the age of the observation and the speed of the channel. `accuracy`
sweeps γ0 on a model that really classifies held-out digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import (
    Answer,
    Headline,
    Row,
    Study,
    at_least,
    at_most,
    percent_above,
    percent_below,
    rows_of,
)
from mec_moe_agents.reproduce.layers import jesa_and_bound
from mec_moe_env import DMOE_PRESETS, DMoEConfig
from mec_moe_env.core.buffers import Floats

PAPER = DMOE_PRESETS["paper"]
IMPORTANCE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
AGENTS = ("topk", "homogeneous", "jesa", "jesa-plus")
OPTIONS: Mapping[str, Mapping[str, int]] = MappingProxyType({"jesa-plus": {"effort": 100}})
"""JESA+ finds next to nothing on `paper`, where JESA is within 0.2 % of the bound."""
LABELS = {
    "topk": "Top-2",
    "homogeneous": "H(mean threshold, 2)",
    "jesa": "JESA(γ0, 2)",
    "jesa-plus": "JESA+(γ0, 2), ours",
    "bound": "LB(γ0, 2)",
}
SAVINGS = {0.9: 10.0, 0.8: 30.0, 0.7: 45.0}
"""Targets in percent of Top-2's energy."""

DELAYS = (0, 1, 2, 3, 4)
DOPPLER = {
    0.5: ("0.5 Hz", drawing.Look("#009E73", "-", "o")),
    1.0: ("1 Hz", drawing.Look("#0072B2", "--", "s")),
    2.0: ("2 Hz", drawing.Look("#E69F00", "-.", "^")),
    float("inf"): ("independent slots", drawing.Look("#000000", ":", "D")),
}

DIGITS = DMOE_PRESETS["digits-moe"].override(tokens_per_source=16)
"""More digits a seed than in the preset; energy per token is hardly touched by it."""
DIGITS_IMPORTANCE = (0.9, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.3, 0.2)
QOS = (0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1)
"""z of H(z, D)."""
LABELLED = (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
LARGEST_LOSS = 0.01

TOKEN_ENERGY = "Energy per token, all layers (mJ)"
Points = dict[float, tuple[Floats, Floats]]
"""Joules per token and accuracy, each (n,), by γ0 or z."""


def run_energy(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Sweep γ0."""
    rows: list[Row] = []
    points: dict[str, list[tuple[Floats, Floats]]] = {}
    configs = {importance: PAPER.override(importance=importance) for importance in IMPORTANCE}
    calls = {
        importance: partial(_energy_and_bound, config, seeds)
        for importance, config in configs.items()
    }
    for importance, found in gather(calls, executor).items():
        config = configs[importance]
        for agent, (joules, violated) in found.items():
            labels = {"importance": importance, "scheduler": agent}
            columns = {"energy_per_token_j": joules, "violated": violated}
            rows += rows_of(labels, seeds, columns, config)
            points.setdefault(agent, []).append((joules, violated))
    swept = {agent: np.stack(values, axis=-1) for agent, values in points.items()}
    lines = [
        (LABELS[agent], drawing.BOUND if agent == "bound" else drawing.look_of(agent), values)
        for agent, values in swept.items()
    ]
    title = f"DMoE · paper, {len(seeds)} seeds (mean and 95 % interval)"
    figure = _draw_sweep(title, "Importance factor γ0", IMPORTANCE, lines)
    right = figure.axes[1]
    right.set_title("Missed thresholds (Top-2, JESA and JESA+ coincide)")
    right.legend(frameon=False)
    return Answer(rows, figure, _energy_headlines({a: joules for a, (joules, _) in swept.items()}))


def _energy_and_bound(config: DMoEConfig, seeds: Sequence[int]) -> dict[str, tuple[Floats, Floats]]:
    """Return joules per token and violations of each scheduler, each (n,), and the bound."""
    found = {}
    for agent in AGENTS:
        metrics = evaluate(agent, config, seeds, options=OPTIONS.get(agent)).metrics
        found[agent] = metrics["energy_per_token_j"], metrics["violated"]
    bound = jesa_and_bound(config, seeds)[1].sum(axis=1)
    tokens = config.sources * config.tokens_per_source
    return {**found, "bound": (bound / tokens, np.full(len(seeds), np.nan))}


def _energy_headlines(joules: Mapping[str, Floats]) -> list[Headline]:
    lines = []
    jesa, top, bound = (joules[agent].T for agent in ("jesa", "topk", "bound"))
    for importance, target in SAVINGS.items():
        at = IMPORTANCE.index(importance)
        label = f"JESA saves of Top-2's energy at γ0 = {importance} (%)"
        lines.append(at_least(label, percent_below(jesa[at], top[at]), target))
    for importance in SAVINGS:
        at = IMPORTANCE.index(importance)
        label = f"JESA above LB at γ0 = {importance} (%)"
        lines.append(at_most(label, percent_above(jesa[at], bound[at]), 1.0, decimals=2))
    gain = percent_below(joules["jesa-plus"].mean(axis=1), joules["jesa"].mean(axis=1))
    return [*lines, Headline("JESA+ below JESA, mean over γ0 (%)", gain, decimals=3)]


def run_staleness(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Sweep the delay and the Doppler frequency with JESA."""
    rows: list[Row] = []
    swept: dict[float, Floats] = {}
    lines = []
    names = ("energy_per_token_j", "violated", "lost_states")
    cases = itertools.product(DOPPLER, DELAYS)
    found = gather(
        {case: partial(evaluate, "jesa", stale(*case), seeds) for case in cases}, executor
    )
    for doppler, (name, look) in DOPPLER.items():
        points = []
        for delay in DELAYS:
            config, metrics = stale(doppler, delay), found[doppler, delay].metrics
            labels = {"doppler_hz": doppler, "csi_delay": delay}
            rows += rows_of(labels, seeds, {name: metrics[name] for name in names}, config)
            points.append((metrics["energy_per_token_j"], metrics["violated"]))
        swept[doppler] = np.stack(points, axis=-1)
        label = name if np.isinf(doppler) else f"Doppler {name}"
        lines.append((label, look, swept[doppler]))
    deadline, slot = 1e3 * stale(1.0, 0).deadline_seconds, 1e3 * PAPER.slot_seconds
    title = f"DMoE · paper, JESA, deadline {deadline:g} ms, {len(seeds)} seeds"
    xlabel = f"Age of the channel knowledge (slots of {slot:g} ms)"
    figure = _draw_sweep(f"{title} (mean and 95 % interval)", xlabel, DELAYS, lines)
    for axes in figure.axes:
        axes.set_xticks(DELAYS)
    return Answer(rows, figure, _staleness_headlines(swept))


def stale(doppler: float, delay: int) -> DMoEConfig:
    """Return `paper` with a stale channel and transfers that have to end within the slot."""
    return PAPER.override(doppler_hz=doppler, csi_delay=delay, deadline_seconds=PAPER.slot_seconds)


def _staleness_headlines(swept: Mapping[float, Floats]) -> list[Headline]:
    lines = []
    for doppler, (name, _) in DOPPLER.items():
        joules, _ = swept[doppler]
        label = f"energy added by a delay of one slot, {name} (%)"
        lines.append(Headline(label, percent_above(joules[:, 1], joules[:, 0])))
    for doppler, (name, _) in DOPPLER.items():
        _, violated = swept[doppler]
        label = f"violations added by a delay of one slot, {name} (points)"
        lines.append(Headline(label, estimate_mean(100 * (violated[:, 1] - violated[:, 0]))))
    return lines


def _draw_sweep(
    title: str, xlabel: str, x: Sequence[float], lines: Sequence[tuple[str, drawing.Look, Floats]]
) -> Figure:
    """Draw energy and missed thresholds (none for a bound) of lines (2, n, len(x)) side by side."""
    figure, (left, right) = drawing.new_panels(title)
    for label, look, (joules, violated) in lines:
        drawing.draw_band(left, x, 1e3 * joules, look, label)
        if np.isfinite(violated).all():
            drawing.draw_band(right, x, 1e2 * violated, look, label)
    left.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
    drawing.finish(left, "Energy", xlabel, TOKEN_ENERGY)
    drawing.finish(right, "Missed thresholds", xlabel, "Token layers below z·γ0^l (%)", legend=None)
    return figure


def run_accuracy(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Sweep γ0 of JESA and z of H(z, D) beside Top-2 and Top-1."""
    rows: list[Row] = []
    curves: dict[str, Points] = {}
    names = ("energy_per_token_j", "accuracy", "experts_per_token")
    configs = _accuracy_configs()
    calls = {
        (agent, value): partial(
            evaluate,
            agent,
            config,
            seeds,
            options={"qos": value} if agent == "homogeneous" else None,
        )
        for (agent, value), config in configs.items()
    }
    for (agent, value), episodes in gather(calls, executor).items():
        metrics = episodes.metrics
        curves.setdefault(agent, {})[value] = metrics["energy_per_token_j"], metrics["accuracy"]
        labels = {"scheduler": agent, "value": value}
        columns = {name: metrics[name] for name in names}
        rows += rows_of(labels, seeds, columns, configs[agent, value])
    return Answer(rows, _draw_accuracy(curves, len(seeds)), accuracy_headlines(curves))


def _accuracy_configs() -> dict[tuple[str, float], DMoEConfig]:
    """Return the scenario of each scheduler at each of its values."""
    top = {("topk", float(most)): DIGITS.override(max_experts=most) for most in (2, 1)}
    jesa = {("jesa", value): DIGITS.override(importance=value) for value in DIGITS_IMPORTANCE}
    return {**top, **jesa, **{("homogeneous", value): DIGITS for value in QOS}}


def accuracy_headlines(curves: Mapping[str, Points]) -> list[Headline]:
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
    top, loss = estimate_mean(100 * accuracy), estimate_mean(100 * (accuracy - reached))
    saved = percent_below(spent, joules)
    return [
        at_least("Top-2's accuracy on held-out digits (%)", top, 96.0),
        at_least(f"JESA saves of Top-2's energy at γ0 = {best} (%)", saved, 40.0),
        at_most(f"accuracy that it costs at γ0 = {best} (points)", loss, 100 * LARGEST_LOSS, 2),
    ]


def _draw_accuracy(curves: Mapping[str, Points], seeds: int) -> Figure:
    digits = seeds * DIGITS.sources * DIGITS.tokens_per_source
    figure = drawing.new_figure(f"DMoE · digits-moe, {seeds} seeds, {digits} digits", (8, 5.4))
    axes = figure.subplots()
    for agent, label in (("jesa", "JESA(γ0, 2)"), ("homogeneous", "H(z, 2)")):
        look = drawing.look_of(agent)
        means = np.array([[v.mean() for v in point] for point in curves[agent].values()])
        axes.plot(1e3 * means[:, 0], 1e2 * means[:, 1], color=look.color, ls=look.line, lw=1.4)
        for position, point in enumerate(curves[agent].values()):
            _draw_point(axes, point, agent, label if position == 0 else "")
    style: dict[str, Any] = {"ha": "right", "textcoords": "offset points", "fontsize": 8}
    for value in LABELLED:
        x, y = curves["jesa"][value]
        axes.annotate(f"γ0 = {value:g}", (1e3 * x.mean(), 1e2 * y.mean()), (-8, 12), **style)
    for experts, look_like in ((2.0, "topk"), (1.0, "random")):
        _draw_point(axes, curves["topk"][experts], look_like, f"Top-{experts:g}")
    axes.margins(x=0.1)
    title = "Accuracy against energy (upper left is better; 95 % intervals)"
    drawing.finish(
        axes, title, TOKEN_ENERGY, "Accuracy on held-out digits (%)", legend="lower right"
    )
    return figure


def _draw_point(axes: Axes, point: tuple[Floats, Floats], agent: str, label: str) -> None:
    x, y = estimate_mean(1e3 * point[0]), estimate_mean(1e2 * point[1])
    drawing.draw_point(axes, x, y, drawing.look_of(agent), elinewidth=1.0, label=label)


ENERGY = Study("energy", "What does each scheduler spend at each γ0?", run_energy)
STALENESS = Study("staleness", "What does old knowledge of a fast channel cost?", run_staleness)
ACCURACY = Study("accuracy", "What accuracy does saved energy cost on real digits?", run_accuracy)
