"""What schedulers spend on `paper`, and which thresholds they miss (Qin et al. 2025).

`energy` sweeps γ0 for Top-k, H, JESA, JESA+ and the lower bound. `staleness` (our extension) gives
JESA an old channel, which the paper leaves open: a transfer has to end within the slot (a
documented choice: `deadline_seconds = slot_seconds`); what does not arrive in time is lost, and its
tokens fall below their thresholds. Reliable links get picked on what was seen, so that both energy
and violations grow with the age of the observation and the speed of the channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from mec_moe_agents.evaluation.drawing import BOUND, Look, draw_band, finish, look_of, new_panels
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.reproduce.layers import jesa_and_bound
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study, at_least, at_most, rows_of
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
DOPPLER = {0.5: "0.5 Hz", 1.0: "1 Hz", 2.0: "2 Hz", float("inf"): "independent slots"}
LOOKS = {
    0.5: Look("#009E73", "-", "o"),
    1.0: Look("#0072B2", "--", "s"),
    2.0: Look("#E69F00", "-.", "^"),
    float("inf"): Look("#000000", ":", "D"),
}

Swept = tuple[Floats, Floats]
"""Joules per token, and shares of token layers below their threshold, each (n, settings)."""


def run_energy(seeds: Sequence[int]) -> Answer:
    """Sweep γ0."""
    rows: list[Row] = []
    points: dict[str, list[Swept]] = {}
    for importance in IMPORTANCE:
        config = PAPER.override(importance=importance)
        found: dict[str, Swept] = {}
        for agent in AGENTS:
            metrics = evaluate(agent, config, seeds, options=OPTIONS.get(agent)).metrics
            found[agent] = metrics["energy_per_token_j"], metrics["violated"]
        bound = jesa_and_bound(config, seeds)[1].sum(axis=1)
        tokens = config.sources * config.tokens_per_source
        found["bound"] = bound / tokens, np.full(len(seeds), np.nan)
        for agent, (joules, violated) in found.items():
            labels = {"importance": importance, "scheduler": agent}
            columns = {"energy_per_token_j": joules, "violated": violated}
            rows += rows_of(labels, seeds, columns, config)
            points.setdefault(agent, []).append((joules, violated))
    swept = {agent: _stack(values) for agent, values in points.items()}
    figure = _draw(
        f"DMoE · paper, {len(seeds)} seeds (mean and 95 % interval)",
        "Importance factor γ0",
        IMPORTANCE,
        [
            (LABELS[agent], BOUND if agent == "bound" else look_of(agent), values)
            for agent, values in swept.items()
        ],
    )
    right = figure.axes[1]
    right.set_title("Missed thresholds (Top-2, JESA and JESA+ coincide)")
    right.legend(frameon=False)
    return Answer(rows, figure, _energy_headlines({a: joules for a, (joules, _) in swept.items()}))


def _energy_headlines(joules: Mapping[str, Floats]) -> list[Headline]:
    lines = []
    for importance, target in SAVINGS.items():
        at = IMPORTANCE.index(importance)
        saved = estimate_mean(100 * (1.0 - joules["jesa"][:, at] / joules["topk"][:, at]))
        label = f"JESA saves of Top-2's energy at γ0 = {importance} (%)"
        lines.append(at_least(label, saved, target))
    for importance in SAVINGS:
        at = IMPORTANCE.index(importance)
        gap = estimate_mean(100 * (joules["jesa"][:, at] / joules["bound"][:, at] - 1.0))
        lines.append(at_most(f"JESA above LB at γ0 = {importance} (%)", gap, 1.0, decimals=2))
    gain = 1.0 - joules["jesa-plus"].mean(axis=1) / joules["jesa"].mean(axis=1)
    label = "JESA+ below JESA, mean over γ0 (%)"
    return [*lines, Headline(label, estimate_mean(100 * gain), decimals=3)]


def run_staleness(seeds: Sequence[int]) -> Answer:
    """Sweep the delay and the Doppler frequency with JESA."""
    rows: list[Row] = []
    swept: dict[float, Swept] = {}
    for doppler in DOPPLER:
        points = []
        for delay in DELAYS:
            config = stale(doppler, delay)
            metrics = evaluate("jesa", config, seeds).metrics
            labels = {"doppler_hz": doppler, "csi_delay": delay}
            names = ("energy_per_token_j", "violated", "lost_states")
            rows += rows_of(labels, seeds, {name: metrics[name] for name in names}, config)
            points.append((metrics["energy_per_token_j"], metrics["violated"]))
        swept[doppler] = _stack(points)
    deadline, slot = 1e3 * stale(1.0, 0).deadline_seconds, 1e3 * PAPER.slot_seconds
    figure = _draw(
        f"DMoE · paper, JESA, deadline {deadline:g} ms, {len(seeds)} seeds "
        "(mean and 95 % interval)",
        f"Age of the channel knowledge (slots of {slot:g} ms)",
        DELAYS,
        [
            (name if np.isinf(doppler) else f"Doppler {name}", LOOKS[doppler], swept[doppler])
            for doppler, name in DOPPLER.items()
        ],
    )
    for axes in figure.axes:
        axes.set_xticks(DELAYS)
    return Answer(rows, figure, _staleness_headlines(swept))


def stale(doppler: float, delay: int) -> DMoEConfig:
    """Return `paper` with a stale channel and transfers that have to end within the slot."""
    return PAPER.override(doppler_hz=doppler, csi_delay=delay, deadline_seconds=PAPER.slot_seconds)


def _staleness_headlines(swept: Mapping[float, Swept]) -> list[Headline]:
    lines = []
    for doppler, name in DOPPLER.items():
        joules, _ = swept[doppler]
        label = f"energy added by a delay of one slot, {name} (%)"
        lines.append(Headline(label, estimate_mean(100 * (joules[:, 1] / joules[:, 0] - 1.0))))
    for doppler, name in DOPPLER.items():
        _, violated = swept[doppler]
        label = f"violations added by a delay of one slot, {name} (points)"
        lines.append(Headline(label, estimate_mean(100 * (violated[:, 1] - violated[:, 0]))))
    return lines


def _stack(points: Sequence[Swept]) -> Swept:
    joules, violated = zip(*points, strict=True)
    return np.stack(joules, axis=1), np.stack(violated, axis=1)


def _draw(
    title: str, xlabel: str, x: Sequence[float], lines: Sequence[tuple[str, Look, Swept]]
) -> Figure:
    """Draw energy and missed thresholds (none for a bound) side by side, the legend at energy."""
    figure, (left, right) = new_panels(title)
    for label, look, (joules, violated) in lines:
        draw_band(left, x, 1e3 * joules, look, label)
        if np.isfinite(violated).all():
            draw_band(right, x, 1e2 * violated, look, label)
    left.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
    finish(left, "Energy", xlabel, "Energy per token, all layers (mJ)")
    finish(right, "Missed thresholds", xlabel, "Token layers below z·γ0^l (%)", legend=None)
    return figure


ENERGY = Study("energy", "What does each scheduler spend at each γ0?", run_energy)
STALENESS = Study("staleness", "What does old knowledge of a fast channel cost?", run_staleness)
