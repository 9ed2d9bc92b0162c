"""Bootstrap intervals of means over seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
LEVEL = 0.95
RESAMPLES = 10_000
CURVE_RESAMPLES = 1_000
SEED = 0


class Estimate(NamedTuple):
    """A mean and its bootstrap interval; the bounds are NaN for fewer than two values."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


def resampled_means(values: Floats, resamples: int) -> Floats:
    """Return means of resamples with replacement along the first axis, (resamples, ...)."""
    n = values.shape[0]
    rng = np.random.default_rng(SEED)
    counts = rng.multinomial(n, np.full(n, 1.0 / n), size=resamples)
    means: Floats = counts @ values / n
    return means


def estimate_mean(values: Floats, resamples: int = RESAMPLES) -> Estimate:
    """Estimate the mean of `values` (n,) with its percentile bootstrap interval (95 %).

    NaN marks a seed without a value (no task accepted) and is left out. The resamples are the
    same in every call with the same n: the same rows give the same table.
    """
    known = values[~np.isnan(values)]
    if known.size == 0:
        return Estimate(np.nan, np.nan, np.nan)
    if known.size == 1:
        return Estimate(float(known[0]), np.nan, np.nan)
    low, high = interval(resampled_means(known, resamples), known.size)
    return Estimate(float(known.mean()), float(low), float(high))


def curve_band(curves: Floats, resamples: int = CURVE_RESAMPLES) -> tuple[Floats, Floats]:
    """Return the pointwise 95 % bootstrap band of the mean of `curves` (n, T), each (T,)."""
    return interval(resampled_means(curves, resamples), curves.shape[0])


def interval(means: Floats, count: int) -> tuple[Floats, Floats]:
    """Return the 95 % bounds of a mean of `count` values from its resamples, along the first axis.

    The percentiles are expanded as Student's t is wider than the normal and as resampling
    shrinks the variance by (n − 1)/n (Hesterberg 2015); otherwise few seeds promise too much.
    """
    quantile = stats.t.ppf((1.0 - LEVEL) / 2.0, count - 1) if count > 1 else 0.0
    tail = stats.norm.cdf(quantile * np.sqrt(count / max(count - 1, 1)))
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return low, high
