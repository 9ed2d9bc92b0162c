"""Scores: where a return stands between the best untrained baseline and what is certified."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mec_moe_env.core.buffers import Floats

UNBOUNDED, NOTHING_TO_GAIN = "no certified bound", "nothing to gain"
"""Why there is no scale."""
LEAST_GAIN = 0.01
"""Of the bound's size: a baseline nearer to the bound leaves nothing to gain."""


@dataclass(frozen=True, eq=False)
class Scale:
    """Returns to scores: 0 is the baseline's mean return, 1 the mean of the certified bounds.

    An episode's score is 1 − (bound − return) / span, with the bound of its own seed, the span
    being the mean bound minus the baseline's mean return. So no episode scores above 1, and the
    mean of the scores is the score of the mean return. Below the baseline scores are negative.

    Where the span is below 1 % of the mean bound's size there is nothing to gain, and no scale:
    bound − baseline < 0.01 · |bound|. Its unit would be a difference that nobody cares about, and
    a scheduler that is slightly worse would score −300.
    """

    baseline: float
    """Mean return of the best untrained baseline."""
    bounds: Floats | None = None
    """(n,), certified bounds on the returns, one per seed; without them there is no score."""

    @property
    def bound(self) -> float:
        """Mean of the certified bounds; NaN without them."""
        return np.nan if self.bounds is None else float(self.bounds.mean())

    @property
    def span(self) -> float:
        """What the baseline leaves to gain; NaN where either end is not known."""
        return self.bound - self.baseline

    @property
    def lack(self) -> str:
        """Why there are no scores, in three words; empty where there are."""
        if math.isnan(self.span):
            return UNBOUNDED
        enough = self.span > 0 and self.span >= LEAST_GAIN * abs(self.bound)
        return "" if enough else NOTHING_TO_GAIN

    @property
    def is_defined(self) -> bool:
        """Whether there are scores: both ends are known, and there is something to gain."""
        return not self.lack

    def score(self, returns: Floats) -> Floats:
        """Normalise returns (n,), in the order of the bounds; NaN where no score is defined."""
        if self.bounds is None or not self.is_defined:
            return np.full(returns.shape, np.nan)
        return np.asarray(1.0 - (self.bounds - returns) / self.span)

    def why_none(self, baseline: str) -> str:
        """Say why there is no scale where there is nothing to gain; otherwise nothing.

        Args:
            baseline: name of the baseline, as it is to be written.
        """
        if self.lack != NOTHING_TO_GAIN:
            return ""
        return f"no scale: {baseline} {self._nearness()} the bound; there is {NOTHING_TO_GAIN}"

    def _nearness(self) -> str:
        """Write how near the baseline is, rounded up to one significant digit."""
        percent = 100.0 * self.span / abs(self.bound) if self.bound else 0.0
        if percent < 1e-4:
            return "reaches"
        decimals = -math.floor(math.log10(percent))
        rounded = math.ceil(round(percent * 10.0**decimals, 6)) / 10.0**decimals
        return f"stands within {rounded:g} % of"
