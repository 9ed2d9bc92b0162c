"""Estimates over seeds: bootstrap intervals of means, and rliable's measures over runs and tasks.

Scores are matrices (n, m): n runs, here seeds, of each of m tasks, here scenarios. What rliable
measures of them (Agarwal et al. 2021, arXiv 2108.13264) is resampled in strata, the runs of each
task for themselves. All resampling is deterministic: the same rows give the same table.
"""

from __future__ import annotations

from typing import NamedTuple, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mec_moe_env.core.buffers import Floats

LEVEL = 0.95
RESAMPLES = 10_000
CURVE_RESAMPLES = 1_000
SEED = 0
BLOCK_NUMBERS = 1 << 22
"""Bounds the memory of the resamples."""


class Estimate(NamedTuple):
    """A mean and its bootstrap interval; the bounds are NaN for fewer than two values."""

    mean: float
    low: float = np.nan
    high: float = np.nan

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    @property
    def negative(self) -> Estimate:
        """The same with the opposite sign."""
        return Estimate(-self.mean, -self.high, -self.low)

    def times(self, factor: float) -> Estimate:
        """Return it in another unit; the factor is positive."""
        return Estimate(factor * self.mean, factor * self.low, factor * self.high)


def resampled_means(values: Floats, resamples: int) -> Floats:
    """Return means of resamples with replacement along the first axis, (resamples, ...)."""
    n = values.shape[0]
    counts = _counts(np.random.default_rng(SEED), n, resamples)
    return np.asarray(counts @ values / n)


def _counts(rng: np.random.Generator, n: int, resamples: int) -> NDArray[np.int64]:
    """Draw how often each of n values is in each resample, (resamples, n)."""
    return rng.multinomial(n, np.full(n, 1.0 / n), size=resamples)


def estimate_mean(values: ArrayLike, resamples: int = RESAMPLES) -> Estimate:
    """Estimate the mean of `values` (n,) with its percentile bootstrap interval (95 %).

    NaN marks a seed without a value (no task accepted) and is left out. The resamples are the
    same in every call with the same n.

    Raises:
        ValueError: the values are no vector, or one is infinite.
    """
    given = np.asarray(values, np.float64)
    if given.ndim != 1:
        raise ValueError(f"values has shape {given.shape}; it must be (n,)")
    if (endless := np.isinf(given)).any():
        raise ValueError(f"values[{endless.argmax()}] is infinite; it must be finite, or NaN")
    known = given[~np.isnan(given)]
    if known.size == 0:
        return Estimate(np.nan)
    return _estimate(known.mean(), resampled_means(known, resamples), known.size)


def estimate_ratio(above: Floats, below: Floats) -> Estimate:
    """Estimate the ratio of two means over the same seeds, each (n,), resampled together."""
    means = resampled_means(np.stack([above, below], axis=1), RESAMPLES)
    return _estimate(above.mean() / below.mean(), means[:, 0] / means[:, 1], above.size)


def curve_band(curves: Floats) -> tuple[Floats, Floats]:
    """Return the pointwise 95 % bootstrap band of the mean of `curves` (n, T), each (T,)."""
    return interval(resampled_means(curves, CURVE_RESAMPLES), curves.shape[0])


def interval(means: Floats, count: int) -> tuple[Floats, Floats]:
    """Return the 95 % bounds of a mean of `count` values from its resamples, along the first axis.

    The percentiles are expanded as Student's t is wider than the normal and as resampling
    shrinks the variance by (n − 1)/n (Hesterberg 2015); otherwise few seeds promise too much.
    """
    quantile = stats.t.ppf((1.0 - LEVEL) / 2.0, count - 1) if count > 1 else 0.0
    tail = stats.norm.cdf(quantile * np.sqrt(count / max(count - 1, 1)))
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return low, high


def _estimate(value: SupportsFloat, resamples: Floats, count: int) -> Estimate:
    """Put the interval of a mean of `count` values beside it, if there is more than one."""
    if count < 2:
        return Estimate(float(value))
    low, high = interval(resamples, count)
    return Estimate(float(value), float(low), float(high))


def interquartile_mean(scores: Floats) -> Floats:
    """Return the mean along the last axis without the lowest and the highest quarter.

    As rliable's, that is SciPy's `trim_mean` with 0.25: of n values ⌊n/4⌋ are cut at each end.
    """
    count = scores.shape[-1]
    cut = count // 4
    kept: Floats = np.sort(scores, axis=-1)[..., cut : count - cut]
    return np.asarray(kept.mean(axis=-1), dtype=np.float64)


def estimate_iqm(scores: Floats, resamples: int = RESAMPLES) -> Estimate:
    """Estimate the interquartile mean of all scores (n, m) with its 95 % bootstrap interval.

    The percentiles are expanded for few runs as in `interval`; a single run has no interval (NaN).
    """
    runs, tasks = scores.shape
    rng, columns = np.random.default_rng(SEED), np.arange(tasks)
    block = max(1, BLOCK_NUMBERS // scores.size)
    values = []
    for start in range(0, resamples, block):
        draws = rng.integers(runs, size=(min(block, resamples - start), runs, tasks))
        values.append(interquartile_mean(scores[draws, columns].reshape(len(draws), -1)))
    return _estimate(interquartile_mean(scores.ravel()), np.concatenate(values), runs)


def score_profile(scores: Floats, thresholds: Floats) -> Floats:
    """Return the share of all runs (n, m) that score above each threshold, (k,)."""
    above = scores[..., np.newaxis] > thresholds
    return np.asarray(above.mean(axis=(0, 1)), dtype=np.float64)


def improvement(ours: Floats, theirs: Floats) -> Estimate:
    """Estimate how probably a run of ours (n,) beats an independent run of theirs (k,).

    Over all n·k pairs, ties counting half: Mann and Whitney's U, rliable's "probability of
    improvement". Both sides are resampled independently.
    """
    wins = _wins(ours[:, np.newaxis], theirs)
    rng = np.random.default_rng(SEED)
    our_counts, their_counts = (_counts(rng, count, RESAMPLES) for count in wins.shape)
    values = ((our_counts @ wins) * their_counts).sum(axis=1) / wins.size
    return _estimate(wins.mean(), values, min(wins.shape))


def share_better(ours: Floats, theirs: Floats) -> Estimate:
    """Estimate on which share of seeds ours (n,) beats theirs (n,) on the same seed.

    Ties count half. The interval is Wilson's: the bootstrap has none when all seeds agree.
    """
    wins = _wins(ours, theirs)
    count, share = wins.size, float(wins.mean())
    z = float(stats.norm.ppf((1.0 + LEVEL) / 2.0))
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    arm = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return Estimate(share, max(float(centre - arm), 0.0), min(float(centre + arm), 1.0))


def _wins(ours: Floats, theirs: Floats) -> Floats:
    return np.where(ours == theirs, 0.5, ours > theirs)
