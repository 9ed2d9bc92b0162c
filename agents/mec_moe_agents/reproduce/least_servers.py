"""How many servers does convergence really take? An open question of Li & Duan 2024 (Q1).

The paper proves that M = Ω(N·M_th·ln(1/δ)) experts are enough, with tasks of uniform types. Here
types are uniform, skewed or in bursts, and servers are away for short or long or because they fail;
δ = 0.1 of the episodes may fail to converge. Convergence is that of `convergence.py`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, rows_of
from mec_moe_agents.reproduce.convergence import (
    WINDOW,
    Routing,
    converged_from,
    estimate_least,
    types_of,
    watch,
)
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.theory import enough_experts

BASE = OFFLOADING_PRESETS["paper-synthetic"]
ARRIVALS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "uniform": {},
        # Zipf's law: the most frequent type arrives ten times as often as the rarest.
        "skewed": {"type_frequencies": tuple(1.0 / n for n in range(1, BASE.num_types + 1))},
        # Runs of five tasks of a type, in the mean a little more.
        "bursts": {"type_persistence": 0.8},
    }
)
AVAILABILITY: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "delays up to 5": {},
        "no delay": {"max_delay": 1},
        # Thrice the work.
        "delays up to 15": {"max_delay": 15, "compute_seconds": (0.015, 0.09)},
        # A server fails every hundred slots and is away for ten.
        "failures": {"failure_rate": 0.01},
    }
)
SERVERS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"gating": (10, 20, 25, 30, 40, 50, 70), "profile": (10, 12, 15, 20, 25, 30, 40)}
)
"""By router; nobody converges with fewer servers than types."""
TOLERANCES = (0.2, 0.1)
"""Shares of tasks that may go astray after convergence."""
LINES: tuple[Literal["-", ":"], ...] = ("-", ":")
"""By tolerance."""
FAILURE = 0.1
"""δ."""
FORMULAS = ("N·M_th·ln(1/δ)", "Σ M_th,n·ln(1/δ), M_th,n counted")


class Condition(NamedTuple):
    """How tasks arrive and how long servers are away."""

    arrival: str
    availability: str

    def __str__(self) -> str:
        return f"{self.arrival}, {self.availability}"

    @property
    def config(self) -> OffloadingConfig:
        """The scenario, but for the number of servers."""
        return BASE.override(**ARRIVALS[self.arrival], **AVAILABILITY[self.availability])


Found = Mapping[Condition, Mapping[tuple[str, int], Routing]]
"""By router and number of servers."""


def conditions() -> list[Condition]:
    """Return every pattern of arrivals with short delays, and every other availability."""
    first, *others = AVAILABILITY
    return [
        *(Condition(arrival, first) for arrival in ARRIVALS),
        *(Condition("uniform", availability) for availability in others),
    ]


def scenario(condition: Condition, servers: int) -> OffloadingConfig:
    """Return a condition's scenario with M servers."""
    return condition.config.override(num_servers=servers)


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run both routers in every condition with every number of servers on the same seeds."""
    patterns = {
        arrival: types_of(scenario(Condition(arrival, next(iter(AVAILABILITY))), 1), seeds)
        for arrival in ARRIVALS
    }
    calls = {each: partial(watch_all, each, seeds, patterns[each.arrival]) for each in conditions()}
    found = gather(calls, executor)
    formulas = {each: both_formulas(each, patterns[each.arrival]) for each in conditions()}
    rows = _rows(found, formulas, seeds)
    return Answer(rows, _draw(found, formulas), headlines(found, formulas))


def watch_all(
    condition: Condition, seeds: Sequence[int], types: Integers
) -> dict[tuple[str, int], Routing]:
    """Run both routers in a condition, whose tasks have these types, (n, T)."""
    return {
        (router, servers): watch(router, scenario(condition, servers), seeds, types)
        for router, sizes in SERVERS.items()
        for servers in sizes
    }


def both_formulas(condition: Condition, types: Integers) -> tuple[float, float]:
    """Return N·M_th·ln(1/δ), and Σ_n M_th,n·ln(1/δ) with M_th,n counted in the types, (n, T)."""
    config = condition.config
    paper = enough_experts(config.num_types, config.max_delay, FAILURE)
    return paper, counted_experts(types, config.num_types, config.max_delay, FAILURE)


def counted_experts(
    types: Integers, num_types: int, max_delay: int, failure_probability: float
) -> float:
    """Return Σ_n M_th,n·ln(1/δ): the paper's number for other arrivals than uniform ones.

    Our extension: M_th,n is the least number, one at least, that the tasks of type n among d_u in a
    row exceed in a share of at most δ. Uniform types give N·M_th·ln(1/δ) again.

    Args:
        types: of the tasks of each episode, (n, T).
        num_types: N.
        max_delay: d_u, slots.
        failure_probability: δ.
    """
    rows = np.lib.stride_tricks.sliding_window_view(types, max_delay, axis=1)
    total = 0
    for n in range(num_types):
        counts = (rows == n).sum(axis=-1)
        most = range(1, max_delay + 1)
        total += next(m for m in most if (counts > m).mean() <= failure_probability)
    return total * -math.log(failure_probability)


def converged(routings: Mapping[tuple[str, int], Routing], router: str, tolerance: float) -> Flags:
    """Return which episodes have converged with each number of servers, (n, K)."""
    times = [
        converged_from(routings[router, servers].at_home, WINDOW, tolerance)
        for servers in SERVERS[router]
    ]
    return ~np.isnan(np.stack(times, axis=1))


def headlines(found: Found, formulas: Mapping[Condition, tuple[float, float]]) -> list[Headline]:
    """State the least number of servers beside the formulas, condition by condition."""
    lines = []
    for condition, routings in found.items():
        for name, value in zip(FORMULAS, formulas[condition], strict=True):
            lines.append(Headline(f"{condition}: {name}", Estimate(value), decimals=0))
        for router, tolerance in itertools.product(SERVERS, TOLERANCES):
            flags = converged(routings, router, tolerance)
            label = f"{condition}: least M of {router}, ≤ {100 * tolerance:.0f} % astray"
            if not flags.mean(axis=0).max() >= 1.0 - FAILURE:
                label += f" (none up to {SERVERS[router][-1]})"
            lines.append(
                Headline(label, estimate_least(SERVERS[router], flags, FAILURE), decimals=0)
            )
    return lines


def _rows(
    found: Found, formulas: Mapping[Condition, tuple[float, float]], seeds: Sequence[int]
) -> list[Row]:
    rows: list[Row] = []
    for condition, routings in found.items():
        for (router, servers), routing in routings.items():
            metrics = routing.episodes.metrics
            columns: dict[str, Floats | float] = {
                f"converged_from_{tolerance:g}": converged_from(routing.at_home, WINDOW, tolerance)
                for tolerance in TOLERANCES
            }
            columns["at_home"] = routing.at_home[:, -WINDOW:].mean(axis=1)
            columns |= {name: metrics[name] for name in ("generalization_error", "lost")}
            columns["formula"], columns["counted_formula"] = formulas[condition]
            labels = {**condition._asdict(), "scheduler": router, "servers": servers}
            rows += rows_of(labels, seeds, columns, scenario(condition, servers))
    return rows


def _draw(found: Found, formulas: Mapping[Condition, tuple[float, float]]) -> Figure:
    seeds = len(next(iter(next(iter(found.values())).values())).at_home)
    figure = drawing.new_figure(
        f"Episodes that converge within T = {BASE.horizon} slots, {seeds} seeds "
        "(mean and 95 % interval)",
        (8.8, 6.0),
    )
    grid = figure.subplots(2, math.ceil(len(found) / 2), sharex=True, sharey=True)
    for axes, condition in zip(grid.flat, found, strict=True):
        _draw_panel(axes, found[condition], formulas[condition])
        drawing.finish(axes, str(condition), "", legend=None)
    for axes in grid[-1]:
        axes.set_xlabel("Servers M")
    for axes in grid[:, 0]:
        axes.set_ylabel("Share of episodes")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    drawing.legend_below(figure, handles, labels, most_columns=3)
    return figure


def _draw_panel(
    axes: Axes, routings: Mapping[tuple[str, int], Routing], formulas: tuple[float, float]
) -> None:
    for router, sizes in SERVERS.items():
        for tolerance, line in zip(TOLERANCES, LINES, strict=True):
            look = drawing.look_of(router)._replace(line=line)
            shares = converged(routings, router, tolerance).astype(np.float64)
            label = f"{router}, ≤ {100 * tolerance:.0f} % astray"
            drawing.draw_band(axes, sizes, shares, look, label)
    paper, counted = formulas
    axes.axvline(paper, color="black", lw=1.2, label=f"{FORMULAS[0]}, δ = {FAILURE}")
    axes.axvline(counted, color="black", lw=1.2, ls="--", label=FORMULAS[1])
    axes.set_ylim(-0.03, 1.03)


STUDY = Study("q1", "How many servers does convergence take?", run)
