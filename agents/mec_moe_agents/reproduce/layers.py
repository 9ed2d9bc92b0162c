"""What JESA decides layer by layer on `paper`: which experts, and how far from the lower bound.

The theorem of Qin et al. 2025 on when JESA is optimal assumes independent channels of every link
and subcarrier. Path loss and shadowing scale a link's whole row and leave the best subcarrier
uniform; a cap on the spectral efficiency would not, as strong links tie at it. So `optimality`
takes fading that is independent from layer to layer, and a cap that is out of reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.dmoe.agent import Plan, Scheduler
from mec_moe_agents.dmoe.layer import ThresholdSchedule, layer_bound, remote_links, token_joules
from mec_moe_agents.dmoe.schedulers import JointScheduler, TopScheduler
from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, as_json, at_most, rows_of
from mec_moe_env import DMOE_PRESETS, DMoEConfig, DMoEVectorEnv, Layer
from mec_moe_env.core.buffers import Floats
from mec_moe_env.theory import optimality_probability

PAPER = DMOE_PRESETS["paper"]
IMPORTANCE = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
SHOWN = 0.8
"""γ0 of the map by energy rank."""
SUBCARRIERS = {4: (16, 32, 64, 128, 256, 512, 1024), 8: (64, 128, 256, 512, 1024, 2048, 4096)}
"""By number of nodes K."""
LOOKS = {4: "jesa", 8: "nearest"}
OPTIMAL_GAP = 1e-6
"""Relative; the bound knows computation energies as float32 only."""
OPTIMALITY_IMPORTANCE = 0.9


class Step(NamedTuple):
    """One layer of n episodes: what the scheduler saw, decided and brought about."""

    layer: Layer
    plan: Plan
    info: Mapping[str, Any]
    """What the environment says of the layer, arrays (n,)."""


def walk(config: DMoEConfig, scheduler: Scheduler, seeds: Sequence[int]) -> Iterator[Step]:
    """Let a scheduler act through one episode per seed, layer by layer."""
    env = DMoEVectorEnv(len(seeds), config)
    observation, _ = env.reset(seed=list(seeds))
    state = scheduler.start(len(seeds))
    for _ in range(config.num_layers):
        layer = Layer.read(observation, config)
        plan = scheduler.schedule(state, layer)
        observation, _, _, _, info = env.step(plan.action(config.max_experts))
        yield Step(layer, plan, info)
    env.close()


def jesa(config: DMoEConfig) -> JointScheduler:
    """Return JESA with the thresholds of the configuration."""
    return JointScheduler(config, ThresholdSchedule(config))


def jesa_and_bound(config: DMoEConfig, seeds: Sequence[int]) -> tuple[Floats, Floats]:
    """Return joules of JESA and LB(γ0, D) on the same layers, each (n, L)."""
    return _joules_and_bound(list(walk(config, jesa(config), seeds)), config)


def _joules_and_bound(steps: Sequence[Step], config: DMoEConfig) -> tuple[Floats, Floats]:
    schedule = ThresholdSchedule(config)
    spent = np.stack([step.info["energy_j"] for step in steps], axis=1)
    return spent, np.stack([layer_bound(step.layer, schedule, config) for step in steps], axis=1)


def run_experts(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Count JESA's picks by layer and energy rank of the expert, and Top-2's beside them."""
    configs = {"Top-2": PAPER}
    for importance in IMPORTANCE:
        configs[f"γ0 = {importance:g}"] = PAPER.override(importance=importance)
    calls = {
        name: partial(count_picks, config, TopScheduler if name == "Top-2" else jesa, seeds)
        for name, config in configs.items()
    }
    counts = gather(calls, executor)
    rows: list[Row] = []
    for name, config in configs.items():
        text = as_json(config)
        for (row, layer, rank), picks in np.ndenumerate(counts[name]):
            labels = {"scheduler": name, "seed": seeds[row], "layer": layer + 1}
            measured = {"energy_rank": rank + 1, "picks_per_token": picks, "config": text}
            rows.append({**labels, **measured})
    shown = counts[f"γ0 = {SHOWN:g}"]
    return Answer(rows, _draw_experts(counts, len(seeds)), _expert_headlines(shown))


def count_picks(
    config: DMoEConfig, build: Callable[[DMoEConfig], Scheduler], seeds: Sequence[int]
) -> Floats:
    """Return a scheduler's picks per token by layer and energy rank, (n, L, K)."""
    steps = walk(config, build(config), seeds)
    return np.stack([picks_by_rank(step.layer, step.plan, config) for step in steps], axis=1)


def picks_by_rank(layer: Layer, plan: Plan, config: DMoEConfig) -> Floats:
    """Return picks per token of the r-th cheapest expert, as seen from each source, (n, K)."""
    order = token_joules(layer, config).argsort(axis=-1)[:, :, np.newaxis]
    chosen = np.take_along_axis(plan.selected, np.broadcast_to(order, plan.selected.shape), axis=-1)
    return np.asarray(chosen.mean(axis=(1, 2)), dtype=np.float64)


