"""Paired tests, and Holm's adjustment where many are made at once.

The test is the sign-flip permutation test of the mean difference: if two agents are alike on a
seed, its difference is as likely positive as negative, and the p-value is the share of all 2ⁿ
choices of signs whose mean is at least as far from zero. It tests what the tables show, the mean
(Wilcoxon's signed ranks test the median of the differences), and needs no normal distribution
(as Student's t does), which the returns of few episodes with rare disasters do not have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mec_moe_env.core.buffers import Floats

SIGNIFICANT = 0.05
"""A difference is claimed where its adjusted p-value is below."""
MOST_ENUMERATED = 14
"""Up to so many seeds all choices of signs are tried; of more, a fixed sample."""
SAMPLED = 1 << 16
SEED = 0
BLOCK = 1 << 10
TIE = 1e-9
"""Relative: means that differ by rounding alone count as equal."""


def sign_flip_test(differences: Floats) -> float:
    """Return the two-sided p-value of a mean of paired differences (n,) against zero.

    Exact for n ≤ 14; for more from 65,536 choices of signs, the same in every call, the observed
    one counted among them, so that the p-value is never below 1/65,537.
    """
    count = differences.size
    observed = abs(float(differences.sum())) * (1.0 - TIE)
    if count <= MOST_ENUMERATED:
        choices = np.arange(1 << count)[:, np.newaxis] >> np.arange(count) & 1
        return float((np.abs((1 - 2 * choices) @ differences) >= observed).mean())
    rng, extreme = np.random.default_rng(SEED), 1
    for _ in range(0, SAMPLED, BLOCK):
        signs = 2.0 * rng.integers(2, size=(BLOCK, count), dtype=np.int8) - 1.0
        extreme += int(np.count_nonzero(np.abs(signs @ differences) >= observed))
    return extreme / (SAMPLED + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of a family, in their order, by Holm's step-down method (Holm 1979).

    The k-th smallest of m is multiplied by m − k + 1, is at least as large as the one before it,
    and at most 1. Rejecting what is below 0.05 errs with a probability of at most 5 % anywhere
    in the family, however its tests depend on each other.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in adjusted]
