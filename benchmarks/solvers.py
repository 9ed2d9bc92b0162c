"""Measure the solvers against a reference and their peers, in one run and on one thread.

python benchmarks/solvers.py [--quick]

Reference: NumPy's argsort of the ratios energy/score. Peers: HiGHS (the faster of presolve on and
off) and, where installed, OR-Tools CP-SAT on costs and scores scaled to whole numbers. Each
instance is timed as the best of three runs, so that a percentile speaks of instances and not of
what else the machine was doing; peers run once. The last column says whether the project's target
is met.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from mec_moe_agents.solvers import (
    ExpertSelection,
    LayerProblem,
    allocate_jointly,
    allocate_jointly_plus,
    allocate_subcarriers,
    lower_bound,
    select_experts,
    solve_exactly,
)
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, milp

try:
    from ortools.sat.python import cp_model
except ImportError:
    cp_model = None

Floats = NDArray[np.float64]
SHARE = 0.6  # threshold, as a share of the sum of the top scores
STATE_BITS, POWER = 4e4, 0.1
# CP-SAT calls wrong answers optimal once the scaled sums pass 4e9.
LARGEST_SUM = 1e9


class Token(NamedTuple):
    """One instance of expert selection."""

    energy: Floats
    score: Floats
    threshold: float
    most: int


def uniform(rng: np.random.Generator, experts: int) -> tuple[Floats, Floats]:
    return rng.random(experts), rng.random(experts)


def gates(rng: np.random.Generator, experts: int) -> tuple[Floats, Floats]:
    """Softmax gates; energies from log-normal shadowing and the best of 8 Rayleigh subcarriers."""
    score = np.exp(rng.normal(size=experts))
    gain = 10 ** (0.8 * rng.normal(size=experts)) * rng.exponential(size=(8, experts)).max(axis=0)
    radio = POWER * STATE_BITS / (1e6 * np.log2(1 + 10 * gain))
    return 1e-3 * rng.uniform(0.5, 2, experts) + radio, score / score.sum()


def correlated(rng: np.random.Generator, experts: int) -> tuple[Floats, Floats]:
    score = rng.random(experts)
    return score + 0.1, score


def nearly_equal(rng: np.random.Generator, experts: int) -> tuple[Floats, Floats]:
    return 1 + 1e-3 * rng.random(experts), 1 + 1e-3 * rng.random(experts)


def nearly_equal_ratios(rng: np.random.Generator, experts: int) -> tuple[Floats, Floats]:
    score = rng.random(experts)
    return score * (1 + 1e-3 * rng.random(experts)), score


def subset_sum(rng: np.random.Generator, experts: int) -> tuple[Floats, Floats]:
    score = rng.random(experts)
    return score.copy(), score


def draw(family: Callable[..., tuple[Floats, Floats]], experts: int, most: int, seed: int) -> Token:
    energy, score = family(np.random.default_rng(seed), experts)
    return Token(energy, score, SHARE * float(np.sort(score)[-most:].sum()), most)


def best_of(times: int, action: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least seconds of so many runs, and the last result."""
    least, result = np.inf, None
    for _ in range(times):
        start = time.perf_counter()
        result = action()
        least = min(least, time.perf_counter() - start)
    return least, result


def by_highs(token: Token) -> float:
    """Return HiGHS's seconds, with or without presolve, whichever is less."""
    rows = np.array([token.score / token.threshold, np.ones(token.score.size)])
    constraints = LinearConstraint(rows, [1.0, 0.0], [np.inf, token.most])

    def solve(presolve: bool) -> Any:
        return milp(
            token.energy / token.energy.max(),
            integrality=np.ones(token.energy.size),
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"mip_rel_gap": 0.0, "presolve": presolve, "time_limit": 20.0},
        )

    return min(best_of(1, lambda on=on: solve(on))[0] for on in (True, False))


