"""JESA and JESA+ against hand-worked layers, the constraints and one another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec_moe_agents.solvers import (
    JointAllocation,
    LayerProblem,
    allocate_jointly,
    allocate_jointly_plus,
    charge_layer,
    layer_value,
    lower_bound,
    select_experts,
    solve_exactly,
)

from tests.solvers.layers import Drawn, check_allocation, draw_layer, state

UNIT = {"state_bits": 1.0, "power": 1.0}
ONE_BEST = ([1.0, 0.5], [1.0, 0.25])
"""Rates of 0→1 and of 1→0 on two subcarriers of which the first is best for both."""


def two_nodes(away: tuple[list[float], list[float]] = ONE_BEST) -> Drawn:
    """Two nodes with one token each, which only the other node's expert satisfies."""
    score = np.array([[[0.1, 0.9]], [[0.9, 0.1]]])
    rate = np.ones((2, 2, 2))
    rate[0, 1], rate[1, 0] = away
    return score, rate, np.array([0.5, 0.25])


def test_hand_worked_layer() -> None:
    # Both links are best on subcarrier 0. Link 0→1 loses 1 J by moving to subcarrier 1, link 1→0
    # loses 3 J, so 0→1 moves: 2 + 1 J of radio, 0.25 + 0.5 J of computation.
    layer = two_nodes()
    plan = allocate_jointly(state(layer, 0.8, 1, **UNIT))
    assert plan.selected.tolist() == [[[False, True]], [[True, False]]]
    assert plan.subcarrier.tolist() == [[-1, 1], [0, -1]]
    assert plan.energy == 3.75
    assert plan.trace.tolist() == [3.75]
    assert plan.feasible.all()
    assert plan.evaluations == 1


def test_hand_worked_lower_bound() -> None:
    layer = two_nodes()
    assert lower_bound(state(layer, 0.8, 1, **UNIT)) == 2.75


def test_staying_at_home_is_free() -> None:
    layer = two_nodes()
    plan = allocate_jointly(state(layer, 0.1, 1, **UNIT))
    assert plan.subcarrier.max() == -1
    assert plan.energy == 0.75


def test_sources_name_the_nodes() -> None:
    score, rate, compute = two_nodes()
    plan = allocate_jointly(state((score[:1], rate[:1], compute), 0.05, 1, sources=[1], **UNIT))
    assert plan.selected.tolist() == [[[False, True]]]
    assert plan.subcarrier.max() == -1


def test_return_link_counts_on_the_same_subcarrier() -> None:
    layer = two_nodes()
    back = np.full(layer[1].shape, 0.5)
    back[1, 0, 0] = 0.1
    plan = allocate_jointly(state(layer, 0.8, 1, return_rate=back, **UNIT))
    # Now 1→0 costs 1 + 10 J on subcarrier 0 and 4 + 2 J on 1; 0→1 costs 1 + 2 J on 0.
    assert plan.subcarrier.tolist() == [[-1, 0], [1, -1]]
    assert plan.energy == 3 + 6 + 0.75


def test_an_instant_way_back_is_free() -> None:
    layer = two_nodes()
    plan = allocate_jointly(state(layer, 0.8, 1, **UNIT))
    instant = np.full(layer[1].shape, np.inf)
    both = allocate_jointly(state(layer, 0.8, 1, return_rate=instant, **UNIT))
    assert both.subcarrier.tolist() == plan.subcarrier.tolist()
    assert both.energy == plan.energy


def test_unavailable_expert_is_avoided() -> None:
    plan = allocate_jointly(state(two_nodes(), 0.8, 1, available=[True, False], **UNIT))
    assert not plan.selected[..., 1].any()
    assert plan.feasible.tolist() == [[False], [True]]


def test_infeasible_token_asks_for_its_top_experts() -> None:
    layer = np.array([[[0.1, 0.3, 0.2]]]), np.ones((1, 3, 2)), np.ones(3)
    plan = allocate_jointly(state(layer, 0.9, 2, **UNIT))
    assert plan.selected.tolist() == [[[False, True, True]]]
    assert not plan.feasible.any()
    assert plan.served.all()
    assert plan.energy == 4.0


def test_without_subcarriers_everything_stays_at_home() -> None:
    score, _, compute = two_nodes()
    problem = state((score, np.ones((2, 2, 0)), compute), 0.8, 1, **UNIT)
    for plan in (allocate_jointly(problem), allocate_jointly_plus(problem)):
        assert plan.selected.tolist() == [[[True, False]], [[False, True]]]
        assert not plan.feasible.any()


