"""Nodes and time of DES against K, beside exhaustive search and HiGHS."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import Bounds, LinearConstraint, milp

from mec_moe_agents.evaluation.drawing import Look, double_along_x, finish, new_panels
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.executors import Executor
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, at_most
from mec_moe_agents.solvers import select_experts
from mec_moe_env.core.buffers import Floats

EXPERTS = (8, 12, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
MAX_EXPERTS = 4
"""D."""
SHARE = 0.6
"""The threshold as a share of what the D best experts reach together."""
REPEATS = 5
LIMITS = {"des": max(EXPERTS), "exhaustive": 32, "highs": 256}
"""The largest K of each solver; more would take all the time."""
LOOKS = {
    "des": ("DES", Look("#0072B2", "-", "o")),
    "exhaustive": ("exhaustive search", Look("#E69F00", "--", "s")),
    "highs": ("HiGHS", Look("#000000", ":", "^")),
}


class Solved(NamedTuple):
    """One token."""

    energy_j: float
    nodes: float
    seconds: float


Instance = tuple[Floats, Floats, float]
"""Energies (K,), scores (K,), threshold."""
Solver = Callable[[Sequence[Instance]], list[Solved]]


def draw_instance(experts: int, seed: int) -> Instance:
    """Draw energies of unequal links, scores of a softmax gate, and a threshold."""
    rng = np.random.default_rng([experts, seed])
    energy = 1e-3 * rng.uniform(0.5, 1.5, experts) + 1e-3 / rng.exponential(1.0, experts).clip(0.1)
    score = np.exp(1.5 * rng.standard_normal(experts))
    score /= score.sum()
    return energy, score, SHARE * float(np.sort(score)[-MAX_EXPERTS:].sum())


def solve_by_des(instances: Sequence[Instance]) -> list[Solved]:
    """Solve all tokens in one call, as a layer of an environment does."""
    energy, score, threshold = (np.array(part) for part in zip(*instances, strict=True))
    found = select_experts(energy, score, threshold, MAX_EXPERTS)  # compiled before the clock runs
    seconds = math.inf
    for _ in range(REPEATS):  # so short that anything else on the machine would show
        begin = time.perf_counter()
        found = select_experts(energy, score, threshold, MAX_EXPERTS)
        seconds = min(seconds, (time.perf_counter() - begin) / len(instances))
    assert found.proven.all()
    pairs = zip(found.energy.tolist(), found.nodes.tolist(), strict=True)
    return [Solved(joules, nodes, seconds) for joules, nodes in pairs]


def solve_each(
    solve: Callable[[Instance], tuple[float, float]], instances: Sequence[Instance]
) -> list[Solved]:
    """Solve the tokens one by one, to joules and nodes."""
    solved = []
    for instance in instances:
        begin = time.perf_counter()
        joules, nodes = solve(instance)
        solved.append(Solved(joules, nodes, time.perf_counter() - begin))
    return solved


def by_exhaustion(instance: Instance) -> tuple[float, float]:
    """Return joules and the number of sets of at most D experts, all of them tried."""
    energy, score, threshold = instance
    best, tried = math.inf, 0
    for size in range(1, MAX_EXPERTS + 1):
        sets = np.array(list(combinations(range(energy.size), size)))
        reached = score[sets].sum(axis=1) >= threshold * (1 - 1e-12)
        tried += len(sets)
        if reached.any():
            best = min(best, float(energy[sets[reached]].sum(axis=1).min()))
    return best, float(tried)


def by_highs(instance: Instance) -> tuple[float, float]:
    """Return joules and branch-and-bound nodes of HiGHS."""
    energy, score, threshold = instance
    rows = np.stack([score, np.ones(energy.size)])
    scale = energy.mean()
    found = milp(
        energy / scale,
        integrality=np.ones(energy.size, dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, [threshold, 0], [np.inf, MAX_EXPERTS]),
        options={"mip_rel_gap": 0.0},
    )
    assert found.x is not None, found.message
    chosen = found.x > 0.5
    return float(energy[chosen].sum()), float(found.mip_node_count or 0)


SOLVERS: dict[str, Solver] = {
    "des": solve_by_des,
    "exhaustive": partial(solve_each, by_exhaustion),
    "highs": partial(solve_each, by_highs),
}


def sizes_of(solver: str) -> list[int]:
    """Return the K at which a solver is run."""
    return [experts for experts in EXPERTS if experts <= LIMITS[solver]]


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Solve one instance per seed and K by each solver.

    One after the other, whatever the executor: the times of solvers that share a machine are none.
    """
    rows: list[Row] = []
    fixed = {"max_experts": MAX_EXPERTS, "threshold_share": SHARE}
    for solver, solve in SOLVERS.items():
        for experts in sizes_of(solver):
            solved = solve([draw_instance(experts, seed) for seed in seeds])
            for seed, token in zip(seeds, solved, strict=True):
                labels = {"solver": solver, "experts": experts, **fixed, "seed": seed}
                rows.append({**labels, **token._asdict()})
    return Answer(rows, _draw(rows, len(seeds)), _headlines(rows))


def _column(rows: Sequence[Row], solver: str, experts: int, name: str) -> Floats:
    wanted = [r[name] for r in rows if r["solver"] == solver and r["experts"] == experts]
    return np.array(wanted, dtype=np.float64)


def _headlines(rows: Sequence[Row]) -> list[Headline]:
    off = []
    for solver in ("exhaustive", "highs"):
        for size in sizes_of(solver):
            other = _column(rows, solver, size, "energy_j")
            off.append(np.abs(_column(rows, "des", size, "energy_j") / other - 1.0).max())
    exact = Estimate(1e9 * float(max(off)))
    ratio = _column(rows, "highs", 128, "seconds") / _column(rows, "des", 128, "seconds")
    slowest = 1e6 * _column(rows, "des", EXPERTS[-1], "seconds")
    return [
        at_most("largest difference to the other two's energy (10⁻⁹)", exact, 1.0, decimals=2),
        Headline("HiGHS's time over DES's at K = 128", estimate_mean(ratio), decimals=0),
        Headline(f"DES at K = {EXPERTS[-1]} (µs)", estimate_mean(slowest), decimals=0),
    ]


def _draw(rows: Sequence[Row], seeds: int) -> Figure:
    figure, (left, right) = new_panels(
        f"Choosing at most {MAX_EXPERTS} of K experts for {seeds} tokens, DES in one call "
        "(medians; bands 5 to 95 %)"
    )
    for solver, (label, look) in LOOKS.items():
        sizes = sizes_of(solver)
        for axes, name, scale in ((left, "nodes", 1.0), (right, "seconds", 1e6)):
            values = [scale * _column(rows, solver, size, name) for size in sizes]
            low, middle, high = np.quantile(np.array(values), [0.05, 0.5, 0.95], axis=1)
            axes.plot(sizes, middle, label=label, **look.style)
            axes.fill_between(sizes, low, high, color=look.color, alpha=0.18, lw=0)
    for axes in (left, right):
        double_along_x(axes)
    left.set_yscale("symlog", linthresh=1)
    left.set_ylim(-0.2, 2e5)
    right.set_yscale("log")
    finish(left, "Search nodes (sets tried)", "Experts K", "Nodes for a token")
    finish(right, "Time", "Experts K", "Time for a token (µs)")
    return figure


STUDY = Study("search", "How does exact selection scale with the number of experts?", run)
