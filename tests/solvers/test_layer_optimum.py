"""A layer's least value against enumeration, HiGHS, JESA+ and its bound."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec_moe_agents.solvers import (
    Charges,
    LayerOptimum,
    LayerProblem,
    allocate_jointly_plus,
    charge_layer,
    layer_bound,
    layer_value,
    optimise_exactly,
    optimise_layer,
)
from mec_moe_agents.solvers.exact import JointModel, solve_model
from mec_moe_agents.solvers.layer_optimum import ALL_CANDIDATES

from tests.solvers.layers import Drawn, draw_layer, state

UNIT = {"state_bits": 1.0, "power": 1.0}
CROWDED = (
    (3, 3, 2, 4, 0.5),
    (4, 4, 2, 6, 0.5),
    (3, 4, 3, 5, 0.3),
    (2, 5, 3, 4, 0.5),
    (4, 4, 1, 4, 0.5),
    (3, 4, 2, 9, 0.2),
)
"""Sources, experts, tokens, subcarriers, spread of the gains: links must fight."""


def crowded(seed: int) -> tuple[LayerProblem, Charges]:
    rng = np.random.default_rng(seed)
    sources, experts, tokens, subcarriers, spread = CROWDED[seed % len(CROWDED)]
    layer = draw_layer(rng, sources, experts, tokens, subcarriers, spread)
    problem = state(layer, float(rng.choice([0.4, 0.6, 0.8])), 2)
    return problem, charge_layer(problem, error_weight=float(rng.choice([1.0, 0.3])))


def two_nodes() -> Drawn:
    """Two nodes with one token each, which want the other node's expert, and two subcarriers."""
    score = np.array([[[0.25, 0.75]], [[0.75, 0.25]]])
    rate = np.ones((2, 2, 2))
    rate[0, 1], rate[1, 0] = [1.0, 0.5], [1.0, 0.25]
    return score, rate, np.array([0.5, 0.25])


def check(problem: LayerProblem, charges: Charges, found: LayerOptimum) -> None:
    """Assert C2, C3, and that value and bound are what they are said to be."""
    assert (found.selected.sum(axis=-1) <= problem.max_experts).all()
    used = found.subcarrier >= 0
    for links, owners in zip(
        used.reshape(-1, *used.shape[-2:]),
        found.subcarrier.reshape(-1, *used.shape[-2:]),
        strict=True,
    ):
        assert np.unique(owners[links]).size == links.sum()
    value = layer_value(problem, charges, found.selected, found.subcarrier)
    np.testing.assert_allclose(found.value, value, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.bound, layer_bound(problem, charges), rtol=1e-12, atol=1e-15)
    assert (found.bound <= found.value * (1 + 1e-12)).all()
    assert (found.gap >= -1e-12).all()


def test_charges_by_hand() -> None:
    problem = state(two_nodes(), 0.9, 1, **UNIT)
    charges = charge_layer(problem)
    # One expert reaches 0.75 at most. L = min(2·1, 2·1·1) = 2: each link's worse subcarrier.
    assert charges.wanted.tolist() == [[0.75], [0.75]]
    assert charges.reserve.tolist() == [[2.0 + 0.25], [4.0 + 0.5]]
    assert charges.reference == 6.75
    # Home costs 0.5 and 0.25 J and misses 2/3 of what is wanted.
    at_home = np.array([[[True, False]], [[False, True]]])
    value = layer_value(problem, charges, at_home, np.full((2, 2), -1))
    assert value == pytest.approx(0.75 + 6.75 * (1 + 2 / 3))


def test_unavailable_experts_are_not_wanted() -> None:
    charges = charge_layer(state(two_nodes(), 0.9, 1, available=[True, False], **UNIT))
    assert charges.wanted.tolist() == [[0.25], [0.75]]
    assert charges.reserve.tolist() == [[0.5], [4.5]]
    nobody = charge_layer(state(two_nodes(), 0.9, 1, available=False, **UNIT))
    assert nobody.wanted.sum() == nobody.reserve.sum() == 0.0
    assert nobody.reference == 1.0
    assert not np.signbit(nobody.wanted).any()
    assert (nobody.wanted >= 0.0).all()


