"""Assignment against hand-worked cases, enumeration and SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec_moe_agents.solvers import allocate_subcarriers
from scipy.optimize import linear_sum_assignment


def test_hand_worked_assignment() -> None:
    # Both links prefer subcarrier 0 (1 J or 2 J there). Giving it to link 1 costs 2 + 2 = 4 J,
    # giving it to link 0 costs 1 + 10 = 11 J.
    result = allocate_subcarriers([10.0, 20.0], [[10.0, 5.0], [10.0, 2.0]], 1.0)
    assert result.subcarrier.tolist() == [1, 0]
    assert result.energy == 4.0


def test_links_without_bits_stay_unused() -> None:
    result = allocate_subcarriers([0.0, 1.0, 0.0], np.ones((3, 1)), 2.0)
    assert result.subcarrier.tolist() == [-1, 0, -1]
    assert result.energy == 2.0


def test_nothing_to_send_and_no_links() -> None:
    assert allocate_subcarriers([0.0], np.zeros((1, 0)), 1.0).energy == 0.0
    assert allocate_subcarriers(np.zeros(0), np.zeros((0, 3)), 1.0).subcarrier.shape == (0,)


def test_rate_zero_cannot_serve_a_link() -> None:
    result = allocate_subcarriers([1.0, 1.0], [[4.0, 0.0], [4.0, 1.0]], 1.0)
    assert result.subcarrier.tolist() == [0, 1]
    blocked = allocate_subcarriers([1.0, 1.0], [[4.0, 0.0], [4.0, 0.0]], 1.0)
    assert sorted(blocked.subcarrier.tolist()) == [-1, 0]
    assert blocked.energy == np.inf


def test_infinite_rate_costs_nothing() -> None:
    assert allocate_subcarriers([1.0], [[np.inf, 1.0]], 1.0).energy == 0.0


def test_batch_axes() -> None:
    rng = np.random.default_rng(0)
    bits, rate = rng.random((2, 3, 4)), rng.random((3, 4, 6)) + 0.1
    result = allocate_subcarriers(bits, rate, [1.0, 2.0, 3.0])
    assert result.subcarrier.shape == (2, 3, 4)
    single = allocate_subcarriers(bits[1, 2], rate[2], 3.0)
    assert result.energy[1, 2] == single.energy


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(0, 2))
def test_matches_enumeration(seed: int, links: int, spare: int) -> None:
    rng = np.random.default_rng(seed)
    # Few distinct values: ties, zero rates and unused links are the rule.
    bits = rng.integers(0, 4, links).astype(float)
    rate = rng.integers(0, 4, (links, links + spare)).astype(float)
    used = np.flatnonzero(bits)
    with np.errstate(divide="ignore"):
        cost = bits[used, None] / rate[used]
    best = min(
        sum(cost[row, column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(links + spare), used.size)
    )
    result = allocate_subcarriers(bits, rate, 1.0)
    assert result.energy == pytest.approx(best)


@pytest.mark.parametrize(("links", "subcarriers"), [(1, 1), (8, 8), (56, 64), (60, 60), (120, 512)])
def test_matches_scipy(links: int, subcarriers: int) -> None:
    rng = np.random.default_rng(links)
    for _ in range(5):
        rate = 1e6 * np.log2(1 + rng.exponential(size=(links, subcarriers)) * 10)
        bits = rng.integers(1, 4, links) * 1e4
        result = allocate_subcarriers(bits, rate, 0.1)
        cost = 0.1 * bits[:, None] / rate
        rows, columns = linear_sum_assignment(cost)
        assert result.energy == pytest.approx(cost[rows, columns].sum(), rel=1e-9)
        assert np.unique(result.subcarrier).size == links
        assert result.energy == pytest.approx(cost[rows, result.subcarrier].sum(), rel=1e-12)


def test_matches_scipy_when_many_pairs_are_ruled_out() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        rate = rng.random((12, 16)) * (rng.random((12, 16)) < 0.25)
        with np.errstate(divide="ignore"):
            cost = 1.0 / rate
        result = allocate_subcarriers(np.ones(12), rate, 1.0)
        try:
            rows, columns = linear_sum_assignment(cost)
        except ValueError:
            assert result.energy == np.inf
            reachable = linear_sum_assignment(rate > 0, maximize=True)
            assert (result.subcarrier >= 0).sum() == (rate > 0)[reachable].sum()
        else:
            assert result.energy == pytest.approx(cost[rows, columns].sum(), rel=1e-9)


def test_matches_scipy_when_bidding_stalls_on_ties() -> None:
    # Equal costs end the bidding at once and leave the work to augmenting paths.
    rng = np.random.default_rng(2)
    for _ in range(40):
        rate = rng.choice([1.0, 2.0, 3.0, 4.0, 8.0], (30, 34), p=[0.5, 0.3, 0.1, 0.07, 0.03])
        bits = rng.integers(1, 5, 30).astype(float)
        result = allocate_subcarriers(bits, rate, 1.0)
        cost = bits[:, None] / rate
        rows, columns = linear_sum_assignment(cost)
        assert result.energy == pytest.approx(cost[rows, columns].sum(), rel=1e-9)