def test_dead_channel_closes_the_link() -> None:
    layer = two_nodes(([0.0, 0.0], [1.0, 0.0]))
    plan = allocate_jointly(state(layer, 0.8, 1, **UNIT))
    assert plan.feasible.tolist() == [[False], [True]]


def test_two_links_on_one_usable_subcarrier() -> None:
    problem = state(two_nodes(([1.0, 0.0], [1.0, 0.0])), 0.8, 1, **UNIT)
    plan = allocate_jointly(problem)
    assert plan.feasible.sum() == 1
    check_allocation(problem, plan)


def test_the_link_that_is_cheapest_to_lose_is_closed() -> None:
    # One subcarrier for two links. Served, the tokens cost 1 + 0.25 and 4 + 0.5 J, which is also
    # what they reserve; at home 0.5 and 0.25 J, and they miss 0.7/0.8. So it costs 0.5 − 1.25 +
    # 1.25·1.875 J to lose 0→1 and 0.25 − 4.5 + 4.5·1.875 J to lose 1→0, though that saves more.
    score, rate, compute = two_nodes(([1.0, 1.0], [0.25, 0.25]))
    problem = state((score, rate[..., :1], compute), 0.8, 1, **UNIT)
    for plan in (allocate_jointly(problem), allocate_jointly_plus(problem)):
        assert plan.selected.tolist() == [[[True, False]], [[True, False]]]
        assert plan.served.tolist() == [[False], [True]]
        assert plan.energy == 4.0 + 0.5 + 0.5
        assert plan.trace[-1] == pytest.approx(plan.energy + 1.25 * 1.875)


def value_of(problem: LayerProblem, plan: JointAllocation) -> float:
    """Return joules and charges, as the environment weighs them where S < L."""
    return float(layer_value(problem, charge_layer(problem), plan.selected, plan.subcarrier))


@pytest.mark.parametrize("threshold", [0.0, 0.4, 0.7, 0.95])
@pytest.mark.parametrize("subcarriers", [1, 3, 8, 32])
def test_constraints_trace_and_order_of_the_solvers(threshold: float, subcarriers: int) -> None:
    rng = np.random.default_rng(subcarriers)
    for _ in range(6):
        problem = state(draw_layer(rng, 4, 4, 2, subcarriers), threshold, 2)
        jesa = allocate_jointly(problem)
        plus = allocate_jointly_plus(problem, effort=100)
        for plan in (jesa, plus):
            check_allocation(problem, plan)
            assert (np.diff(plan.trace) <= 0).all()
            charged = 0.0 if plan.served.all() else value_of(problem, plan) - plan.energy
            assert plan.trace[-1] == pytest.approx(plan.energy + charged, rel=1e-9)
            assert (plan.served | ~plan.feasible).all()
            assert subcarriers < 12 or plan.served.all()
        assert plus.evaluations <= 101
        if plus.served.all() == jesa.served.all():
            assert value_of(problem, plus) <= value_of(problem, jesa) * (1 + 1e-9)
        assert plus.served.all() or not jesa.served.all()
        if subcarriers == 32:
            assert lower_bound(problem) <= plus.energy * (1 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(0, 5),
    st.floats(-0.5, 1.5),
)
def test_any_layer_is_allocated(
    seed: int, count: int, more: int, tokens: int, subcarriers: int, most: int, threshold: float
) -> None:
    rng = np.random.default_rng(seed)
    experts = count + more
    score, rate, compute = draw_layer(rng, count, experts, tokens, subcarriers)
    rate *= rng.random(rate.shape) < 0.7
    score *= rng.random(score.shape) < 0.8
    nodes = rng.permutation(experts)[:count]
    usable = rng.random(experts) < 0.8
    problem = state((score, rate, compute), threshold, most, sources=nodes, available=usable)
    for plan in (allocate_jointly(problem), allocate_jointly_plus(problem, effort=20)):
        check_allocation(problem, plan)
        assert not plan.selected[..., ~usable].any()
        assert (np.diff(plan.trace) <= 0).all()


def test_optimal_when_best_subcarriers_differ() -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(200):
        layer = draw_layer(rng, 3, 3, 2, 64)
        best = layer[1].argmax(axis=2)[~np.eye(3, dtype=bool)]
        if np.unique(best).size < best.size:
            continue
        found += 1
        problem = state(layer, 0.6, 2)
        plan = allocate_jointly(problem)
        assert plan.energy == pytest.approx(lower_bound(problem), rel=1e-12)
        assert plan.trace.size == 1
    assert found > 50


def test_descent_takes_several_iterations_somewhere() -> None:
    rng = np.random.default_rng(3)
    iterations = []
    for _ in range(150):
        layer = draw_layer(rng, 4, 4, 3, 12, spread=0.0)
        iterations.append(allocate_jointly(state(layer, 0.5, 2)).trace.size)
    assert max(iterations) > 1


