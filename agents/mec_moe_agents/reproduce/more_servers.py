"""What do more servers than enough cost, and how many are best? An open question (Q2).

Li & Duan 2024: once there are enough experts for convergence, more of them delay it and worsen the
error. Here the error is read off after T = 1000, 3000 and 6000 slots of the same episodes, so that
what lasts can be told from what only comes later. Convergence is that of `convergence.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, positive, rows_of
from mec_moe_agents.reproduce.convergence import (
    WINDOW,
    Routing,
    converged_from,
    estimate_best,
    first_reached,
    types_of,
    watch,
)
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.core.buffers import Floats

SERVERS = (10, 20, 30, 40, 50, 70, 100)
ROUTERS = ("gating", "profile")
TIMES = (1000, 3000, 6000)
"""Slots after which the error is read off."""
TOLERANCE = 0.2
"""Share of tasks that may go astray after convergence."""
LOOKS = (
    drawing.Look("#E69F00", ":", "v"),
    drawing.Look("#E377C2", "--", "D"),
    drawing.Look("#882255", "-", "o"),
)
"""Of `gating`, by time."""

Found = Mapping[tuple[str, int], Routing]
"""By router and number of servers."""


def scenario(servers: int) -> OffloadingConfig:
    """Return the paper's setting with M servers, for twice as long."""
    return OFFLOADING_PRESETS["paper-synthetic"].override(num_servers=servers, horizon=TIMES[-1])


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run both routers with every number of servers on the same seeds."""
    types = types_of(scenario(1), seeds)
    calls = {
        (router, servers): partial(watch, router, scenario(servers), seeds, types)
        for router, servers in itertools.product(ROUTERS, SERVERS)
    }
    found = gather(calls, executor)
    return Answer(_rows(found, seeds), _draw(found), headlines(found))


def errors(found: Found, router: str, time: int) -> Floats:
    """Return G_t after so many slots with each number of servers, (n, K)."""
    return np.stack([found[router, m].episodes.curve[:, time - 1] for m in SERVERS], axis=1)


def slots(found: Found, router: str, first: bool) -> Floats:
    """Return from when on each episode has converged, for good or as if, (n, K); T for never."""
    moment = first_reached if first else converged_from
    times = [moment(found[router, m].at_home, WINDOW, TOLERANCE) for m in SERVERS]
    return np.nan_to_num(np.stack(times, axis=1), nan=TIMES[-1])


def headlines(found: Found) -> list[Headline]:
    """State the best M, what more cost, and when episodes converge."""
    lines = []
    for router, time in itertools.product(ROUTERS, TIMES):
        values = errors(found, router, time)
        best = int(values.mean(axis=0).argmin())
        estimate = estimate_best(SERVERS, values)
        lines.append(Headline(f"{router}: best M after {time} slots", estimate, decimals=0))
        for place in sorted({best, len(SERVERS) - 1}):
            label = f"{router}: G, M = {SERVERS[place]}, after {time} slots"
            lines.append(Headline(label, estimate_mean(values[:, place]), decimals=2))
        if best < len(SERVERS) - 1:
            worse = estimate_mean(values[:, -1] - values[:, best])
            label = f"{router}: G, M = {SERVERS[-1]} − M = {SERVERS[best]}, after {time} slots"
            lines.append(positive(label, worse, decimals=2))
    for router in ROUTERS:
        for words, first in (("first as if converged", True), ("converged for good", False)):
            for servers, column in zip(SERVERS, slots(found, router, first).T, strict=True):
                label = f"{router}, M = {servers}: slot, {words} (T: never)"
                lines.append(Headline(label, estimate_mean(column), decimals=0))
    return lines


def _rows(found: Found, seeds: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for (router, servers), routing in found.items():
        columns = {f"error_{time}": routing.episodes.curve[:, time - 1] for time in TIMES}
        columns["first_reached"] = first_reached(routing.at_home, WINDOW, TOLERANCE)
        columns["converged_from"] = converged_from(routing.at_home, WINDOW, TOLERANCE)
        labels = {"scheduler": router, "servers": servers}
        rows += rows_of(labels, seeds, columns, scenario(servers))
    return rows


def _draw(found: Found) -> Figure:
    seeds = len(next(iter(found.values())).at_home)
    figure, (left, right) = drawing.new_panels(
        f"Offloading · paper-synthetic, {seeds} seeds (mean and 95 % interval)"
    )
    for time, look in zip(TIMES, LOOKS, strict=True):
        values = errors(found, "gating", time)
        drawing.draw_band(left, SERVERS, values, look, f"gating, {time} slots")
    look = drawing.look_of("profile")
    values = errors(found, "profile", TIMES[-1])
    drawing.draw_band(left, SERVERS, values, look, f"profile, {TIMES[-1]} slots")
    for router in ROUTERS:
        _draw_times(right, found, router)
    for axes in (left, right):
        axes.set_ylim(bottom=0)
    drawing.finish(left, "Error", "Servers M", "Overall generalization error $G_t$")
    drawing.finish(
        right,
        f"Convergence (at most {100 * TOLERANCE:.0f} % astray; T = {TIMES[-1]}: never)",
        "Servers M",
        "Slot",
    )
    return figure


def _draw_times(axes: Axes, found: Found, router: str) -> None:
    look = drawing.look_of(router)
    drawing.draw_band(axes, SERVERS, slots(found, router, False), look, f"{router}, for good")
    first = slots(found, router, True)
    drawing.draw_band(axes, SERVERS, first, look._replace(line=":"), f"{router}, the first time")


STUDY = Study("q2", "What do more servers than enough cost?", run)
