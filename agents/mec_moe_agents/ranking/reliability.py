"""What rliable measures over runs and tasks (Agarwal et al. 2021, arXiv 2108.13264).

Scores are matrices (n, m): n runs, here seeds, of each of m tasks, here scenarios. Resampling is
stratified, the runs of each task for themselves, and deterministic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mec_moe_agents.evaluation.statistics import (
    LEVEL,
    RESAMPLES,
    SEED,
    Estimate,
    interval,
    resampled_means,
)

Floats = NDArray[np.float64]
BLOCK_NUMBERS = 1 << 22
"""Bounds the memory of the resamples."""


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

    The percentiles are expanded for few runs as in `statistics.interval`; for a single run there
    is no interval (NaN).
    """
    runs, tasks = scores.shape
    value = float(interquartile_mean(scores.ravel()))
    if runs < 2:
        return Estimate(value, np.nan, np.nan)
    rng, columns = np.random.default_rng(SEED), np.arange(tasks)
    block = max(1, BLOCK_NUMBERS // scores.size)
    values = []
    for start in range(0, resamples, block):
        draws = rng.integers(runs, size=(min(block, resamples - start), runs, tasks))
        values.append(interquartile_mean(scores[draws, columns].reshape(len(draws), -1)))
    low, high = interval(np.concatenate(values), runs)
    return Estimate(value, float(low), float(high))


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
    value = float(wins.mean())
    fewest = min(wins.shape)
    if fewest < 2:
        return Estimate(value, np.nan, np.nan)
    rng = np.random.default_rng(SEED)
    our_counts, their_counts = (
        rng.multinomial(count, np.full(count, 1.0 / count), size=RESAMPLES) for count in wins.shape
    )
    values = ((our_counts @ wins) * their_counts).sum(axis=1) / wins.size
    low, high = interval(values, fewest)
    return Estimate(value, float(low), float(high))


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


def share_of_gap(gain: Floats, gap: Floats) -> Estimate:
    """Estimate the ratio of two means over the same seeds, each (n,), resampled together."""
    value = float(gain.mean() / gap.mean())
    if gain.size < 2:
        return Estimate(value, np.nan, np.nan)
    means = resampled_means(np.stack([gain, gap], axis=1), RESAMPLES)
    low, high = interval(means[:, 0] / means[:, 1], gain.size)
    return Estimate(value, float(low), float(high))


def _wins(ours: Floats, theirs: Floats) -> Floats:
    return np.where(ours == theirs, 0.5, ours > theirs)