def test_descent_undoes_an_iteration_that_makes_things_worse() -> None:
    # Expert 3 costs every source 1 J on subcarrier 0, 10 J on 1 and 2, 100 J on 3; expert 4 costs
    # 2 J on subcarrier 3 and 1000 J elsewhere. All three start with expert 3, for 1 + 10 + 10 J.
    # Then the two dear ones both turn to expert 4 on subcarrier 3, which only one can have: JESA
    # must undo that, and stays at 21 J. Moving one of them alone gives 1 + 10 + 2 J.
    cost = np.zeros((3, 5, 4)) + 1000.0
    cost[:, 3] = [1.0, 10.0, 10.0, 100.0]
    cost[:, 4, 3] = 2.0
    score = np.zeros((3, 1, 5))
    score[..., 3:] = 0.5
    problem = state((score, 1.0 / cost, np.zeros(5)), 0.5, 1, **UNIT)
    jesa = allocate_jointly(problem)
    assert jesa.energy == pytest.approx(21)
    assert jesa.trace.size == 1
    plus = allocate_jointly_plus(problem)
    assert plus.energy == pytest.approx(13)
    assert plus.trace == pytest.approx([21, 13])
    assert solve_exactly(problem).energy == pytest.approx(13)


def test_plus_improves_somewhere_and_effort_zero_is_jesa() -> None:
    rng = np.random.default_rng(4)
    saved = 0
    for _ in range(40):
        problem = state(draw_layer(rng, 4, 4, 2, 8, spread=0.0), 0.5, 2)
        jesa = allocate_jointly(problem)
        none = allocate_jointly_plus(problem, effort=0)
        plus = allocate_jointly_plus(problem)
        np.testing.assert_array_equal(none.selected, jesa.selected)
        saved += bool(plus.energy < jesa.energy * (1 - 1e-9))
    assert saved > 0


def test_batch_equals_single_layers() -> None:
    rng = np.random.default_rng(5)
    layers = [draw_layer(rng, 3, 4, 2, 6, spread=0.0) for _ in range(6)]
    score, rate, compute = (np.array([layer[part] for layer in layers]) for part in range(3))
    shape = (2, 3)
    reshaped = (
        score.reshape(*shape, 3, 2, 4),
        rate.reshape(*shape, 3, 4, 6),
        compute.reshape(*shape, 4),
    )
    batch = allocate_jointly_plus(state(reshaped, 0.5, 2), effort=30)
    assert batch.energy.shape == shape
    for index, layer in enumerate(layers):
        single = allocate_jointly_plus(state(layer, 0.5, 2), effort=30)
        at = np.unravel_index(index, shape)
        np.testing.assert_array_equal(batch.selected[at], single.selected)
        np.testing.assert_array_equal(batch.subcarrier[at], single.subcarrier)
        assert batch.energy[at] == single.energy
        assert batch.trace[at][-1] == single.energy
        assert batch.evaluations[at] == single.evaluations


def test_one_source_equals_expert_selection() -> None:
    rng = np.random.default_rng(6)
    score, rate, compute = draw_layer(rng, 1, 6, 1, 16)
    problem = state((score, rate, compute), 0.6, 3)
    plan = allocate_jointly(problem)
    link = problem.power * problem.state_bits / rate[0].max(axis=1)
    link[0] = 0.0
    token = select_experts(compute + link, score[0, 0], 0.6, 3)
    if np.unique(rate[0].argmax(axis=1)[token.selected]).size == token.selected.sum():
        np.testing.assert_array_equal(plan.selected[0, 0], token.selected)
        assert plan.energy == pytest.approx(token.energy)


def test_a_problem_is_frozen_and_restated_as_a_whole() -> None:
    problem = state(two_nodes(), 0.8, 1, **UNIT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.threshold = 0.1  # type: ignore[misc]
    nearer = dataclasses.replace(problem, threshold=0.1)
    assert allocate_jointly(nearer).energy == 0.75
    with pytest.raises(ValueError, match="threshold"):
        dataclasses.replace(problem, threshold=np.nan)
    assert "arrays" not in repr(problem)
    assert "batch" not in repr(problem)


def test_a_batch_may_be_empty() -> None:
    problem = state((np.ones((0, 2, 3, 2)), np.ones((0, 2, 2, 2)), np.ones(2)), 0.5, 1)
    found = allocate_jointly(problem)
    assert found.selected.shape == (0, 2, 3, 2)
    assert found.subcarrier.shape == (0, 2, 2)
    assert found.trace.shape == (0, 1)
    assert found.energy.shape == found.evaluations.shape == (0,)