def _expert_headlines(counts: Floats) -> list[Headline]:
    used = counts.sum(axis=2)
    rank = counts @ np.arange(1, counts.shape[2] + 1) / used
    lines = []
    for label, values in (("experts per token", used), ("energy rank of a pick", rank)):
        for place, layer in (("first", 0), ("last", -1)):
            estimate = estimate_mean(values[:, layer])
            text = f"{label} in the {place} layer, γ0 = {SHOWN}"
            lines.append(Headline(text, estimate, decimals=2))
    return lines


def _draw_experts(counts: Mapping[str, Floats], seeds: int) -> Figure:
    title = f"DMoE · paper, {seeds} seeds: what is chosen in each layer"
    figure, (left, right) = drawing.new_panels(title)
    number = np.array([values.sum(axis=2).mean(axis=0) for values in counts.values()])
    _draw_heat(left, number, list(counts), "Experts per token")
    shown = counts[f"γ0 = {SHOWN:g}"].mean(axis=0).T
    ranks = [str(rank) for rank in range(1, len(shown) + 1)]
    _draw_heat(right, shown, ranks, f"Picks per token at γ0 = {SHOWN:g}")
    right.set_ylabel("Energy rank of the expert (1: cheapest for the source)")
    return figure


def _draw_heat(axes: Axes, values: Floats, names: Sequence[str], title: str) -> None:
    image = axes.imshow(values, aspect="auto", cmap="viridis", vmin=0.0)
    layers = range(values.shape[1])
    axes.set_xticks(layers, [str(layer + 1) for layer in layers])
    axes.set_yticks(range(len(names)), names)
    axes.set(title=title, xlabel="Layer")
    for (row, column), value in np.ndenumerate(values):
        ink = "black" if value > 0.6 * values.max() else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=8)
    axes.figure.colorbar(image, ax=axes)


def run_optimality(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Sweep the number of subcarriers for two sizes of the network."""
    rows: list[Row] = []
    found: dict[int, dict[str, Floats]] = {}
    cases = [(nodes, size) for nodes, sizes in SUBCARRIERS.items() for size in sizes]
    calls = {case: partial(measure, independent(*case), seeds) for case in cases}
    by_case = gather(calls, executor)
    for nodes, sizes in SUBCARRIERS.items():
        by_size = []
        for size in sizes:
            config = independent(nodes, size)
            measured = by_case[nodes, size]
            labels = {"nodes": nodes, "subcarriers": size}
            formula = {"formula": optimality_probability(nodes, size)}
            rows += rows_of(labels, seeds, {**measured, **formula}, config)
            by_size.append(measured)
        found[nodes] = {
            name: np.stack([each[name] for each in by_size], axis=1) for name in by_size[0]
        }
    return Answer(rows, _draw_optimality(found, len(seeds)), _optimality_headlines(found))


def independent(nodes: int, subcarriers: int) -> DMoEConfig:
    """Return a scenario that meets the theorem's assumptions."""
    return PAPER.override(
        num_nodes=nodes,
        num_subcarriers=subcarriers,
        doppler_hz=float("inf"),
        max_spectral_efficiency=100.0,
        importance=OPTIMALITY_IMPORTANCE,
    )


def measure(config: DMoEConfig, seeds: Sequence[int]) -> dict[str, Floats]:
    """Return means over the layers: gap to LB, and shares distinct and optimal, each (n,)."""
    gap, distinct = [], []
    for start in range(0, len(seeds), 4):  # a few at a time bounds the memory
        steps = list(walk(config, jesa(config), seeds[start : start + 4]))
        spent, bound = _joules_and_bound(steps, config)
        gap.append(spent / bound - 1.0)
        distinct.append(np.stack([best_differ(step.layer, config) for step in steps], axis=1))
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


def _optimality_headlines(found: Mapping[int, Mapping[str, Floats]]) -> list[Headline]:
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


def _draw_optimality(found: Mapping[int, Mapping[str, Floats]], seeds: int) -> Figure:
    figure, (left, right) = drawing.new_panels(
        f"DMoE, independent channels, γ0 = {OPTIMALITY_IMPORTANCE}, {seeds} seeds × 8 layers"
    )
    for nodes, measured in found.items():
        sizes, look = SUBCARRIERS[nodes], drawing.look_of(LOOKS[nodes])
        drawing.draw_band(left, sizes, measured["distinct"], look, f"all best differ, K = {nodes}")
        optimal = look._replace(line=":", marker="")
        drawing.draw_band(left, sizes, measured["optimal"], optimal, f"JESA = LB, K = {nodes}")
        formula = np.array([[optimality_probability(nodes, size) for size in sizes]])
        label = "formula Π (1 − i/S)" if nodes == 4 else ""
        drawing.draw_band(left, sizes, formula, drawing.BOUND._replace(line="-", marker="x"), label)
        drawing.draw_band(right, sizes, 100 * measured["gap"], look, f"K = {nodes}")
    drawing.double_along_x(left)
    drawing.double_along_x(right)
    left.set_ylim(0, 1.02)
    right.set_ylim(bottom=0)
    drawing.finish(left, "When JESA is optimal", "Subcarriers S", "Share of layers")
    drawing.finish(right, "JESA's energy above the lower bound", "Subcarriers S", "Gap to LB (%)")
    return figure


EXPERTS = Study("experts", "How many experts, and which, does each layer get?", run_experts)
OPTIMALITY = Study("optimality", "When does JESA reach the lower bound?", run_optimality)
