"""The claim of Li & Duan 2024: enough experts make the gating network converge, more only delay it.

Traditional schedulers keep overwriting what servers have learned, so that their overall
generalization error does not fall however long they run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import (
    RESAMPLES,
    Estimate,
    curve_band,
    estimate_mean,
    interval,
    resampled_means,
)
from mec_moe_agents.report.figure import Look
from mec_moe_agents.reproduce.drawing import Floats, draw_band, finish, look_of, new_figure
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study, at_least, at_most
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig

SERVERS = (10, 30, 50, 70)
AGENTS = ("gating", "nearest", "most-powerful", "random")
LARGEST_FALL = -5.0
"""Percent over the second half of the run up to which a curve counts as not falling."""
LOOKS = {
    10: Look("#882255", "--", ""),
    30: Look("#0072B2", "-", ""),
    50: Look("#009E73", "-.", ""),
    70: Look("#56B4E9", (0, (4, 1, 1, 1, 1, 1)), ""),
}

Found = Mapping[tuple[int, str], Episodes]


def scenario(servers: int) -> OffloadingConfig:
    """Return the paper's setting with M servers."""
    return OFFLOADING_PRESETS["paper-synthetic"].override(num_servers=servers)


def run(seeds: Sequence[int]) -> Answer:
    """Run every scheduler at every M on the same seeds."""
    found = {
        (servers, agent): evaluate(agent, scenario(servers), seeds)
        for servers in SERVERS
        for agent in AGENTS
    }
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
    lines = [
        Headline(f"final error of gating, M = {servers}", estimate_mean(gating[servers]),
                 decimals=2)
        for servers in SERVERS
    ]  # fmt: skip
    lines[0] = at_least("final error of gating, M = 10: too few", lines[0].estimate, 3.5, 2)
    lines[1] = at_most("final error of gating, M = 30: enough", lines[1].estimate, 3.0, 2)
    lines += [
        at_least("M = 70 above M = 30: more converge later", estimate_mean(gating[70] - gating[30]),
                 0.0, 2),
        at_least("nearest over gating, M = 30 (ratio)",
                 ratio(final(found, 30, "nearest"), gating[30]), 2.5, 2),
    ]  # fmt: skip
    for agent in AGENTS[1:]:
        lines.append(
            Headline(f"final error of {agent}, M = 30",
                     estimate_mean(final(found, 30, agent)), decimals=2)
        )  # fmt: skip
        label = f"{agent}, M = 30, change over the second half (%)"
        lines.append(at_least(label, estimate_mean(change(found[30, agent])), LARGEST_FALL))
    moved = estimate_mean(change(found[30, "gating"]))
    lines.append(Headline("gating, M = 30, change over the second half (%)", moved))
    return lines


def ratio(above: Floats, below: Floats) -> Estimate:
    """Estimate the ratio of two means over the same seeds, with its bootstrap interval."""
    mean = float(above.mean() / below.mean())
    if above.size < 2:
        return Estimate(mean, np.nan, np.nan)
    # The resamples are the same for both: pairs stay together.
    ratios = resampled_means(above, RESAMPLES) / resampled_means(below, RESAMPLES)
    low, high = interval(ratios, above.size)
    return Estimate(mean, float(low), float(high))


def _rows(found: Found) -> list[Row]:
    return [
        {
            "servers": servers,
            "scheduler": agent,
            "seed": seed,
            "generalization_error": episodes.metrics["generalization_error"][row],
            "forgetting": episodes.metrics["forgetting"][row],
            "energy_j": episodes.metrics["energy_j"][row],
            "change_percent": change(episodes)[row],
            "config": as_json(scenario(servers)),
        }
        for (servers, agent), episodes in found.items()
        for row, seed in enumerate(episodes.seeds.tolist())
    ]


def _draw(found: Found) -> Figure:
    seeds = found[SERVERS[0], AGENTS[0]].seeds.size
    figure, (left, right) = new_figure(
        f"Offloading · paper-synthetic, {seeds} seeds (mean and 95 % interval)"
    )
    _draw_curve(
        left, found[30, "nearest"], look_of("nearest")._replace(line=":"), "nearest, M = 30"
    )
    for servers in SERVERS:
        _draw_curve(left, found[servers, "gating"], LOOKS[servers], f"gating, M = {servers}")
    for agent in reversed(AGENTS):
        values = np.stack([final(found, servers, agent) for servers in SERVERS], axis=1)
        draw_band(right, SERVERS, values, look_of(agent), agent)
    right.set_xticks(SERVERS)
    for axes in (left, right):
        axes.set_ylim(0, 1.15 * max(final(found, m, a).mean() for m in SERVERS for a in AGENTS))
    finish(left, "Error over time", "Slot t", "Overall generalization error $G_t$")
    finish(right, "Error at the end", "Servers M", "Final generalization error $G_T$")
    return figure


def _draw_curve(axes: Axes, episodes: Episodes, look: Look, label: str) -> None:
    slots = np.unique(np.linspace(0, episodes.curve.shape[1] - 1, 300).astype(np.int64))
    curves = episodes.curve[:, slots]
    axes.plot(slots + 1, curves.mean(axis=0), color=look.color, ls=look.line, lw=1.8, label=label)
    if len(curves) > 1:
        axes.fill_between(slots + 1, *curve_band(curves), color=look.color, alpha=0.18, lw=0)


STUDY = Study("offloading", "Do enough experts make the gating network converge?", run)
