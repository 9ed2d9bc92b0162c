"""The companion paper's synthetic experiment, as its first author's program runs it.

Li, Lin, Duan, Liang & Shroff, "Theory on Mixture-of-Experts in Continual Learning", ICLR 2025
(arXiv 2406.16437), repository LiHongbo97/MoE-in-CL, `fig2_forgetting_error.py`: no network, every
expert is always idle. Its errors are distances, not their squares. The program itself was run on 24
seeds, unchanged but for the seed; `data/continual_author.csv` has the means and standard errors.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.offloading.routing import RoutingAgent, make_gate
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, rows_of
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingVectorEnv, foresight
from mec_moe_env.core.buffers import Floats, Integers

PUBLISHED = Path(__file__).with_name("data") / "continual_author.csv"
SERVERS = (1, 5, 10, 20)
ROUNDS = (500, 1000, 2000)
"""After how many rounds errors are compared."""
LOOKS = 40
"""Points of a curve."""
FAR, MOST_FAR = 2.5, 1
"""Beyond so many combined standard errors at most so many of the cells may lie."""
FARTHEST = 3.5
"""No cell may lie further away."""
STYLES = {
    1: drawing.Look("#8C8C8C", ":", ""),
    5: drawing.Look("#0072B2", "-", ""),
    10: drawing.Look("#009E73", "-.", ""),
    20: drawing.Look("#882255", "--", ""),
}


class Published(NamedTuple):
    """What the author's program gives for a number of experts after a number of rounds."""

    error: float
    error_se: float
    forgetting: float
    forgetting_se: float


class Curves(NamedTuple):
    """One M on n seeds, looked at after each of R numbers of rounds."""

    rounds: Integers
    """(R,)."""
    error: Floats
    """G_t, (n, R)."""
    forgetting: Floats
    """F_t, (n, R)."""


class History(NamedTuple):
    """What happened to T tasks of n episodes."""

    truths: Floats
    """(n, T, d)."""
    servers: Integers
    """(n, T), who learned each task."""
    learned: Floats
    """(n, T), ‖w − w_τ‖ of that server just after."""


def scenario(servers: int) -> OffloadingConfig:
    """Return the program's setting with M experts."""
    return OFFLOADING_PRESETS["continual"].override(num_servers=servers)


def options(config: OffloadingConfig) -> dict[str, Any]:
    """Return the program's gate."""
    return {
        "learning_rate": 0.5,
        "noise": 0.3,
        "softmax_noise": True,
        "load_balance": 0.5,
        "load": "round",
        "early_termination": config.truth_scale**1.25,
        "least_rounds": 80 + 3 * config.num_servers,
    }


def published() -> dict[tuple[int, int], Published]:
    """Return the author's figures by M and rounds."""
    with PUBLISHED.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    fields = ("error_mean", "error_se", "forgetting_mean", "forgetting_se")
    return {
        (int(row["servers"]), int(row["rounds"])): Published(*(float(row[name]) for name in fields))
        for row in rows
    }


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run the program's gate with every number of experts on the same pools and sequences."""
    # What arrives does not depend on the number of experts.
    truths = np.stack([foresight(scenario(2), seed).linear[:, 0] for seed in seeds])
    calls = {servers: partial(play, scenario(servers), seeds, truths) for servers in SERVERS}
    found = gather(calls, executor)
    return Answer(_rows(found, seeds), _draw(found), headlines(found))


def play(config: OffloadingConfig, seeds: Sequence[int], truths: Floats) -> Curves:
    """Run the gate on one episode per seed, whose tasks have these ground truths, (n, T, d)."""
    env = OffloadingVectorEnv(len(seeds), config)
    agent = RoutingAgent(config, make_gate("gating", config, seed=seeds, **options(config)))
    shape, every = truths.shape[:2], np.arange(len(seeds))
    history = History(truths, np.zeros(shape, np.int64), np.zeros(shape))
    looks = [t for t in looks_of(config.horizon) if t <= config.horizon]
    curves = Curves(np.array(looks), *np.zeros((2, len(seeds), len(looks))))
    observation, state = env.reset(seed=list(seeds))[0], None
    for t in range(config.horizon):
        action, state = agent.predict(observation, state)
        observation = env.step(action)[0]
        models, chosen = env.expert_models(), action[:, 0]
        history.servers[:, t] = chosen
        history.learned[:, t] = distances(models[every, chosen], truths[:, t])
        if t + 1 in looks:
            at = looks.index(t + 1)
            curves.error[:, at], curves.forgetting[:, at] = judge(models, history, t + 1)
    env.close()
    return curves


