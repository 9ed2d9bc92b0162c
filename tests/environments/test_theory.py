"""The papers' bounds on numbers worked out by hand."""

import math
from typing import Any

import pytest

from mec_moe_env import theory


def test_concurrent_experts_by_hand() -> None:
    # Binomial(5, 1/10): P(X > 1) = 0.0815, P(X > 2) = 0.0086.
    assert theory.concurrent_experts(10, 5, 0.1) == 1
    assert theory.concurrent_experts(10, 5, 0.05) == 2
    assert theory.concurrent_experts(10, 5, 0.005) == 3
    assert theory.concurrent_experts(1, 5, 0.1) == 5


def test_enough_experts_by_hand() -> None:
    assert theory.enough_experts(10, 5, 0.05) == pytest.approx(10 * 2 * math.log(20))


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
        (theory.optimality_probability, (4, 0), "num_subcarriers = 0"),
        (theory.distinct_probability, (-1, 4), "num_links = -1"),
    ],
)
def test_bad_arguments(function: Any, arguments: tuple[Any, ...], culprit: str) -> None:
    with pytest.raises(ValueError, match=culprit):
        function(*arguments)
