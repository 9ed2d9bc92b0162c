"""Paired tests and Holm's adjustment against values by hand and SciPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mec_moe_agents.evaluation.hypotheses import MOST_ENUMERATED, SAMPLED, holm, sign_flip_test
from scipy import stats


def test_sign_flips_by_hand() -> None:
    # Of 2³ sums ±1 ± 2 ± 3 only 6 and −6 are as far from 0 as 6; 4 and −4, 2, −2, 0, 0 are not.
    assert sign_flip_test(np.array([1.0, 2.0, 3.0])) == 2 / 8
    assert sign_flip_test(np.array([-1.0, -2.0, -3.0])) == 2 / 8
    assert sign_flip_test(np.array([-1.0, 2.0, 3.0])) == 4 / 8
    assert sign_flip_test(np.zeros(5)) == 1.0
    assert sign_flip_test(np.array([0.3])) == 1.0


def test_equal_differences_are_no_matter_of_rounding() -> None:
    differences = np.full(8, 0.1) + np.array([1, -1] * 4) * 1e-16
    assert sign_flip_test(differences) == 2 / 256


@pytest.mark.parametrize("count", [6, 10])
def test_sign_flips_are_scipys(count: int) -> None:
    differences = np.random.default_rng(count).normal(0.4, 1.0, count)
    found = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=100_000
    )
    assert sign_flip_test(differences) == pytest.approx(found.pvalue)


def test_fourteen_seeds_are_still_enumerated() -> None:
    assert MOST_ENUMERATED == 14
    assert sign_flip_test(np.full(14, 0.1)) == 2 / 2**14


def test_a_sample_of_signs_is_near_all_of_them_and_always_the_same() -> None:
    differences = np.random.default_rng(3).normal(0.4, 1.0, MOST_ENUMERATED + 2)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=differences.size)))
    exact = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9)
    assert sign_flip_test(differences) == pytest.approx(exact, abs=0.005)
    assert sign_flip_test(differences) == sign_flip_test(differences)
    assert sign_flip_test(np.full(50, 0.1)) == 1 / (SAMPLED + 1)


def test_holm_by_hand() -> None:
    # Sorted: 0.005·4, 0.01·3, 0.03·2, 0.04·1, the last lifted to the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_is_between_no_adjustment_and_bonferronis(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for raw, found in zip(p_values, adjusted, strict=True):
        assert raw <= found <= min(raw * len(p_values), 1.0) or found == max(adjusted)
    for one, other in itertools.combinations(range(len(p_values)), 2):
        if p_values[one] < p_values[other]:
            assert adjusted[one] <= adjusted[other]
