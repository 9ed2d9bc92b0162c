"""Intervals that cover, and rliable's statistics against values by hand and a plain loop."""

from collections.abc import Sequence

import numpy as np
import pytest
from mec_moe_agents.evaluation.statistics import (
    Estimate,
    curve_band,
    estimate_iqm,
    estimate_mean,
    estimate_ratio,
    improvement,
    interquartile_mean,
    interval,
    score_profile,
    share_better,
)
from scipy import stats

from mec_moe_env.core.buffers import Floats

SCORES = np.random.default_rng(7).normal([0.2, 0.9, -3.0], [0.1, 0.3, 2.0], (30, 3))
"""Three scenarios of very different spread: pooling instead of stratifying shows."""

MEAN = (6.0, 0.2, 14.6)
RATIO = (0.75, 0.09090909090909091, 0.8795180722891566)
IQM = (-0.3092031960121022, -0.5779718836217135, -0.14628463179843104)
BETTER = (0.42777777777777776, 0.18641884750337961, 0.7)
BAND = (0.135553975, 0.582587474, -4.572692771, 0.238526851, 1.136456924, -2.691390611)
"""Of the interval's tests below."""


@pytest.mark.parametrize("count", [8, 20, 30])
def test_the_bootstrap_interval_covers(count: int) -> None:
    rng = np.random.default_rng(0)
    draws = (rng.normal(1.0, 2.0, count) for _ in range(400))
    estimates = [estimate_mean(values, resamples=2000) for values in draws]
    covered = np.mean([estimate.low <= 1.0 <= estimate.high for estimate in estimates])
    # Standard error 0.011; the plain percentile interval covers only 0.88 of n = 8.
    assert 0.915 < covered < 0.985


def test_percentiles_are_expanded_by_hand() -> None:
    """Of means 0, 1, …, 10,000 a percentile reads off its own tail.

    t of 3 degrees at 2.5 % is −3.182446; times √(4/3), −3.674772: a normal's tail of 0.000119.
    """
    means = np.arange(10_001.0)
    assert interval(means, 4) == pytest.approx((1.1904, 9998.8096), abs=1e-3)
    # t of 1 degree, −12.706205, times √2: nothing is left. One value has no spread to expand.
    assert interval(means, 2) == pytest.approx((0.0, 10_000.0))
    assert interval(means, 1) == pytest.approx((5000.0, 5000.0))


def test_published_intervals_stay_what_they_were() -> None:
    """Resamples are the same in every call: a table made anew has the same digits."""
    values = np.array([0.0, 1.0, 4.0, 9.0, 16.0])
    assert estimate_mean(values) == pytest.approx(MEAN, abs=1e-9)
    assert estimate_ratio(values, values + 2.0) == pytest.approx(RATIO, abs=1e-9)
    assert estimate_iqm(SCORES[:6]) == pytest.approx(IQM, abs=1e-9)
    better = improvement(SCORES[:12, 0], SCORES[10:25, 0] + 0.03)
    assert better == pytest.approx(BETTER, abs=1e-9)
    assert np.concatenate(curve_band(SCORES[:6])) == pytest.approx(BAND, abs=1e-8)


def test_an_interval_of_another_sign_and_unit() -> None:
    estimate = Estimate(2.0, 1.0, 4.0)
    assert estimate.negative == (-2.0, -4.0, -1.0)
    assert estimate.times(10.0) == (20.0, 10.0, 40.0)
    assert estimate.excludes_zero
    assert estimate.negative.excludes_zero
    assert not Estimate(0.5, 0.0, 1.0).excludes_zero
    assert not Estimate(-0.5, -1.0, 0.0).excludes_zero
    assert not Estimate(0.5).excludes_zero


def test_estimates_of_few_values() -> None:
    assert estimate_mean(np.array([1.0, np.nan, 3.0])).mean == 2.0
    assert estimate_mean(np.array([5.0]))[0] == 5.0
    assert np.isnan(estimate_mean(np.array([5.0])).low)
    assert np.isnan(estimate_mean(np.array([np.nan])).mean)
    assert estimate_mean(np.full(9, 2.0)) == (2.0, 2.0, 2.0)


def test_what_has_no_mean_is_refused() -> None:
    assert estimate_mean([1.0, 2.0, 3.0]) == estimate_mean(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match=r"values\[1\] is infinite"):
        estimate_mean(np.array([1.0, np.inf]))
    with pytest.raises(ValueError, match=r"values has shape \(2, 2\); it must be \(n,\)"):
        estimate_mean(np.ones((2, 2)))


def test_curve_band_surrounds_the_mean() -> None:
    curves = np.random.default_rng(0).normal(size=(20, 50))
    low, high = curve_band(curves)
    assert ((low < curves.mean(axis=0)) & (curves.mean(axis=0) < high)).all()


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 100], 4.5),  # two cut at each end
        ([9, 1, 2, 3, 4], 3.0),  # one cut at each end
        ([5, 1, 3], 3.0),  # nothing to cut
        ([2], 2.0),
    ],
)
def test_interquartile_mean_by_hand(scores: Sequence[float], expected: float) -> None:
    assert interquartile_mean(np.array(scores, dtype=float)) == expected