def test_who_asks_for_less_than_nothing_wants_nothing() -> None:
    charges = charge_layer(state(two_nodes(), -1.0, 1, **UNIT))
    assert charges.wanted.tolist() == [[0.0], [0.0]]


def test_each_layer_of_a_batch_has_its_own_reference() -> None:
    rng = np.random.default_rng(5)
    layers = [draw_layer(rng, 3, 4, 2, 6, spread=0.0) for _ in range(2)]
    score, rate, compute = (np.array([layer[part] for layer in layers]) for part in range(3))
    references = charge_layer(state((score, rate, compute), 0.5, 2)).reference
    assert references.tolist() == [charge_layer(state(each, 0.5, 2)).reference for each in layers]


def test_hand_worked_layer() -> None:
    # As in test_joint_allocation: 0→1 moves to subcarrier 1, 2 + 1 + 0.75 J; the bound saves 1 J.
    problem = state(two_nodes(), 0.7, 1, **UNIT)
    charges = charge_layer(problem)
    found = optimise_layer(problem, charges)
    assert found.selected.tolist() == [[[False, True]], [[True, False]]]
    assert found.subcarrier.tolist() == [[-1, 1], [0, -1]]
    assert found.value == 3.75
    assert found.bound == 2.75
    assert found.gap == pytest.approx(1 / 3.75)


def test_cheap_violations_are_taken() -> None:
    problem = state(two_nodes(), 0.7, 1, **UNIT)
    charges = charge_layer(problem, error_weight=0.01)
    found = optimise_layer(problem, charges)
    # Nobody: 0.01·6.75·2 = 0.135 J, less than anybody's computation.
    assert not found.selected.any()
    assert found.value == found.bound == pytest.approx(0.135)


def test_without_weights_nothing_costs() -> None:
    problem = state(two_nodes(), 0.7, 1, available=[True, False], **UNIT)
    for error, energy in ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)):
        charges = charge_layer(problem, error_weight=error, energy_weight=energy)
        found = optimise_layer(problem, charges)
        assert found.value == found.bound == 0.0
        assert found.gap == 0.0
        check(problem, charges, found)


def enumerate_value(problem: LayerProblem, charges: Charges) -> float:
    """Return the least value over all selections and all subcarriers of their links."""
    arrays = problem.arrays
    _, count, tokens, experts = arrays.score.shape
    subcarriers = arrays.unit.shape[-1]
    sets = [s for s in itertools.product((False, True), repeat=experts) if sum(s) <= arrays.most]
    best = np.inf
    for picks in itertools.product(sets, repeat=count * tokens):
        selected = np.array(picks).reshape(count, tokens, experts)
        links = np.argwhere(selected.any(axis=1) & arrays.remote)
        for owned in itertools.permutations(range(subcarriers), len(links)):
            subcarrier = np.full((count, experts), -1)
            subcarrier[tuple(links.T)] = owned
            best = min(best, float(layer_value(problem, charges, selected, subcarrier)))
    return best


@pytest.mark.parametrize("subcarriers", [1, 2, 3])
@pytest.mark.parametrize("error_weight", [0.05, 0.4, 1.0])
def test_matches_enumeration(subcarriers: int, error_weight: float) -> None:
    rng = np.random.default_rng(subcarriers)
    for _ in range(3):
        layer = draw_layer(rng, 2, 3, 1, subcarriers, spread=0.2)
        problem = state(layer, 0.7, 2)
        charges = charge_layer(problem, error_weight=error_weight)
        least = enumerate_value(problem, charges)
        found = optimise_layer(problem, charges)
        check(problem, charges, found)
        assert found.value == pytest.approx(least, rel=1e-9)
        exact = optimise_exactly(problem, charges)
        assert exact.value == pytest.approx(least, rel=1e-9)
        assert exact.proven