def by_cp_sat(token: Token) -> float:
    """Return CP-SAT's seconds, without building the model; NaN where it is not installed."""
    if cp_model is None:
        return np.nan
    model = cp_model.CpModel()
    pick = [model.new_bool_var("") for _ in token.energy]
    score = np.rint(token.score * (LARGEST_SUM / token.score.sum())).astype(int)
    energy = np.rint(token.energy * (LARGEST_SUM / token.energy.sum())).astype(int)
    needed = int(token.threshold * LARGEST_SUM / token.score.sum())
    model.add(sum(int(v) * p for v, p in zip(score, pick, strict=True)) >= needed)
    model.add(sum(pick) <= token.most)
    model.minimize(sum(int(v) * p for v, p in zip(energy, pick, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = 20.0
    return best_of(1, lambda: solver.solve(model))[0]


def verdict(*met: bool) -> str:
    return "met" if all(met) else "MISSED"


def batch_of_small_tokens() -> None:
    rng = np.random.default_rng(0)
    score = rng.random((10_000, 8))
    energy, score = rng.random((10_000, 8)), score / score.sum(axis=1, keepdims=True)
    sorting, _ = best_of(10, lambda: np.argsort(energy / score, axis=1))
    seconds, result = best_of(10, lambda: select_experts(energy, score, 0.4, 2))
    assert result.proven.all()
    print("K=8, D=2, a batch of 10,000 tokens: under 1 µs a token")
    print(
        f"  {seconds * 100:.2f} µs a token, {seconds / sorting:.1f} × argsort   "
        f"{verdict(seconds < 1e-2)}"
    )


def time_selection(tokens: list[Token], gap: float) -> tuple[Floats, Floats, list[ExpertSelection]]:
    """Return the seconds of the solver and of the argsort for every token, and the results."""
    seconds, sorting, results = [], [], []
    for token in tokens:
        sorting.append(best_of(3, lambda t=token: np.argsort(t.energy / t.score))[0])
        spent, result = best_of(3, lambda t=token: select_experts(*t, gap=gap))
        seconds.append(spent)
        results.append(result)
    return np.array(seconds), np.array(sorting), results


def thousands_of_experts(count: int) -> None:
    print("softmax gates: all proven, median ≤ 5 × argsort, 99th percentile ≤ 30 ×")
    for experts in (4096, 8192):
        for most in (2, 4, 16, 64):
            tokens = [draw(gates, experts, most, seed) for seed in range(count)]
            seconds, sorting, results = time_selection(tokens, 0.0)
            reference = np.median(sorting)
            proven = sum(bool(r.proven) for r in results)
            median, tail = np.median(seconds) / reference, np.quantile(seconds, 0.99) / reference
            print(
                f"  K={experts} D={most:2d}: argsort {reference * 1e6:4.0f} µs, solver median "
                f"{median:4.1f} ×, p99 {tail:5.1f} ×, proven {proven}/{count}   "
                f"{verdict(proven == count, median <= 5, tail <= 30)}"
            )


def hard_families(count: int) -> None:
    print("K=128, D=16, gap=1e-6: at most 1e-6 above the bound within 50 ms")
    for family in (correlated, nearly_equal, nearly_equal_ratios, subset_sum):
        tokens = [draw(family, 128, 16, seed) for seed in range(count)]
        seconds, _, results = time_selection(tokens, 1e-6)
        gap = max(float((r.energy - r.bound) / r.energy) for r in results)
        print(
            f"  {family.__name__}: median {np.median(seconds) * 1e3:.2f} ms, longest "
            f"{seconds.max() * 1e3:.1f} ms, largest gap {gap:.1e}   "
            f"{verdict(gap <= 1e-6 * (1 + 1e-9), seconds.max() < 0.05)}"
        )


def against_peers(count: int) -> None:
    print("peers, uniform energies and scores: HiGHS ≥ 400 × in the median up to K=128")
    for experts, most in ((8, 2), (16, 4), (32, 8), (64, 8), (128, 16)):
        tokens = [draw(uniform, experts, most, seed) for seed in range(count)]
        seconds, _, results = time_selection(tokens, 0.0)
        assert all(r.proven for r in results)
        highs = np.median([by_highs(t) for t in tokens]) / np.median(seconds)
        cp_sat = np.median([by_cp_sat(t) for t in tokens]) / np.median(seconds)
        alone = f"K={experts} D={most}: {np.median(seconds) * 1e6:.0f} µs a call"
        print(f"  {alone}, HiGHS {highs:.0f} ×, CP-SAT {cp_sat:.0f} ×")
        rows = [np.array([t[part] for t in tokens]) for part in range(3)]
        batch, _ = best_of(5, lambda r=rows, d=most: select_experts(*r, d))
        ratio = highs * np.median(seconds) / (batch / count)
        print(
            f"    {batch / count * 1e6:.1f} µs a token in a batch, HiGHS {ratio:.0f} ×   "
            f"{verdict(ratio >= 400)}"
        )


def assignment() -> None:
    print("assignment, one call, against SciPy")
    rng = np.random.default_rng(0)
    for links, subcarriers in ((8, 16), (56, 64), (56, 256), (240, 1024), (992, 2048)):
        rate = 1e6 * np.log2(1 + 10 * rng.exponential(size=(links, subcarriers)))
        bits = rng.integers(1, 4, links) * 1e4
        seconds, result = best_of(5, lambda b=bits, r=rate: allocate_subcarriers(b, r, 0.1))
        cost = 0.1 * bits[:, None] / rate
        scipy, (rows, columns) = best_of(5, lambda c=cost: linear_sum_assignment(c))
        assert abs(cost[rows, columns].sum() - result.energy) <= 1e-9 * result.energy
        print(f"  {links} × {subcarriers}: {seconds * 1e6:.0f} µs, SciPy {scipy / seconds:.2f} ×")


def draw_layer(
    seed: int, sources: int, experts: int, tokens: int, subcarriers: int, threshold: float
) -> LayerProblem:
    rng = np.random.default_rng(seed)
    score = np.exp(1.5 * rng.normal(size=(sources, tokens, experts)))
    gain = 10 ** (0.5 * rng.normal(size=(sources, experts, 1)))
    fading = rng.exponential(size=(sources, experts, subcarriers))
    rate = 1e6 * np.log2(1 + 10 * gain * fading)
    score /= score.sum(axis=-1, keepdims=True)
    compute = 1e-3 * rng.uniform(0.5, 2, experts)
    return LayerProblem(score, rate, compute, threshold, 2, state_bits=STATE_BITS, power=POWER)


def joint_layers(count: int) -> None:
    print("JESA, a layer")
    for nodes, sources, tokens, subcarriers, target in ((8, 8, 4, 64, 1e-3), (64, 8, 8, 512, 2e-2)):
        spent, plus, gaps = [], [], []
        for seed in range(count):
            threshold = 0.5 if nodes == 8 else 0.2
            problem = draw_layer(seed, sources, nodes, tokens, subcarriers, threshold)
            # Stating the problem, with all its checks, counts: a step of an agent does it too.
            seconds, plan = best_of(3, lambda p=problem: allocate_jointly(replace(p)))
            spent.append(seconds)
            gaps.append(plan.energy / lower_bound(problem) - 1)
            if seed < 5:
                start = time.perf_counter()
                allocate_jointly_plus(problem, effort=200)
                plus.append(time.perf_counter() - start)
        print(
            f"  K={nodes} I={sources} Q={tokens} S={subcarriers}: median "
            f"{np.median(spent) * 1e3:.2f} ms, p99 {np.quantile(spent, 0.99) * 1e3:.2f} ms, "
            f"{np.mean(gaps) * 100:.2f} % above the lower bound; JESA+ with effort 200 "
            f"{np.median(plus) * 1e3:.0f} ms   {verdict(np.quantile(spent, 0.99) < target)}"
        )


def optimality(count: int) -> None:
    print(f"K=4, Q=2, S=8, D=2, {count} layers with an allocation: JESA+ optimal in ≥ 98 %")
    reached, gaps, proven, seed, never_worse = [], [], 0, 0, True
    while len(reached) < count:
        problem = draw_layer(seed, 4, 4, 2, 8, 0.5)
        seed += 1
        optimum = solve_exactly(problem)
        if not np.isfinite(optimum.energy):
            continue
        proven += optimum.proven
        jesa = allocate_jointly(problem)
        plus = allocate_jointly_plus(problem)
        gap = np.array([jesa.energy, plus.energy]) / optimum.energy - 1
        never_worse &= bool(plus.energy <= jesa.energy)
        gaps.append(gap)
        reached.append(gap <= 1e-7)
    share, mean = np.mean(reached, axis=0), np.mean(gaps, axis=0)
    print(
        f"  optimum proven {proven}/{count}; JESA reaches it in {share[0] * 100:.1f} %, mean gap "
        f"{mean[0]:.1e}; JESA+ in {share[1] * 100:.1f} %, mean gap {mean[1]:.1e}   "
        f"{verdict(proven == count, share[1] >= 0.98, never_worse)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer instances, about a minute")
    quick = parser.parse_args().quick
    # First calls compile, or load compiled code from the cache; the last one needs a search.
    allocate_jointly_plus(draw_layer(0, 2, 2, 1, 2, 0.5))
    select_experts(*draw(subset_sum, 16, 4, 0))
    batch_of_small_tokens()
    thousands_of_experts(40 if quick else 300)
    hard_families(20 if quick else 200)
    against_peers(10 if quick else 50)
    assignment()
    joint_layers(10 if quick else 100)
    optimality(20 if quick else 200)


if __name__ == "__main__":
    main()
