"""The claim of Li & Duan 2024: enough experts make the gating network converge, more only delay it.

Traditional schedulers keep overwriting what servers have learned, so that their overall
generalization error does not fall however long they run.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.rollout import Episodes, evaluate
from mec_moe_agents.evaluation.statistics import estimate_mean, estimate_ratio
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, at_least, at_most, rows_of
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.core.buffers import Floats

SERVERS = (10, 30, 50, 70)
AGENTS = ("gating", "nearest", "most-powerful", "random")
LARGEST_FALL = -5.0
"""Percent over the second half of the run up to which a curve counts as not falling."""
LOOKS = {
    10: drawing.Look("#882255", "--", ""),
    30: drawing.Look("#0072B2", "-", ""),
    50: drawing.Look("#009E73", "-.", ""),
    70: drawing.Look("#56B4E9", (0, (4, 1, 1, 1, 1, 1)), ""),
}

Found = Mapping[tuple[int, str], Episodes]


def scenario(servers: int) -> OffloadingConfig:
    """Return the paper's setting with M servers."""
    return OFFLOADING_PRESETS["paper-synthetic"].override(num_servers=servers)


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run every scheduler at every M on the same seeds."""
    cases = itertools.product(SERVERS, AGENTS)
    calls = {case: partial(evaluate, case[1], scenario(case[0]), seeds) for case in cases}
    found = gather(calls, executor)
    return Answer(_rows(found), _draw(found), headlines(found))


def change(episodes: Episodes) -> Floats:
    """Return the change of G_t over the second half of each episode in percent, (n,)."""
    middle = episodes.curve[:, episodes.curve.shape[1] // 2 - 1]
    return np.asarray(100.0 * (episodes.curve[:, -1] / middle - 1.0), dtype=np.float64)


def final(found: Found, servers: int, agent: str) -> Floats:
    """Return G_T of each episode, (n,)."""
    return found[servers, agent].metrics["generalization_error"]


def headlines(found: Found) -> list[Headline]:
    """State each claim with its figure, and whether it holds."""
    gating = {servers: final(found, servers, "gating") for servers in SERVERS}
    means = {servers: estimate_mean(errors) for servers, errors in gating.items()}
    later = estimate_mean(gating[70] - gating[30])
    worse = estimate_ratio(final(found, 30, "nearest"), gating[30])
    lines = [
        at_least("final error of gating, M = 10: too few", means[10], 3.5, 2),
        at_most("final error of gating, M = 30: enough", means[30], 3.0, 2),
        Headline("final error of gating, M = 50", means[50], decimals=2),
        Headline("final error of gating, M = 70", means[70], decimals=2),
        at_least("M = 70 above M = 30: more converge later", later, 0.0, 2),
        at_least("nearest over gating, M = 30 (ratio)", worse, 2.5, 2),
    ]
    for agent in AGENTS[1:]:
        error = estimate_mean(final(found, 30, agent))
        lines.append(Headline(f"final error of {agent}, M = 30", error, decimals=2))
        label = f"{agent}, M = 30, change over the second half (%)"
        lines.append(at_least(label, estimate_mean(change(found[30, agent])), LARGEST_FALL))
    moved = estimate_mean(change(found[30, "gating"]))
    lines.append(Headline("gating, M = 30, change over the second half (%)", moved))
    return lines


def _rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for (servers, agent), episodes in found.items():
        names = ("generalization_error", "forgetting", "energy_j")
        columns = {name: episodes.metrics[name] for name in names}
        columns["change_percent"] = change(episodes)
        labels = {"servers": servers, "scheduler": agent}
        rows += rows_of(labels, episodes.seeds.tolist(), columns, scenario(servers))
    return rows


def _draw(found: Found) -> Figure:
    seeds = found[SERVERS[0], AGENTS[0]].seeds.size
    figure, (left, right) = drawing.new_panels(
        f"Offloading · paper-synthetic, {seeds} seeds (mean and 95 % interval)"
    )
    nearest = drawing.look_of("nearest")._replace(line=":", marker="")
    drawing.draw_curves(
        left, found[30, "nearest"].curve, nearest, "nearest, M = 30", most_points=300
    )
    for servers in SERVERS:
        curve, label = found[servers, "gating"].curve, f"gating, M = {servers}"
        drawing.draw_curves(left, curve, LOOKS[servers], label, most_points=300)
    for agent in reversed(AGENTS):
        values = np.stack([final(found, servers, agent) for servers in SERVERS], axis=1)
        drawing.draw_band(right, SERVERS, values, drawing.look_of(agent), agent)
    right.set_xticks(SERVERS)
    for axes in (left, right):
        axes.set_ylim(0, 1.15 * max(final(found, m, a).mean() for m in SERVERS for a in AGENTS))
    drawing.finish(left, "Error over time", "Slot t", "Overall generalization error $G_t$")
    drawing.finish(right, "Error at the end", "Servers M", "Final generalization error $G_T$")
    return figure


STUDY = Study("offloading", "Do enough experts make the gating network converge?", run)