def looks_of(horizon: int) -> list[int]:
    """Return after how many rounds to look."""
    spread = np.linspace(0, horizon, LOOKS + 1)[1:].astype(np.int64)
    return sorted({*spread.tolist(), *ROUNDS})


def distances(models: Floats, truths: Floats) -> Floats:
    """Return ‖w − w_τ‖ along the last axis."""
    return np.asarray(np.linalg.norm(models - truths, axis=-1))


def judge(models: Floats, history: History, t: int) -> tuple[Floats, Floats]:
    """Return G_t and F_t, each (n,), after t rounds, with models (n, M, d).

    G_t = (1/(t + 1))·Σ_{i<t} ‖w^{(m_i)} − w_i‖, and F_t = (1/t)·Σ_{i≤t−2} |that now − just after i
    was learned|, as the author's program has them: i counts from 0.
    """
    every = np.arange(len(models))[:, np.newaxis]
    now = distances(models[every, history.servers[:, :t]], history.truths[:, :t])
    lost = np.abs(now - history.learned[:, :t])[:, : t - 1]
    return now.sum(axis=1) / (t + 1), lost.sum(axis=1) / t


def deviation(ours: Floats, mean: float, standard_error: float) -> float:
    """Return by how many combined standard errors the mean of (n,) lies above another."""
    own = float(ours.var(ddof=1)) / len(ours) if len(ours) > 1 else np.nan
    return float((ours.mean() - mean) / np.sqrt(own + standard_error**2))


def headlines(found: Mapping[int, Curves]) -> list[Headline]:
    """Set each error beside the author's, and count those that lie far from it."""
    lines, sizes = [], []
    theirs = published()
    for servers, curves in found.items():
        for t in ROUNDS:
            cell, at = theirs[servers, t], curves.rounds.tolist().index(t)
            ours = curves.error[:, at]
            sizes.append(abs(deviation(ours, cell.error, cell.error_se)))
            label = f"G, M = {servers}, t = {t}: {sizes[-1]:.1f} s.e. away"
            target = f"{cell.error:.3f} ± {cell.error_se:.3f}"
            lines.append(
                Headline(label, estimate_mean(ours), target, sizes[-1] <= FARTHEST, decimals=3)
            )
    far = sum(size > FAR for size in sizes)
    label = f"cells beyond {FAR} s.e., of {len(sizes)}"
    lines.append(Headline(label, Estimate(float(far)), f"≤ {MOST_FAR}", far <= MOST_FAR, 0))
    return lines


def _rows(found: Mapping[int, Curves], seeds: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for servers, curves in found.items():
        for t in ROUNDS:
            at = curves.rounds.tolist().index(t)
            columns = {"error": curves.error[:, at], "forgetting": curves.forgetting[:, at]}
            rows += rows_of({"servers": servers, "round": t}, seeds, columns, scenario(servers))
    return rows


def _draw(found: Mapping[int, Curves]) -> Figure:
    seeds = len(found[SERVERS[0]].error)
    figure, panels = drawing.new_panels(
        f"Continual learning without a network, {seeds} seeds (mean and 95 % interval)\n"
        "bars: the author's program, 24 seeds"
    )
    for axes, name in zip(panels, ("error", "forgetting"), strict=True):
        for servers, curves in found.items():
            style = STYLES[servers]
            values = getattr(curves, name)
            drawing.draw_band(axes, curves.rounds, values, style, f"M = {servers}")
            _draw_published(axes, servers, name, style)
        axes.set_ylim(bottom=0)
    drawing.finish(
        panels[0], "Overall generalization error", "Round t", "$G_t$ (not squared)", legend=None
    )
    drawing.finish(panels[1], "Forgetting", "Round t", "$F_t$ (not squared)", legend=None)
    drawing.legend_below(figure, *panels[0].get_legend_handles_labels(), len(found))
    return figure


def _draw_published(axes: Axes, servers: int, name: str, style: drawing.Look) -> None:
    """Draw the author's means with 95 % intervals; beside each other, as two M nearly meet."""
    theirs, shift = published(), 12 * SERVERS.index(servers)
    for t in ROUNDS:
        cell = theirs[servers, t]
        mean, error = getattr(cell, name), getattr(cell, f"{name}_se")
        bar: dict[str, Any] = {"color": style.color, "capsize": 3, "marker": "o", "markersize": 4}
        axes.errorbar(t + shift, mean, yerr=1.96 * error, **bar)


STUDY = Study(
    "continual", "Does the gate do in this environment what it does in its author's program?", run
)
