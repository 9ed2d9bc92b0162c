"""The mixed-integer optimum against enumeration, and the study of JESA and JESA+ against it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from mec_moe_agents.solvers import (
    LayerProblem,
    allocate_jointly,
    allocate_jointly_plus,
    allocate_subcarriers,
    exact,
    lower_bound,
    solve_exactly,
)

from tests.solvers.layers import check_allocation, draw_layer, state


def enumerate_layer(problem: LayerProblem, threshold: float) -> float:
    """Return the least energy over all selections, each with its best assignment."""
    score, rate, most = np.asarray(problem.score), np.asarray(problem.rate), problem.max_experts
    count, tokens, experts = score.shape
    sets = [np.array(bits, bool) for bits in itertools.product((0, 1), repeat=experts)]
    options = [
        [s for s in sets if s.sum() <= most and score[i, q] @ s >= threshold * (1 - 1e-12)]
        for i in range(count)
        for q in range(tokens)
    ]
    best = np.inf
    for picks in itertools.product(*options):
        selected = np.array(picks).reshape(count, tokens, experts)
        load = selected.sum(axis=1)
        load[np.arange(count), np.arange(count)] = 0
        if (load > 0).sum() > rate.shape[2]:
            continue
        bits = (load * problem.state_bits).reshape(-1)
        radio = allocate_subcarriers(bits, rate.reshape(count * experts, -1), problem.power)
        computed = selected.sum(axis=(0, 1)) @ np.asarray(problem.compute_energy)
        best = min(best, float(radio.energy + computed))
    return best


@pytest.mark.parametrize("subcarriers", [1, 2, 3, 6])
def test_matches_enumeration(subcarriers: int) -> None:
    rng = np.random.default_rng(subcarriers)
    for _ in range(4):
        layer = draw_layer(rng, 2, 3, 2, subcarriers, spread=0.0)
        threshold = float(0.9 * np.sort(layer[0], axis=-1)[..., -2:].sum(axis=-1).min())
        problem = state(layer, threshold, 2)
        result = solve_exactly(problem)
        assert result.proven
        optimum = enumerate_layer(problem, threshold)
        assert result.energy == pytest.approx(optimum, rel=1e-7)
        if np.isfinite(optimum):
            check_allocation(problem, result)
            assert lower_bound(problem) <= result.energy * (1 + 1e-12)
            assert result.bound <= result.energy
            assert result.gap == pytest.approx(0, abs=1e-7)


def test_no_allocation_is_proven_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    solve, calls = exact.run_highs, list[float]()

    def counted(model: exact.JointModel, seconds: float) -> Any:
        calls.append(seconds)
        return solve(model, seconds)

    monkeypatch.setattr(exact, "run_highs", counted)
    score = np.array([[[0.1, 0.9]], [[0.9, 0.1]]])
    result = solve_exactly(state((score, np.ones((2, 2, 1)), np.ones(2)), 0.8, 1))
    assert len(calls) == 1
    assert result.energy == np.inf
    assert result.bound == np.inf
    assert result.proven
    assert not result.selected.any()


def test_infeasible_token_gets_its_top_experts() -> None:
    layer = np.array([[[0.1, 0.3, 0.2]]]), np.ones((1, 3, 2)), np.ones(3)
    result = solve_exactly(state(layer, 0.9, 2, state_bits=1.0, power=1.0))
    assert result.selected.tolist() == [[[False, True, True]]]
    assert not result.feasible.any()
    assert result.energy == 4.0


def test_answers_of_highs_that_miss_a_threshold_are_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = state(draw_layer(np.random.default_rng(9), 3, 3, 2, 8), 0.6, 2)
    plain = solve_exactly(problem)
    solve = exact.run_highs
    cuts: list[int] = []

    def careless(model: exact.JointModel, seconds: float) -> Any:
        selected, bound = solve(model, seconds)
        assert selected is not None
        if not model.cuts:
            selected[0, 0] = False
        cuts.append(len(model.cuts))
        return selected, bound

    monkeypatch.setattr(exact, "run_highs", careless)
    result = solve_exactly(problem)
    assert cuts == [0, 1]
    assert result.feasible.all()
    assert result.energy == pytest.approx(plain.energy)


def test_a_gap_that_is_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two links that both want subcarrier 0, and a solver that proves nothing beyond LB."""
    rate = np.ones((2, 2, 2))
    rate[0, 1], rate[1, 0] = [1.0, 0.5], [1.0, 0.25]
    layer = np.array([[[0.25, 0.75]], [[0.75, 0.25]]]), rate, np.array([0.5, 0.25])
    problem = state(layer, 0.7, 1, state_bits=1.0, power=1.0)
    proven = solve_exactly(problem)
    assert proven.proven
    assert proven.energy == 3.75
    assert proven.gap == pytest.approx(0, abs=1e-7)
    solve = exact.run_highs
    monkeypatch.setattr(exact, "run_highs", lambda *words: (solve(*words)[0], -np.inf))
    result = solve_exactly(problem)
    assert (result.energy, result.bound, result.proven) == (3.75, 2.75, False)
    assert result.gap == pytest.approx(1 / 3.75)
    assert result.subcarrier.tolist() == [[-1, 1], [0, -1]]


def test_highs_is_asked_for_the_optimum_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    gaps, solve = [], scipy.optimize.milp

    def noting(*words: Any, **names: Any) -> Any:
        gaps.append(names["options"]["mip_rel_gap"])
        return solve(*words, **names)

    monkeypatch.setattr(exact, "milp", noting)
    layer = draw_layer(np.random.default_rng(3), 3, 3, 2, 6, spread=0.0)
    assert solve_exactly(state(layer, 0.5, 2)).proven
    assert set(gaps) == {0.0}


def test_time_limit_is_honest() -> None:
    problem = state(draw_layer(np.random.default_rng(7), 6, 6, 3, 16, spread=0.0), 0.6, 2)
    result = solve_exactly(problem, time_limit=1e-4)
    assert not result.proven
    assert result.bound >= lower_bound(problem)


def test_plus_reaches_the_optimum() -> None:
    rng = np.random.default_rng(8)
    reached = 0
    for _ in range(60):
        problem = state(draw_layer(rng, 4, 4, 2, 8), 0.5, 2)
        optimum = solve_exactly(problem)
        assert optimum.proven
        jesa = allocate_jointly(problem)
        plus = allocate_jointly_plus(problem)
        np.testing.assert_array_equal(plus.feasible, optimum.feasible)
        assert optimum.energy * (1 - 1e-7) <= plus.energy <= jesa.energy
        reached += bool(plus.energy <= optimum.energy * (1 + 1e-7))
    assert reached >= 59
