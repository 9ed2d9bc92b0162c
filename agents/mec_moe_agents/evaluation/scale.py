"""Scores: where a return stands between the best untrained baseline and what is certified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mec_moe_env.core.buffers import Floats


@dataclass(frozen=True, eq=False)
class Scale:
    """Returns to scores: 0 is the baseline's mean return, 1 the mean of the certified bounds.

    An episode's score is 1 − (bound − return) / span, with the bound of its own seed, the span
    being the mean bound minus the baseline's mean return. So no episode scores above 1, and the
    mean of the scores is the score of the mean return. Below the baseline scores are negative.
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
    def is_defined(self) -> bool:
        """Whether there are scores: the bound is known, and above the baseline."""
        return self.bound > self.baseline

    def score(self, returns: Floats) -> Floats:
        """Normalise returns (n,), in the order of the bounds; NaN where no score is defined."""
        if self.bounds is None or not self.is_defined:
            return np.full(returns.shape, np.nan)
        return np.asarray(1.0 - (self.bounds - returns) / (self.bound - self.baseline))