def test_answers_of_highs_that_miss_a_goal_without_paying_are_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = state(two_nodes(), 0.7, 1, **UNIT)
    charges = charge_layer(problem)
    cuts = list[int]()

    def careless(model: JointModel, seconds: float) -> Any:
        found, bound = solve_model(model, seconds)
        assert found is not None
        if not model.cuts:
            found[: charges.wanted.size * 2] = 0.0
        cuts.append(len(model.cuts))
        return found, bound

    monkeypatch.setattr("mec_moe_agents.solvers.exact_return.solve_model", careless)
    # Each token got nobody: of each somebody else is asked.
    assert optimise_exactly(problem, charges).value == 3.75
    assert cuts == [0, 2]


def test_the_bound_is_what_tokens_choose_first() -> None:
    """With more experts than all are looked at, tokens choose again without those."""
    layer = draw_layer(np.random.default_rng(2), 2, ALL_CANDIDATES + 1, 1, 1, spread=0.0)
    problem = state(layer, 0.05, 1)
    charges = charge_layer(problem)
    found = optimise_layer(problem, charges, effort=0)
    check(problem, charges, found)
    # Both want the one subcarrier.
    assert found.bound < found.value


def test_up_to_three_experts_match_enumeration() -> None:
    for seed in range(4):
        layer = draw_layer(np.random.default_rng(seed), 1, 4, 1, 3, spread=0.5)
        problem = state(layer, 0.8, 3)
        charges = charge_layer(problem)
        found = optimise_layer(problem, charges)
        check(problem, charges, found)
        assert found.value == pytest.approx(enumerate_value(problem, charges), rel=1e-9)


def test_two_links_find_the_best_of_many_subcarriers() -> None:
    score, _, compute = two_nodes()
    rate = np.ones((2, 2, 9))
    rate[:, :, 7:] = 2.0
    problem = state((score, rate, compute), 0.7, 1, **UNIT)
    found = optimise_layer(problem, charge_layer(problem))
    assert sorted(found.subcarrier[found.subcarrier >= 0]) == [7, 8]
    assert found.value == 0.5 + 0.5 + 0.75


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(0, 5),
    st.one_of(st.just(0.0), st.floats(0.01, 1.5)),
    st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0]),
    st.sampled_from([0.0, 1.0, 2.0]),
)
def test_any_layer_is_optimised(
    seed: int,
    count: int,
    more: int,
    tokens: int,
    subcarriers: int,
    most: int,
    threshold: float,
    error: float,
    energy: float,
) -> None:
    rng = np.random.default_rng(seed)
    experts = count + more
    score, rate, compute = draw_layer(rng, count, experts, tokens, subcarriers)
    score *= rng.random(score.shape) < 0.8
    nodes = rng.permutation(experts)[:count]
    usable = rng.random(experts) < 0.8
    problem = state((score, rate, compute), threshold, most, sources=nodes, available=usable)
    charges = charge_layer(problem, error_weight=error, energy_weight=energy)
    found = optimise_layer(problem, charges, patience=10)
    check(problem, charges, found)
    assert not found.selected[..., ~usable].any()
    plus = allocate_jointly_plus(problem, effort=5)
    assert found.bound <= layer_value(problem, charges, plus.selected, plus.subcarrier) + 1e-12


def test_contended_layers_end_where_highs_does() -> None:
    off = []
    for seed in range(40):
        problem, charges = crowded(seed)
        exact = optimise_exactly(problem, charges)
        found = optimise_layer(problem, charges)
        assert found.value >= exact.bound * (1 - 1e-6)
        assert layer_bound(problem, charges) <= exact.value * (1 + 1e-9)
        off.append(float(found.value) / exact.value - 1)
        plus = allocate_jointly_plus(problem, effort=100)
        value = layer_value(problem, charges, plus.selected, plus.subcarrier)
        assert found.value <= value * (1 + 1e-9)
    assert max(off) <= 0.005
    assert np.mean(np.array(off) <= 1e-6) >= 0.9


