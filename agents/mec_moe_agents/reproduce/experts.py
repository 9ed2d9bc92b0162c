"""Which experts are chosen in each layer, as heat maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.dmoe.agent import Plan, Scheduler
from mec_moe_agents.dmoe.layer import token_joules
from mec_moe_agents.dmoe.schedulers import TopScheduler
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.reproduce.drawing import Floats, new_figure
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study
from mec_moe_agents.reproduce.walk import jesa, walk
from mec_moe_env import DMOE_PRESETS, DMoEConfig, Layer

IMPORTANCE = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
SHOWN = 0.8
"""γ0 of the map by energy rank."""


def run(seeds: Sequence[int]) -> Answer:
    """Count JESA's picks on `paper`, and Top-2's beside it."""
    paper = DMOE_PRESETS["paper"]
    cases: dict[str, tuple[DMoEConfig, Scheduler]] = {"Top-2": (paper, TopScheduler(paper))}
    for importance in IMPORTANCE:
        config = paper.override(importance=importance)
        cases[f"γ0 = {importance:g}"] = config, jesa(config)
    counts: dict[str, Floats] = {}
    rows: list[Row] = []
    for name, (config, scheduler) in cases.items():
        turns = walk(config, scheduler, seeds)
        counts[name] = np.stack([picks_by_rank(t.layer, t.plan, config) for t in turns], axis=1)
        rows += [
            {
                "scheduler": name,
                "seed": seed,
                "layer": layer + 1,
                "energy_rank": rank + 1,
                "picks_per_token": counts[name][row, layer, rank],
                "config": as_json(config),
            }
            for row, seed in enumerate(seeds)
            for layer in range(config.num_layers)
            for rank in range(config.num_nodes)
        ]
    return Answer(rows, _draw(counts, len(seeds)), _headlines(counts[f"γ0 = {SHOWN:g}"]))


def picks_by_rank(layer: Layer, plan: Plan, config: DMoEConfig) -> Floats:
    """Return picks per token of the r-th cheapest expert, as seen from each source, (n, K)."""
    order = token_joules(layer, config).argsort(axis=-1)[:, :, np.newaxis]
    chosen = np.take_along_axis(plan.selected, np.broadcast_to(order, plan.selected.shape), axis=-1)
    return np.asarray(chosen.mean(axis=(1, 2)), dtype=np.float64)


def _headlines(counts: Floats) -> list[Headline]:
    used = counts.sum(axis=2)
    ranks = np.arange(1, counts.shape[2] + 1)
    rank = counts @ ranks / used
    return [
        Headline(label, estimate_mean(values[:, layer]), decimals=2)
        for label, values in (("experts per token", used), ("energy rank of a pick", rank))
        for label, layer in (
            (f"{label} in the first layer, γ0 = {SHOWN}", 0),
            (f"{label} in the last layer, γ0 = {SHOWN}", -1),
        )
    ]


def _draw(counts: dict[str, Floats], seeds: int) -> Figure:
    figure, (left, right) = new_figure(f"DMoE · paper, {seeds} seeds: what is chosen in each layer")
    number = np.array([values.sum(axis=2).mean(axis=0) for values in counts.values()])
    _heat(left, number, list(counts), "Experts per token")
    shown = counts[f"γ0 = {SHOWN:g}"].mean(axis=0).T
    ranks = [str(rank) for rank in range(1, len(shown) + 1)]
    _heat(right, shown, ranks, f"Picks per token at γ0 = {SHOWN:g}")
    right.set_ylabel("Energy rank of the expert (1: cheapest for the source)")
    return figure


def _heat(axes: Axes, values: Floats, names: Sequence[str], title: str) -> None:
    image = axes.imshow(values, aspect="auto", cmap="viridis", vmin=0.0)
    axes.set_xticks(range(values.shape[1]), [str(layer + 1) for layer in range(values.shape[1])])
    axes.set_yticks(range(len(names)), names)
    axes.set(title=title, xlabel="Layer")
    for (row, column), value in np.ndenumerate(values):
        ink = "black" if value > 0.6 * values.max() else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=8)
    figure = axes.get_figure()
    assert figure is not None
    figure.colorbar(image, ax=axes)


STUDY = Study("experts", "How many experts, and which, does each layer get?", run)
