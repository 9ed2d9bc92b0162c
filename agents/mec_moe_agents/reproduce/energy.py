"""Energy against γ0: Top-k, H, JESA, JESA+ and the lower bound (Qin et al. 2025)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.reproduce.drawing import BOUND, Floats, draw_band, finish, look_of, new_figure
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study, at_least, at_most
from mec_moe_agents.reproduce.walk import jesa_and_bound
from mec_moe_env import DMOE_PRESETS

IMPORTANCE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
AGENTS = ("topk", "homogeneous", "jesa", "jesa-plus")
OPTIONS: Mapping[str, Mapping[str, int]] = MappingProxyType({"jesa-plus": {"effort": 100}})
"""JESA+ finds next to nothing on `paper`, where JESA is within 0.2 % of the bound."""
LABELS = {"topk": "Top-2", "homogeneous": "H(mean threshold, 2)", "jesa": "JESA(γ0, 2)"}
LABELS |= {"jesa-plus": "JESA+(γ0, 2), ours"}
SAVINGS = {0.9: 10.0, 0.8: 30.0, 0.7: 45.0}
"""Targets in percent of Top-2's energy."""


def run(seeds: Sequence[int]) -> Answer:
    """Sweep γ0 on `paper`."""
    rows: list[Row] = []
    joules: dict[str, list[Floats]] = {}
    violated: dict[str, list[Floats]] = {}
    for importance in IMPORTANCE:
        config = DMOE_PRESETS["paper"].override(importance=importance)
        tokens = config.sources * config.tokens_per_source
        found = {
            agent: evaluate(agent, config, seeds, options=OPTIONS.get(agent)).metrics
            for agent in AGENTS
        }
        bound = jesa_and_bound(config, seeds)[1].sum(axis=1)
        per_token = {agent: metrics["energy_j"] / tokens for agent, metrics in found.items()}
        per_token["bound"] = bound / tokens
        for agent, values in per_token.items():
            below = found[agent]["violated"] if agent in found else np.full(len(seeds), np.nan)
            joules.setdefault(agent, []).append(values)
            violated.setdefault(agent, []).append(below)
            rows += [
                {
                    "importance": importance,
                    "scheduler": agent,
                    "seed": seed,
                    "energy_per_token_j": value,
                    "violated": share,
                    "config": as_json(config),
                }
                for seed, value, share in zip(seeds, values, below, strict=True)
            ]
    energy = {agent: np.stack(values, axis=1) for agent, values in joules.items()}
    below_threshold = {agent: np.stack(values, axis=1) for agent, values in violated.items()}
    return Answer(rows, _draw(energy, below_threshold, len(seeds)), _headlines(energy))


def _headlines(energy: dict[str, Floats]) -> list[Headline]:
    lines = []
    for importance, target in SAVINGS.items():
        at = IMPORTANCE.index(importance)
        saved = 1.0 - energy["jesa"][:, at] / energy["topk"][:, at]
        lines.append(
            at_least(f"JESA saves of Top-2's energy at γ0 = {importance} (%)",
                     estimate_mean(100 * saved), target)
        )  # fmt: skip
    for importance in SAVINGS:
        at = IMPORTANCE.index(importance)
        gap = energy["jesa"][:, at] / energy["bound"][:, at] - 1.0
        label = f"JESA above LB at γ0 = {importance} (%)"
        lines.append(at_most(label, estimate_mean(100 * gap), 1.0, decimals=2))
    gain = 1.0 - energy["jesa-plus"].mean(axis=1) / energy["jesa"].mean(axis=1)
    lines.append(
        Headline("JESA+ below JESA, mean over γ0 (%)", estimate_mean(100 * gain), decimals=3)
    )
    return lines


def _draw(energy: dict[str, Floats], violated: dict[str, Floats], seeds: int) -> Figure:
    figure, (left, right) = new_figure(f"DMoE · paper, {seeds} seeds (mean and 95 % interval)")
    for agent in AGENTS:
        draw_band(left, IMPORTANCE, 1e3 * energy[agent], look_of(agent), LABELS[agent])
        draw_band(right, IMPORTANCE, 1e2 * violated[agent], look_of(agent), LABELS[agent])
    draw_band(left, IMPORTANCE, 1e3 * energy["bound"], BOUND, "LB(γ0, 2)")
    left.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
    finish(left, "Energy", "Importance factor γ0", "Energy per token, all layers (mJ)")
    finish(
        right,
        "Missed thresholds (Top-2, JESA and JESA+ coincide)",
        "Importance factor γ0",
        "Token layers below z·γ0^l (%)",
    )
    return figure


STUDY = Study("energy", "What does each scheduler spend at each γ0?", run)
