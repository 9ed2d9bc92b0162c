"""What networks with two hidden layers change: linear experts and networks under the same routers.

The paper's experiments on images train deep experts (Li & Duan 2024); its theory is of linear ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.rollout import Episodes, evaluate
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, at_least, rows_of
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.core.buffers import Floats

SCENARIOS = ("teacher", "digits", "mnist-5k")
EXPERTS = ("linear", "mlp")
TRADITIONAL = ("nearest", "most-powerful", "random")
ROUTERS = (*TRADITIONAL, "gating", "profile")
SPECIALISING = ROUTERS[len(TRADITIONAL) :]
ERROR = "generalization_error"
"""The paper's metric; the return adds energy and delay."""
LEAST_ACCURACY = 0.96
"""Of `profile` with networks on mnist-5k."""

Found = Mapping[tuple[str, str, str], Episodes]
"""By scenario, kind of experts and router."""


def scenario(name: str, experts: str) -> OffloadingConfig:
    """Return a scenario with one kind of experts."""
    return OFFLOADING_PRESETS[name].override(experts=experts)


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run every router with both kinds of experts on the same seeds."""
    found = evaluate_all(SCENARIOS, ROUTERS, seeds, executor)
    return Answer(as_rows(found), _draw(found), headlines(found))


def evaluate_all(
    scenarios: Sequence[str],
    routers: Sequence[str],
    seeds: Sequence[int],
    executor: Executor | None,
) -> Found:
    """Play every scenario under every router with both kinds of experts, on the same seeds."""
    calls = {
        (name, experts, router): partial(evaluate, router, scenario(name, experts), seeds)
        for name, experts, router in itertools.product(scenarios, EXPERTS, routers)
    }
    return gather(calls, executor)


def metric(found: Found, name: str, scenario: str, experts: str, router: str) -> Floats:
    """Return a measure of each episode, (n,)."""
    return found[scenario, experts, router].metrics[name]


def lead(label: str, values: Floats, others: Floats, decimals: int = 1) -> Headline:
    """Return by how much values (n,) exceed others, seed by seed; beyond doubt, if it holds."""
    estimate = estimate_mean(values - others)
    return Headline(label, estimate, "> 0", bool(estimate.low > 0), decimals)


def headlines(found: Found) -> list[Headline]:
    """State who leads by how much return, and how often the experts are right."""
    lines = []
    for name in SCENARIOS:
        returns = {
            (experts, router): metric(found, "return", name, experts, router)
            for experts, router in itertools.product(EXPERTS, ROUTERS)
        }
        for router in SPECIALISING:
            label = f"{name}: {router}, networks above linear (return)"
            lines.append(lead(label, returns["mlp", router], returns["linear", router]))
        for router, other in itertools.product(SPECIALISING, TRADITIONAL):
            higher, lower = (metric(found, ERROR, name, "mlp", each) for each in (other, router))
            label = f"{name}: error of {router} below {other}, networks"
            lines.append(lead(label, higher, lower, 3))
            label = f"{name}: {router} above {other}, networks (return)"
            lines.append(lead(label, returns["mlp", router], returns["mlp", other]))
        for experts in EXPERTS:
            accuracy = estimate_mean(metric(found, "accuracy", name, experts, "profile"))
            label = f"{name}: accuracy of profile, {experts}"
            judged = (name, experts) == ("mnist-5k", "mlp")
            lines.append(
                at_least(label, accuracy, LEAST_ACCURACY, 3)
                if judged
                else Headline(label, accuracy, decimals=3)
            )
    return lines


def as_rows(found: Found) -> list[Row]:
    """Return a row per scenario, kind of experts, router and seed."""
    rows: list[Row] = []
    for (name, experts, router), episodes in found.items():
        names = ("return", "generalization_error", "forgetting", "accuracy", "energy_j")
        columns = {column: episodes.metrics[column] for column in names}
        labels = {"scenario": name, "experts": experts, "scheduler": router}
        rows += rows_of(labels, episodes.seeds.tolist(), columns, scenario(name, experts))
    return rows


def _draw(found: Found) -> Figure:
    seeds = next(iter(found.values())).seeds.size
    figure, panels = drawing.new_panels(
        f"Linear experts and networks, {seeds} seeds (mean and 95 % interval)", len(SCENARIOS)
    )
    for axes, name in zip(panels, SCENARIOS, strict=True):
        _draw_scenario(axes, found, name)
        label = "Held-out accuracy" if name == SCENARIOS[0] else ""
        drawing.finish(axes, name, "Experts", label, legend=None)
    handles, labels = panels[0].get_legend_handles_labels()
    drawing.legend_below(figure, handles, labels, most_columns=len(ROUTERS))
    return figure


def _draw_scenario(axes: Axes, found: Found, name: str) -> None:
    for router in ROUTERS:
        estimates = [
            estimate_mean(metric(found, "accuracy", name, experts, router)) for experts in EXPERTS
        ]
        look = drawing.look_of(router)
        x = np.arange(len(EXPERTS)) + 0.03 * (ROUTERS.index(router) - 2)
        drawing.draw_intervals(axes, x, estimates, look, label=router, capsize=3)
    axes.set_xticks(range(len(EXPERTS)), EXPERTS)
    axes.set_xlim(-0.3, len(EXPERTS) - 0.7)


STUDY = Study("experts", "What do networks change, under every router?", run)
