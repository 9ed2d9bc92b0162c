"""Many small cases: selections against enumeration, and answers that only change by intent.

A search that prunes too little still finds the optimum, and one that moves at random still finds a
plan: what tells a fault there is that the nodes, the moves or the value are no longer what they
were. Whoever changes a search on purpose writes down what it comes to now.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mec_moe_agents.solvers import (
    LayerProblem,
    allocate_jointly_plus,
    charge_layer,
    layer_bound,
    layer_value,
    optimise_layer,
    select_experts,
)
from mec_moe_agents.solvers.selection_bound import Workspace
from mec_moe_agents.solvers.selection_search import build_core, suffix_value
from numpy.typing import NDArray

from tests.solvers.families import brute_force
from tests.solvers.layers import draw_layer, state
from tests.solvers.test_layer_optimum import crowded

Floats = NDArray[np.float64]
NODES = (
    [2, 19, 13, 1, 19, 0, 3, 12, 1, 1, 0, 2, 2, 60, 0, 12, 3, 45, 1, 3],
    [2, 0, 30, 12, 1, 0, 1, 1, 40, 2, 0, 58, 2, 4, 2, 2, 4, 16, 6, 1],
    [1, 19, 2, 33, 8, 3, 26, 14, 8, 29, 0, 3, 55, 0, 1, 29, 3, 1, 26, 7],
    [0, 1, 0, 1, 4, 1, 2, 15, 12, 2, 3, 2, 3, 3, 4, 26, 0, 13, 0, 7],
    [4, 6, 7, 2, 6, 2, 17, 3, 2, 7, 2, 20, 13, 1, 1, 0, 1, 16, 0, 3],
    [36, 19, 2, 24, 1, 4, 13, 12, 1, 0, 4, 1, 10, 4, 1, 0, 0, 9, 1, 0],
)
"""Of the search for each token."""
NODES_WITH_GAPS = [651, 296, 23]
"""Of all searches with a gap of 0, 0.05 and 0.3."""
CUT_SHORT = (21426.0, 19697.806170521282)
"""Joules and bounds in all, with no node, one and four."""
LAYERS = (
    (0.0211750496314, 46, 0.0211750496314, 21),
    (0.0303952943934, 52, 0.0303952943934, 21),
    (0.0148422215863, 49, 0.0148422215863, 21),
    (0.00947884009377, 0, 0.01023749259, 21),
    (0.00941270385251, 0, 0.00941270385251, 21),
    (0.0127226866661, 0, 0.0134164058872, 21),
    (0.0183633465335, 51, 0.0195785476238, 21),
    (0.033016700935, 67, 0.0245297556973, 21),
    (0.0212014944895, 49, 0.0212014944895, 21),
    (0.0540097794613, 48, 0.0243411052858, 21),
    (0.0229656384562, 52, 0.0100292608984, 21),
    (0.0101617806613, 0, 0.0101617806613, 21),
)
"""Value and moves of the search, joules and descents of JESA+."""


def whole_numbers(seed: int) -> tuple[Floats, Floats, float, int]:
    """Return energies, scores, a threshold and the most experts of a token, without rounding."""
    rng = np.random.default_rng(seed)
    experts, most = int(rng.integers(6, 13)), int(rng.integers(3, 6))
    score = rng.integers(1, 60, experts).astype(float)
    energies = (
        score + 8.0,
        score + rng.integers(0, 9, experts).astype(float),
        rng.integers(1, 90, experts).astype(float),
    )
    share = rng.choice([0.3, 0.5, 0.7, 0.9])
    threshold = np.floor(share * np.sort(score)[::-1][:most].sum())
    return energies[seed % 3], score, float(threshold), most


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_small_tokens_are_solved_exactly_in_as_many_nodes_as_ever(first: int) -> None:
    nodes = []
    for seed in range(first, first + 20):
        energy, score, threshold, most = whole_numbers(seed)
        found = select_experts(energy, score, threshold, most)
        least = brute_force(energy[None], score[None], np.array([threshold]), most)
        assert found.energy == found.bound == least[0]
        assert found.proven
        assert energy[found.selected].sum() == least[0]
        assert score[found.selected].sum() >= threshold
        assert found.selected.sum() <= most
        nodes.append(int(found.nodes))
    assert nodes == NODES[first // 20]


def test_who_wants_nothing_takes_nobody() -> None:
    found = select_experts(np.array([2.0, 1.0]), np.array([0.4, 0.6]), 0.0, 2)
    assert not found.selected.any()
    assert found.energy == found.bound == 0.0
    assert found.nodes == 0
    assert found.proven


def test_a_search_that_is_cut_short_says_what_it_knows() -> None:
    spent, bounds = 0.0, 0.0
    for seed in range(60):
        token = whole_numbers(seed)
        best = select_experts(*token)
        for limit in (0, 1, 4):
            found = select_experts(*token, node_limit=limit)
            assert found.nodes <= limit
            assert found.bound <= best.energy <= found.energy
            assert found.proven == (found.bound == found.energy)
            spent += float(found.energy)
            bounds += float(found.bound)
    assert (spent, bounds) == pytest.approx(CUT_SHORT, rel=1e-12)


def test_a_gap_saves_nodes() -> None:
    nodes = np.zeros(3, np.int64)
    for seed in range(60):
        token = whole_numbers(seed)
        for place, gap in enumerate((0.0, 0.05, 0.3)):
            found = select_experts(*token, gap=gap)
            assert found.bound >= found.energy * (1.0 - gap) - 1e-9
            nodes[place] += found.nodes
    assert nodes.tolist() == NODES_WITH_GAPS


@pytest.mark.parametrize("width", [2, 3, 7])
def test_suffixes_are_priced_by_definition(width: int) -> None:
    """Up to the table's width exactly; beyond it by the sum of all negative reduced costs."""
    rng = np.random.default_rng(width)
    numbers, integers = np.zeros((3, 7)), np.tile(np.arange(8), (3, 1))
    work = Workspace(*numbers, *integers)
    work.energy[:], work.score[:] = rng.random(7), rng.random(7)
    core = build_core(work, 7, width, 1.2)
    assert (np.diff(core.score) <= 0).all()
    np.testing.assert_allclose(core.reach, np.r_[0.0, np.cumsum(core.score)])
    np.testing.assert_array_equal(core.energy, work.energy[core.expert])
    reduced = core.energy - 1.2 * core.score
    assert 0 < (reduced < 0).sum() < 7
    for j in range(8):
        rest = np.sort(reduced[j:])
        assert core.wanted[j] == (rest < 0).sum()
        for fewest, most in itertools.combinations_with_replacement(range(8 - j), 2):
            count = min(max(int((rest < 0).sum()), fewest), most)
            expected = rest[:count].sum() if count <= width else rest[rest < 0].sum()
            assert suffix_value(core, j, fewest, most) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_layers_come_to_what_they_did(seed: int) -> None:
    problem, charges = crowded(seed)
    best = optimise_layer(problem, charges, effort=100, patience=40)
    joint = allocate_jointly_plus(problem, effort=20)
    value, moves, energy, evaluations = LAYERS[seed]
    assert (best.value, joint.energy) == pytest.approx((value, energy), rel=1e-9)
    assert best.bound == pytest.approx(float(layer_bound(problem, charges)), rel=1e-12)
    assert best.moves == moves
    assert joint.evaluations == evaluations


