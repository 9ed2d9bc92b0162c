"""The mixed-integer optimum against enumeration, and the study of JESA and JESA+ against it."""

import itertools

import numpy as np
import pytest
from mec_moe_agents.solvers import (
    allocate_jointly,
    allocate_jointly_plus,
    allocate_subcarriers,
    exact,
    lower_bound,
    solve_exactly,
)

from tests.solvers.layers import RADIO, check_allocation, draw_layer


def enumerate_layer(score, rate, compute, threshold, most):
    """Return the least energy over all selections, each with its best assignment."""
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
        bits = (load * RADIO["state_bits"]).reshape(-1)
        radio = allocate_subcarriers(bits, rate.reshape(count * experts, -1), RADIO["power"])
        best = min(best, float(radio.energy + selected.sum(axis=(0, 1)) @ compute))
    return best


@pytest.mark.parametrize("subcarriers", [1, 2, 3, 6])
def test_matches_enumeration(subcarriers):
    rng = np.random.default_rng(subcarriers)
    for _ in range(4):
        score, rate, compute = draw_layer(rng, 2, 3, 2, subcarriers, spread=0.0)
        threshold = 0.9 * np.sort(score, axis=-1)[..., -2:].sum(axis=-1).min()
        result = solve_exactly(score, rate, compute, threshold, 2, **RADIO)
        assert result.proven
        optimum = enumerate_layer(score, rate, compute, threshold, 2)
        assert result.energy == pytest.approx(optimum, rel=1e-7)
        if np.isfinite(optimum):
            check_allocation(score, rate, compute, threshold, 2, result)
            bound = lower_bound(score, rate, compute, threshold, 2, **RADIO)
            assert bound <= result.energy * (1 + 1e-12)
            assert result.bound <= result.energy
            assert result.gap == pytest.approx(0, abs=1e-7)


def test_no_allocation_is_proven_and_said():
    score = np.array([[[0.1, 0.9]], [[0.9, 0.1]]])
    result = solve_exactly(score, np.ones((2, 2, 1)), np.ones(2), 0.8, 1, **RADIO)
    assert result.energy == np.inf
    assert result.bound == np.inf
    assert result.proven
    assert not result.selected.any()


def test_infeasible_token_gets_its_top_experts():
    score = np.array([[[0.1, 0.3, 0.2]]])
    result = solve_exactly(score, np.ones((1, 3, 2)), np.ones(3), 0.9, 2, state_bits=1.0, power=1.0)
    assert result.selected.tolist() == [[[False, True, True]]]
    assert not result.feasible.any()
    assert result.energy == 4.0


def test_answers_of_highs_that_miss_a_threshold_are_cut_off(monkeypatch):
    score, rate, compute = draw_layer(np.random.default_rng(9), 3, 3, 2, 8)
    plain = solve_exactly(score, rate, compute, 0.6, 2, **RADIO)
    solve, cuts = exact.run_highs, []

    def careless(model, seconds):
        selected, bound, impossible = solve(model, seconds)
        if not model.cuts:
            selected[0, 0] = False
        cuts.append(len(model.cuts))
        return selected, bound, impossible

    monkeypatch.setattr(exact, "run_highs", careless)
    result = solve_exactly(score, rate, compute, 0.6, 2, **RADIO)
    assert cuts == [0, 1]
    assert result.feasible.all()
    assert result.energy == pytest.approx(plain.energy)


def test_time_limit_is_honest():
    score, rate, compute = draw_layer(np.random.default_rng(7), 6, 6, 3, 16, spread=0.0)
    result = solve_exactly(score, rate, compute, 0.6, 2, time_limit=1e-4, **RADIO)
    assert not result.proven
    assert result.bound >= lower_bound(score, rate, compute, 0.6, 2, **RADIO)


def test_plus_reaches_the_optimum():
    rng = np.random.default_rng(8)
    reached = 0
    for _ in range(60):
        score, rate, compute = draw_layer(rng, 4, 4, 2, 8)
        arguments = (score, rate, compute, 0.5, 2)
        optimum = solve_exactly(*arguments, **RADIO)
        assert optimum.proven
        jesa = allocate_jointly(*arguments, **RADIO)
        plus = allocate_jointly_plus(*arguments, **RADIO)
        np.testing.assert_array_equal(plus.feasible, optimum.feasible)
        assert optimum.energy * (1 - 1e-7) <= plus.energy <= jesa.energy
        reached += bool(plus.energy <= optimum.energy * (1 + 1e-7))
    assert reached >= 59