def test_what_a_search_starts_with_is_never_made_worse() -> None:
    better = 0
    for seed in range(24):
        problem, charges = crowded(seed)
        start = allocate_jointly_plus(problem, effort=100)
        given = float(layer_value(problem, charges, start.selected, start.subcarrier))
        for effort in (0, 20):
            found = optimise_layer(problem, charges, start=start.selected, effort=effort)
            check(problem, charges, found)
            assert found.value <= given * (1 + 1e-12)
            better += bool(found.value < given * (1 - 1e-9))
    assert better > 0


def test_batch_equals_single_layers_and_repeats() -> None:
    rng = np.random.default_rng(5)
    layers = [draw_layer(rng, 3, 4, 2, 6, spread=0.0) for _ in range(4)]
    stacked = [np.array([layer[part] for layer in layers]) for part in range(3)]
    score, rate, compute = (part.reshape(2, 2, *part.shape[1:]) for part in stacked)
    problem = state((score, rate, compute), 0.5, 2)
    charges = charge_layer(problem)
    batch = optimise_layer(problem, charges)
    check(problem, charges, batch)
    again = optimise_layer(problem, charges)
    np.testing.assert_array_equal(batch.selected, again.selected)
    for index, layer in enumerate(layers):
        single = state(layer, 0.5, 2)
        found = optimise_layer(single, charge_layer(single))
        at = np.unravel_index(index, (2, 2))
        np.testing.assert_array_equal(batch.selected[at], found.selected)
        np.testing.assert_array_equal(batch.subcarrier[at], found.subcarrier)
        assert batch.value[at] == found.value
        assert batch.moves[at] == found.moves


def test_many_experts_are_searched_by_candidates() -> None:
    rng = np.random.default_rng(6)
    problem = state(draw_layer(rng, 2, 150, 3, 8), 0.1, 3)
    charges = charge_layer(problem)
    found = optimise_layer(problem, charges)
    check(problem, charges, found)
    plus = allocate_jointly_plus(problem, effort=100)
    value = layer_value(problem, charges, plus.selected, plus.subcarrier)
    assert found.value <= value * (1 + 1e-9)


def test_bad_input_is_named() -> None:
    problem = state(two_nodes(), 0.7, 1, **UNIT)
    charges = charge_layer(problem)
    for name in ("error_weight", "energy_weight", "tolerance"):
        options: dict[str, Any] = {name: -1.0}
        with pytest.raises(ValueError, match=name):
            dataclasses.replace(charges, **options)
    with pytest.raises(ValueError, match="tolerance is 1"):
        charge_layer(problem, tolerance=1.0)
    with pytest.raises(ValueError, match="effort"):
        optimise_layer(problem, charges, effort=-1)
    both, one = np.ones((2, 1, 2), bool), np.ones((1, 2), bool)
    for start, why in ((one, "start has shape"), (both, "max_experts is 1")):
        with pytest.raises(ValueError, match=why):
            optimise_layer(problem, charges, start=start)
    narrow = state((two_nodes()[0], np.ones((2, 2, 1)), np.ones(2)), 0.7, 1, **UNIT)
    with pytest.raises(ValueError, match="start uses 2 links; there are 1 subcarriers"):
        optimise_layer(narrow, charge_layer(narrow), start=both ^ np.eye(2, dtype=bool)[:, None])
    # Who uses one of two links fits: one token costs 2 J, the other nobody and twice its reserve.
    alone = np.array([[[False, True]], [[False, True]]])
    assert optimise_layer(narrow, charge_layer(narrow), start=alone).value == 2.0 + 2.0 * 2.0
    with pytest.raises(ValueError, match="patience"):
        optimise_layer(problem, charges, patience=-1)
    with pytest.raises(ValueError, match="time_limit"):
        optimise_exactly(problem, charges, time_limit=0)
    dead = state((two_nodes()[0], np.zeros((2, 2, 2)), np.ones(2)), 0.7, 1, **UNIT)
    with pytest.raises(ValueError, match="too few subcarriers"):
        charge_layer(dead)
