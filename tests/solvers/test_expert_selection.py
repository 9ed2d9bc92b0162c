"""DES against hand-worked cases, enumeration and HiGHS."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec_moe_agents.solvers import ExpertSelection, expert_selection, select_experts
from numpy.typing import NDArray

from tests.solvers.families import FAMILIES, FEASIBILITY, Floats, brute_force, by_highs, draw

Token = tuple[Floats, Floats, NDArray[np.bool_], float, int]
"""Energies, scores, who is available, threshold, most experts."""


def check(
    energy: Floats, score: Floats, threshold: Floats | float, most: int, result: ExpertSelection
) -> None:
    """Assert what must hold of every selection, whatever the optimum."""
    chosen = result.selected
    reached = (score * chosen).sum(-1)
    assert (chosen.sum(-1) <= most).all()
    assert (reached >= threshold * (1 - 2 * FEASIBILITY))[result.feasible].all()
    spent = np.where(chosen, energy, 0.0).sum(-1)
    np.testing.assert_allclose(result.energy, spent, rtol=1e-12)
    assert (result.bound[result.feasible] <= result.energy[result.feasible]).all()
    assert np.isposinf(result.bound[~result.feasible]).all()
    assert (result.bound == result.energy)[result.proven & result.feasible].all()


def test_hand_worked_token() -> None:
    # Experts 0 and 3 reach 0.7 for 5 J, 0 and 1 for 5.5 J, 4 alone for 9 J.
    result = select_experts([2.0, 3.5, 3.5, 3.0, 9.0], [0.4, 0.35, 0.35, 0.3, 0.9], 0.7, 2)
    assert result.selected.tolist() == [True, False, False, True, False]
    assert (float(result.energy), float(result.bound), int(result.nodes)) == (5.0, 5.0, 0)
    assert result.feasible
    assert result.proven


def test_nothing_is_compiled_that_the_tokens_do_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    def needless(*arguments: object) -> None:
        raise AssertionError("this kernel takes seconds to compile")

    monkeypatch.setattr(expert_selection, "search_rows", needless)
    easy = select_experts(np.arange(1.0, 6.0), np.ones(5), 3.0, 4)
    assert easy.selected.tolist() == [True, True, True, False, False]
    monkeypatch.setattr(expert_selection, "bound_rows", needless)
    assert select_experts(np.ones((3, 64)), np.ones((3, 64)), 2.0, 2).proven.all()
    assert select_experts(np.ones((3, 500)), np.ones((3, 500)), 1.0, 1).proven.all()


def test_one_expert_is_enough_when_it_is_cheapest() -> None:
    result = select_experts([1.0, 1.0, 1.5], [0.5, 0.5, 1.0], 1.0, 3)
    assert result.selected.tolist() == [False, False, True]


@pytest.mark.parametrize("most", [1, 2, 3, 8])
def test_threshold_zero_costs_nothing(most: int) -> None:
    result = select_experts([[1.0, 2.0, 0.0]] * 2, [0.5, 0.3, 0.2], [0.0, -1.0], most)
    assert not result.selected.any()
    assert result.energy.tolist() == [0.0, 0.0]
    assert result.feasible.all()
    assert result.proven.all()


@pytest.mark.parametrize("most", [1, 2, 3])
def test_infeasible_token_takes_its_top_scores(most: int) -> None:
    result = select_experts([1.0, 1.0, 1.0, 4.0], [0.1, 0.3, 0.1, 0.2], 5.0, most)
    assert np.flatnonzero(result.selected).tolist() == sorted([1, 3, 0][:most])
    assert not result.feasible
    assert result.proven
    assert result.bound == np.inf


def test_no_experts_allowed_or_none_available() -> None:
    assert not select_experts([1.0], [1.0], 0.5, 0).feasible
    result = select_experts([1.0, 1.0], [1.0, 1.0], 0.5, 3, available=[False, False])
    assert not result.selected.any()
    assert not result.feasible
    assert select_experts(np.ones((2, 0)), np.ones((2, 0)), 0.5, 1).feasible.tolist() == [False] * 2


@pytest.mark.parametrize("most", [1, 2, 3])
def test_unavailable_and_unreachable_experts_are_never_selected(most: int) -> None:
    energy, score = np.array([0.1, np.inf, 1.0, 1.0]), np.array([0.9, 0.9, 0.5, 0.5])
    result = select_experts(energy, score, 0.5, most, available=[False, True, True, True])
    assert np.flatnonzero(result.selected).tolist() in ([2], [3])
    assert result.energy == 1.0


def test_infinite_threshold_is_out_of_reach() -> None:
    assert not select_experts([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], np.inf, 3).feasible


def test_sums_that_round_below_the_threshold_still_reach_it() -> None:
    assert select_experts(np.ones(3), [0.1, 0.1, 0.1], 0.3, 3).feasible


def test_batch_axes_and_broadcast() -> None:
    rng = np.random.default_rng(0)
    energy, score = rng.random((2, 3, 5)), rng.random(5)
    result = select_experts(energy, score, rng.random((3,)), 3, available=np.ones(5, bool))
    assert result.selected.shape == (2, 3, 5)
    for name in ("energy", "feasible", "proven", "bound", "nodes"):
        assert getattr(result, name).shape == (2, 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_matches_enumeration(family: str) -> None:
    rng = np.random.default_rng(FAMILIES.index(family))
    for experts in range(1, 13):
        for most in sorted({1, 2, 3, 4, 6, experts, experts + 1}):
            energy, score, threshold = draw(family, 56, experts, most, rng)
            result = select_experts(energy, score, threshold, most)
            optimum = brute_force(energy, score, threshold, most)
            np.testing.assert_array_equal(result.feasible, np.isfinite(optimum))
            assert result.proven.all()
            feasible = result.feasible
            np.testing.assert_allclose(
                result.energy[feasible], optimum[feasible], rtol=1e-9, atol=1e-15
            )
            check(energy, score, threshold, most, result)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("experts", "most"), [(16, 4), (20, 4), (24, 3)])
def test_matches_enumeration_with_more_experts(family: str, experts: int, most: int) -> None:
    rng = np.random.default_rng(experts)
    energy, score, threshold = draw(family, 1500, experts, most, rng)
    result = select_experts(energy, score, threshold, most)
    optimum = brute_force(energy, score, threshold, most)
    feasible = np.isfinite(optimum)
    np.testing.assert_array_equal(result.feasible, feasible)
    assert result.proven.all()
    np.testing.assert_allclose(result.energy[feasible], optimum[feasible], rtol=1e-9, atol=1e-15)
    check(energy, score, threshold, most, result)


@pytest.mark.parametrize(("seed", "level"), [(73, 4), (966, 2), (1951, 5)])
def test_scores_capped_at_the_threshold_need_no_second_expert(seed: int, level: int) -> None:
    # A rounded difference of prefix sums once hid the single expert that is the optimum.
    rng = np.random.default_rng(seed)
    score, energy = rng.random((1, 20)), rng.random((1, 20))
    top = np.sort(score)[0, ::-1][:5].sum()
    threshold = np.linspace(0, rng.choice([0.2, 0.6, 0.9, 1.05], 1)[0] * top, 12)[level]
    alone = energy[score >= threshold].min()
    result = select_experts(energy[0], score[0], threshold, 5)
    assert result.energy <= alone
    assert result.energy == brute_force(energy, score, np.array([threshold]), 5)[0]


def test_enumeration_covers_the_promised_number() -> None:
    instances = sum(56 * len({1, 2, 3, 4, 6, k, k + 1}) for k in range(1, 13)) * len(FAMILIES)
    assert instances >= 20_000


def whole_correlated(score: Floats, threshold: Floats) -> tuple[Floats, Floats, Floats]:
    """Return e = t + c in whole numbers, which HiGHS can finish too."""
    score = np.ceil(100 * score)
    return score + 10, score, np.floor(100 * threshold)


def test_matches_highs_up_to_256_experts() -> None:
    rng = np.random.default_rng(2)
    compared = 0
    for index in range(720):
        experts = int(rng.choice([8, 16, 32, 64, 128, 256]))
        most = int(rng.integers(2, max(3, experts // 8) + 1))
        family = FAMILIES[index % len(FAMILIES)]
        drawn = draw(family, 1, experts, most, rng)
        if family == "correlated":
            drawn = whole_correlated(*drawn[1:])
        energy, score, threshold = drawn[0][0], drawn[1][0], float(drawn[2][0])
        if threshold <= 0:
            continue
        result = select_experts(energy, score, threshold, most)
        top = np.sort(score)[::-1][:most].sum()
        assert result.feasible == (top >= threshold * (1 - FEASIBILITY))
        if not result.feasible:
            continue
        check(energy, score, threshold, most, result)
        assert result.proven or family == "equal ratios"  # subset sums: the optimum lacks a proof
        highs, bound = by_highs(energy, score, threshold, most)
        # HiGHS may miss the threshold by its tolerance: only sets that reach it are compared.
        assert result.energy >= bound * (1 - 1e-6)
        if np.isfinite(highs):
            assert result.energy == pytest.approx(highs, rel=1e-9, abs=1e-15)
            compared += 1
    assert compared >= 500


def test_softmax_gates_with_thousands_of_experts_are_proven() -> None:
    rng = np.random.default_rng(3)
    for most in (2, 4, 16, 64):
        score = np.exp(rng.normal(size=(5, 2048)))
        score /= score.sum(axis=1, keepdims=True)
        energy = rng.lognormal(size=(5, 2048))
        threshold = 0.6 * np.sort(score)[:, -most:].sum(axis=1)
        result = select_experts(energy, score, threshold, most)
        assert result.proven.all()
        check(energy, score, threshold, most, result)


def subset_sum(seed: int) -> tuple[Floats, float]:
    """Return a token on which no bound helps: energies equal to scores."""
    score = np.random.default_rng(seed).random(64)
    return score, 0.6 * np.sort(score)[-16:].sum()


def test_node_limit_is_honest() -> None:
    score, threshold = subset_sum(4)
    coarse = select_experts(score, score, threshold, 16, node_limit=50)
    assert not coarse.proven
    assert coarse.feasible
    assert coarse.nodes <= 50
    assert coarse.bound < coarse.energy
    fine = select_experts(score, score, threshold, 16, node_limit=200_000)
    assert coarse.bound <= fine.energy <= coarse.energy
    check(score, score, threshold, 16, coarse)


@pytest.mark.parametrize("limit", [0, 1, 7, 100, 5_000])
def test_bound_below_optimum_at_any_node_limit(limit: int) -> None:
    rng = np.random.default_rng(5)
    for family in FAMILIES:
        energy, score, threshold = draw(family, 40, 12, 5, rng)
        optimum = brute_force(energy, score, threshold, 5)
        result = select_experts(energy, score, threshold, 5, node_limit=limit)
        feasible = np.isfinite(optimum)
        np.testing.assert_array_equal(result.feasible, feasible)
        assert (result.bound <= optimum * (1 + 1e-9) + 1e-15)[feasible].all()
        assert (result.energy >= optimum * (1 - 1e-9))[feasible].all()
        proven = feasible & result.proven
        np.testing.assert_allclose(result.energy[proven], optimum[proven], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("gap", [1e-6, 1e-2, np.float32(1e-2)])
def test_gap_is_kept(gap: float) -> None:
    for seed in range(20):
        score, threshold = subset_sum(seed)
        result = select_experts(score, score, threshold, 16, gap=gap)
        assert result.energy - result.bound <= gap * result.energy * (1 + 1e-9)


def least_reached_total(score: Floats, threshold: int, count: int) -> int:
    """Return the least sum ≥ threshold of `count` whole scores: a table of reachable sums."""
    sums = [1] + [0] * count  # bit v of sums[c]: c scores add up to v
    for value in score:
        for c in range(count, 0, -1):
            sums[c] |= sums[c - 1] << int(value)
    reached = sums[count] >> threshold
    return threshold + (reached & -reached).bit_length() - 1


@pytest.mark.parametrize("seed", range(6))
def test_long_searches_stay_exact(seed: int) -> None:
    # Even scores and an odd threshold: the bound is never met, so the search has to look at all.
    rng = np.random.default_rng(seed)
    score = np.array(2.0 * rng.integers(1, 40_000, 96), np.float64)
    highest = np.sort(score)[::-1]
    threshold = int(0.6 * highest[:14].sum()) | 1
    fewest = int(np.argmax(np.cumsum(highest) >= threshold)) + 1
    constant = 20_000.0
    result = select_experts(score + constant, score, threshold, 14, node_limit=10_000_000)
    optimum = least_reached_total(score, threshold, fewest) + fewest * constant
    assert result.proven
    assert result.energy == optimum
    check(score + constant, score, threshold, 14, result)
    assert result.nodes > 64_000  # a long search indeed


sizes = st.integers(1, 9)


@st.composite
def tokens(draw_from: st.DrawFn) -> Token:
    experts = draw_from(sizes)
    value = st.one_of(st.sampled_from([0.0, 1.0, 0.5, 1e-9, 1e9]), st.floats(0, 10, width=32))
    column = st.lists(value, min_size=experts, max_size=experts)
    energy, score = np.array(draw_from(column)), np.array(draw_from(column))
    usable = np.array(draw_from(st.lists(st.booleans(), min_size=experts, max_size=experts)))
    threshold = draw_from(st.one_of(st.floats(-1, 20, width=32), st.just(float(score.sum()))))
    return energy, score, usable, threshold, draw_from(st.integers(0, 10))


@settings(max_examples=400, deadline=None)
@given(tokens())
def test_any_token_is_solved_exactly(token: Token) -> None:
    energy, score, usable, threshold, most = token
    result = select_experts(energy, score, threshold, most, available=usable)
    penalised = np.where(usable, energy, 1e30)
    optimum = brute_force(penalised[None], score[None], np.array([threshold]), most)[0]
    assert result.feasible == (optimum < 1e29)
    assert not (result.selected & ~usable).any()
    if result.feasible:
        assert result.energy == pytest.approx(optimum, rel=1e-9, abs=1e-15)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_units_do_not_matter(seed: int, joule: float, point: float) -> None:
    rng = np.random.default_rng(seed)
    energy, score, threshold = draw("random", 4, 12, 4, rng)
    one = select_experts(energy, score, threshold, 4)
    other = select_experts(energy * joule, score * point, threshold * point, 4)
    np.testing.assert_allclose(one.energy * joule, other.energy, rtol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_raising_the_threshold_never_saves_energy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    energy, score, threshold = draw("random", 1, 20, 5, rng)
    levels = np.linspace(0, threshold[0], 12)
    spent = [select_experts(energy[0], score[0], level, 5) for level in levels]
    values = [float(r.energy) for r in spent if r.feasible]
    assert (np.diff(values) >= -1e-9).all()