@pytest.mark.parametrize("count", [1, 4, 7, 50, 51, 90])
def test_interquartile_mean_is_the_one_of_rliable(count: int) -> None:
    scores = np.random.default_rng(count).normal(size=(2, count))
    theirs = [stats.trim_mean(row, 0.25) for row in scores]
    np.testing.assert_allclose(interquartile_mean(scores), theirs, rtol=1e-12)


def slow_iqm_interval(scores: Floats, resamples: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(1)
    runs, tasks = scores.shape
    values = []
    for _ in range(resamples):
        drawn = [rng.choice(scores[:, task], size=runs) for task in range(tasks)]
        values.append(stats.trim_mean(np.concatenate(drawn), 0.25))
    return interval(np.array(values), runs)


def test_iqm_intervals_are_those_of_a_stratified_loop() -> None:
    estimate = estimate_iqm(SCORES)
    low, high = slow_iqm_interval(SCORES, 2000)
    assert estimate.mean == pytest.approx(stats.trim_mean(SCORES.ravel(), 0.25))
    width = float(high - low)
    assert estimate.low == pytest.approx(low, abs=0.08 * width)
    assert estimate.high == pytest.approx(high, abs=0.08 * width)
    rng = np.random.default_rng(0)
    drawn = [stats.trim_mean(rng.choice(SCORES.ravel(), SCORES.size), 0.25) for _ in range(500)]
    assert np.diff(np.quantile(drawn, [0.025, 0.975])) > 1.5 * width


@pytest.mark.parametrize("numbers", [64 * SCORES.size, 1])
def test_blocks_of_resamples_change_nothing(numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = estimate_iqm(SCORES, 500)
    monkeypatch.setattr("mec_moe_agents.evaluation.statistics.BLOCK_NUMBERS", numbers)
    assert estimate_iqm(SCORES, 500) == whole


def test_a_single_run_has_no_interval() -> None:
    assert np.isnan(estimate_iqm(np.array([[1.0, 2.0]])).low)
    assert np.isnan(improvement(np.array([1.0]), np.array([2.0, 3.0])).low)


def test_profile_by_hand() -> None:
    scores = np.array([[0.0, 1.0], [0.5, 2.0]])
    profile = score_profile(scores, np.array([-1.0, 0.0, 0.5, 1.5, 2.0]))
    assert profile.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_improvement_by_hand() -> None:
    # Pairs: 3 beats 1 and 2, ties 3; 0 beats none; 2 beats 1, ties 2: 4 of 9.
    ours, theirs = np.array([3.0, 0.0, 2.0]), np.array([1.0, 2.0, 3.0])
    assert improvement(ours, theirs).mean == pytest.approx(4 / 9)
    u = stats.mannwhitneyu(SCORES[:, 0], SCORES[:20, 1]).statistic
    assert improvement(SCORES[:, 0], SCORES[:20, 1]).mean == pytest.approx(u / 600)


def test_improvement_interval_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(2)
    ours, theirs = SCORES[:, 1], SCORES[:, 1] + rng.normal(0.2, 0.3, 30)
    values = []
    for _ in range(4000):
        x, y = rng.choice(ours, 30), rng.choice(theirs, 30)
        values.append(np.mean((x[:, None] > y) + 0.5 * (x[:, None] == y)))
    low, high = interval(np.array(values), 30)
    estimate = improvement(ours, theirs)
    assert estimate.low == pytest.approx(low, abs=0.02)
    assert estimate.high == pytest.approx(high, abs=0.02)


def test_paired_share_does_not_look_at_other_seeds() -> None:
    noise = np.random.default_rng(3).normal(0, 100, 12)
    assert share_better(noise + 1.0, noise).mean == 1.0
    assert improvement(noise + 1.0, noise).mean < 0.6


@pytest.mark.parametrize(
    ("won", "count", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (12, 12, 0.7575, 1.0), (0, 10, 0.0, 0.2775)],
)
def test_paired_share_has_wilsons_interval(won: int, count: int, low: float, high: float) -> None:
    ours = np.arange(count) < won
    estimate = share_better(ours.astype(float), np.full(count, 0.5))
    assert estimate == pytest.approx((won / count, low, high), abs=1e-4)


def test_ties_count_half() -> None:
    assert share_better(np.array([1.0, 2.0]), np.array([1.0, 0.0])).mean == 0.75


def test_share_of_the_gap() -> None:
    gap = np.array([8.0, 12.0, 10.0] * 4)
    # A ratio that is the same on every seed is certain, however the gap varies.
    assert estimate_ratio(0.6 * gap, gap) == pytest.approx((0.6, 0.6, 0.6))
    assert estimate_ratio(np.array([1.0, 3.0]), np.array([2.0, 6.0])).mean == 0.5