@pytest.mark.parametrize("seed", range(12))
def test_without_conflicts_a_layer_is_as_good_as_its_token(seed: int) -> None:
    """As many subcarriers as experts, and every link a joule: what one token chooses is best."""
    energy, score, threshold, most = whole_numbers(seed)
    experts = energy.size
    problem = LayerProblem(
        score.reshape(1, 1, -1),
        np.ones((1, experts, experts)),
        energy,
        threshold,
        most,
        state_bits=1.0,
        power=1.0,
    )
    found = optimise_layer(problem, charge_layer(problem, error_weight=100.0), effort=0)
    alone = select_experts(energy + (np.arange(experts) > 0), score, threshold, most)
    assert found.value == found.bound == alone.energy


def test_no_move_is_lost_on_who_cannot_work() -> None:
    layer = draw_layer(np.random.default_rng(0), 3, 4, 2, 4, 0.3)
    problem = state(layer, 0.6, 2, available=[True, True, True, False])
    best = optimise_layer(problem, charge_layer(problem), patience=40)
    # Of each source the links to the two others, and then 40 times in vain.
    assert best.moves == 3 * 2 + 40


def test_a_batch_comes_to_what_its_layers_do() -> None:
    """The first takes one iteration, the second more: its trace is filled up with its last."""
    problems = [crowded(seed)[0] for seed in (0, 6)]
    score, rate, compute = (
        np.stack([np.asarray(getattr(each, name)) for each in problems])
        for name in ("score", "rate", "compute_energy")
    )
    threshold = np.array([each.threshold for each in problems]).reshape(2, 1, 1)
    both = LayerProblem(score, rate, compute, threshold, 2, state_bits=4e4, power=0.1)
    joint, charges = allocate_jointly_plus(both, effort=8), charge_layer(both)
    values = layer_value(both, charges, joint.selected, joint.subcarrier)
    lengths = []
    for b, problem in enumerate(problems):
        alone = allocate_jointly_plus(problem, effort=8)
        np.testing.assert_array_equal(joint.selected[b], alone.selected)
        lengths.append(alone.trace.size)
        filled = np.r_[alone.trace, np.repeat(alone.trace[-1], joint.trace.shape[1] - lengths[b])]
        np.testing.assert_allclose(joint.trace[b], filled)
        own = layer_value(problem, charge_layer(problem), alone.selected, alone.subcarrier)
        assert values[b] == pytest.approx(float(own))
    assert lengths[0] < lengths[1]
