"""JESA's gap to the lower bound, and when it is zero, against the number of subcarriers.

The theorem of Qin et al. 2025 assumes independent channels of every link and subcarrier. Path loss
and shadowing scale a link's whole row and leave the best subcarrier uniform; a cap on the spectral
efficiency would not, as strong links tie at it. So the fading is independent from layer to layer,
and the cap is out of reach.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mec_moe_agents.dmoe.layer import ThresholdSchedule, layer_bound, remote_links
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.reproduce.drawing import BOUND, Floats, draw_band, finish, look_of, new_figure
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study, at_most
from mec_moe_agents.reproduce.walk import jesa, walk
from mec_moe_env import DMOE_PRESETS, DMoEConfig, Layer
from mec_moe_env.theory import optimality_probability

SUBCARRIERS = {4: (16, 32, 64, 128, 256, 512, 1024), 8: (64, 128, 256, 512, 1024, 2048, 4096)}
"""By number of nodes K."""
LOOKS = {4: "jesa", 8: "nearest"}
OPTIMAL_GAP = 1e-6
"""Relative; the bound knows computation energies as float32 only."""
IMPORTANCE = 0.9

Found = dict[int, dict[str, Floats]]
"""By K: measures of shape (n, number of S)."""


def run(seeds: Sequence[int]) -> Answer:
    """Sweep S for two sizes of the network."""
    rows: list[Row] = []
    found: Found = {}
    for nodes, sizes in SUBCARRIERS.items():
        by_size = []
        for size in sizes:
            config = independent(nodes, size)
            measured = measure(config, seeds)
            by_size.append(measured)
            rows += [
                {
                    "nodes": nodes,
                    "subcarriers": size,
                    "seed": seed,
                    **{name: values[row] for name, values in measured.items()},
                    "formula": optimality_probability(nodes, size),
                    "config": as_json(config),
                }
                for row, seed in enumerate(seeds)
            ]
        found[nodes] = {
            name: np.stack([measured[name] for measured in by_size], axis=1) for name in by_size[0]
        }
    return Answer(rows, _draw(found, len(seeds)), _headlines(found))


def independent(nodes: int, subcarriers: int) -> DMoEConfig:
    """Return a scenario that meets the theorem's assumptions."""
    return DMOE_PRESETS["paper"].override(
        num_nodes=nodes,
        num_subcarriers=subcarriers,
        doppler_hz=float("inf"),
        max_spectral_efficiency=100.0,
        importance=IMPORTANCE,
    )


def measure(config: DMoEConfig, seeds: Sequence[int]) -> dict[str, Floats]:
    """Return means over the layers: gap to LB, and shares distinct and optimal, each (n,)."""
    schedule = ThresholdSchedule(config)
    gap, distinct = [], []
    for seed in range(0, len(seeds), 4):  # a few at a time bounds the memory
        turns = list(walk(config, jesa(config), seeds[seed : seed + 4]))
        bound = np.stack([layer_bound(turn.layer, schedule, config) for turn in turns], axis=1)
        spent = np.stack([turn.info["energy_j"] for turn in turns], axis=1)
        gap.append(spent / bound - 1.0)
        distinct.append(np.stack([best_differ(turn.layer, config) for turn in turns], axis=1))
    gaps = np.concatenate(gap)
    return {
        "gap": gaps.mean(axis=1),
        "distinct": np.concatenate(distinct).mean(axis=1),
        "optimal": (gaps < OPTIMAL_GAP).mean(axis=1),
    }


def best_differ(layer: Layer, config: DMoEConfig) -> Floats:
    """Return whether the best subcarriers of all links differ, (n,)."""
    best = layer.spectral_efficiency.argmax(axis=-1)[:, remote_links(config)]
    return np.array([np.unique(row).size == row.size for row in best], dtype=np.float64)


def _headlines(found: Found) -> list[Headline]:
    lines = []
    for nodes, measured in found.items():
        formula = [optimality_probability(nodes, size) for size in SUBCARRIERS[nodes]]
        # Over all S at once: single shares have the noise of some 160 layers.
        off = (measured["distinct"] - formula).mean(axis=1)
        label = f"share distinct minus formula, K = {nodes} (points)"
        lines.append(Headline(label, estimate_mean(100 * off), decimals=2))
    for nodes, measured in found.items():
        label = f"JESA above LB, K = {nodes}, S = {SUBCARRIERS[nodes][2]} (%)"
        lines.append(at_most(label, estimate_mean(100 * measured["gap"][:, 2]), 1.0, decimals=3))
    return lines


def _draw(found: Found, seeds: int) -> Figure:
    figure, (left, right) = new_figure(
        f"DMoE, independent channels, γ0 = {IMPORTANCE}, {seeds} seeds × 8 layers"
    )
    for nodes, measured in found.items():
        sizes, look = SUBCARRIERS[nodes], look_of(LOOKS[nodes])
        draw_band(left, sizes, measured["distinct"], look, f"all best differ, K = {nodes}")
        optimal = look._replace(line=":", marker="")
        draw_band(left, sizes, measured["optimal"], optimal, f"JESA = LB, K = {nodes}")
        formula = np.array([[optimality_probability(nodes, size) for size in sizes]])
        label = "formula Π (1 − i/S)" if nodes == 4 else ""
        draw_band(left, sizes, formula, BOUND._replace(line="-", marker="x"), label)
        draw_band(right, sizes, 100 * measured["gap"], look, f"K = {nodes}")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:.0f}")
    left.set_ylim(0, 1.02)
    right.set_ylim(bottom=0)
    finish(left, "When JESA is optimal", "Subcarriers S", "Share of layers")
    finish(right, "JESA's energy above the lower bound", "Subcarriers S", "Gap to LB (%)")
    return figure


STUDY = Study("optimality", "When does JESA reach the lower bound?", run)
