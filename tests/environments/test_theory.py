"""The papers' bounds on numbers worked out by hand."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mec_moe_env import theory


def test_concurrent_experts_by_hand() -> None:
    # Binomial(5, 1/10): P(X > 1) = 0.0815, P(X > 2) = 0.0086.
    assert theory.concurrent_experts(10, 5, 0.1) == 1
    assert theory.concurrent_experts(10, 5, 0.05) == 2
    assert theory.concurrent_experts(10, 5, 0.005) == 3
    assert theory.concurrent_experts(1, 5, 0.1) == 5


def test_concurrent_experts_far_out_in_the_tail() -> None:
    """Where 1 − δ is 1: of 100 tosses more than 88 are heads with 1.3e-16, 89 with 1.5e-17."""
    assert tail(2, 100, 88) > Fraction(1e-16) > tail(2, 100, 89)
    assert theory.concurrent_experts(2, 100, 1e-16) == 89
    assert theory.concurrent_experts(2, 100, 5e-324) == 100


def tail(num_types: int, tasks: int, count: int) -> Fraction:
    """Return P(Binomial(tasks, 1/N) > count) exactly."""
    ways = sum(
        math.comb(tasks, j) * (num_types - 1) ** (tasks - j) for j in range(count + 1, tasks + 1)
    )
    return Fraction(ways, num_types**tasks)


@given(
    num_types=st.integers(1, 12),
    max_delay=st.integers(1, 120),
    exponent=st.floats(-320.0, -1e-3),
)
def test_concurrent_experts_by_definition(num_types: int, max_delay: int, exponent: float) -> None:
    """The least count, at least 1, that is exceeded with probability at most δ."""
    delta = 10.0**exponent
    assume(delta > 0.0)
    found = theory.concurrent_experts(num_types, max_delay, delta)
    tails = [tail(num_types, max_delay, count) for count in range(max_delay + 1)]
    # Where the tail is δ to within rounding, either is right.
    assume(all(abs(each / Fraction(delta) - 1) > 1e-9 for each in tails))
    assert found == max(next(m for m, each in enumerate(tails) if each <= Fraction(delta)), 1)


def test_enough_experts_by_hand() -> None:
    assert theory.enough_experts(10, 5, 0.05) == pytest.approx(10 * 2 * math.log(20))
    # The smallest number there is: 1/δ is beyond any.
    assert theory.enough_experts(1, 5, 5e-324) == pytest.approx(5 * 1074 * math.log(2))


def test_exploration_by_hand() -> None:
    assert theory.exploration_rounds(30, 3.0) == 10
    assert theory.exploration_rounds(31, 3.0) == 11


def test_optimality_by_hand() -> None:
    # Two links, four subcarriers: 3/4. Six links on five subcarriers: never.
    assert theory.optimality_probability(2, 4) == pytest.approx(0.75)
    assert theory.optimality_probability(3, 5) == 0.0
    assert theory.optimality_probability(1, 1) == 1.0
    # The measured shares of distinct best subcarriers: 99 % for 8 × 2048, 47 % for 56 × 2048.
    assert theory.distinct_probability(8, 2048) == pytest.approx(0.986, abs=0.002)
    assert theory.optimality_probability(8, 2048) == pytest.approx(0.47, abs=0.005)


@pytest.mark.parametrize(
    ("function", "arguments", "culprit"),
    [
        (theory.concurrent_experts, (0, 5, 0.1), "num_types = 0"),
        (theory.concurrent_experts, (5, 0, 0.1), "max_delay = 0"),
        (theory.enough_experts, (5, 5, 1.0), "failure_probability = 1.0"),
        (theory.enough_experts, (5, 5, math.nan), "failure_probability = nan"),
        (theory.exploration_rounds, (5, 0.0), "learning_rate = 0.0"),
        (theory.exploration_rounds, (5, 1e-320), "learning_rate = 1e-320"),
        (theory.optimality_probability, (4, 0), "num_subcarriers = 0"),
        (theory.distinct_probability, (-1, 4), "num_links = -1"),
    ],
)
def test_bad_arguments(function: Any, arguments: tuple[Any, ...], culprit: str) -> None:
    with pytest.raises(ValueError, match=culprit):
        function(*arguments)
