"""One agent on one scenario: its returns, beside an opponent's, and on the scale of scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mec_moe_agents.evaluation.hypotheses import sign_flip_test
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scale import Scale
from mec_moe_agents.evaluation.statistics import (
    Estimate,
    estimate_iqm,
    estimate_mean,
    improvement,
    share_better,
)
from mec_moe_env.core.buffers import Floats


@dataclass(frozen=True, eq=False)
class Line:
    """One agent on one scenario; each statistic is worked out when it is first asked for."""

    agent: str
    contender: bool
    """False for a reference, which shows what can be reached."""
    episodes: Episodes
    opponent: Floats | None
    """(n,), returns of the agent that this one is compared with; None for that agent itself."""
    scale: Scale
    training_runs: int = 0
    """From how many runs its weights were chosen; 0 for an agent that nobody trained."""

    @property
    def returns(self) -> Floats:
        """(n,), one per seed."""
        return self.episodes.metrics["return"]

    @cached_property
    def metrics(self) -> Mapping[str, Estimate]:
        """All that was measured."""
        return {name: estimate_mean(values) for name, values in self.episodes.metrics.items()}

    @property
    def mean_return(self) -> Estimate:
        """Over the seeds."""
        return self.metrics["return"]

    @cached_property
    def gain(self) -> Estimate | None:
        """Return minus the opponent's, paired by seed; None for the opponent itself."""
        return None if self.opponent is None else estimate_mean(self.returns - self.opponent)

    @cached_property
    def p_value(self) -> float | None:
        """Of the gain against zero, before any adjustment; None for the opponent itself."""
        return None if self.opponent is None else sign_flip_test(self.returns - self.opponent)

    @cached_property
    def better_on(self) -> Estimate | None:
        """Share of seeds with a higher return than the opponent's: paired."""
        return None if self.opponent is None else share_better(self.returns, self.opponent)

    @cached_property
    def improvement(self) -> Estimate | None:
        """Probability that a run beats an independent run of the opponent: unpaired."""
        return None if self.opponent is None else improvement(self.returns, self.opponent)

    @property
    def scores(self) -> Floats:
        """(n,), normalised returns."""
        return self.scale.score(self.returns)

    @cached_property
    def score(self) -> Estimate:
        """Mean of the scores; the ends of the scale are taken as known."""
        return estimate_mean(self.scores)

    @cached_property
    def iqm(self) -> Estimate:
        """Interquartile mean of the scores."""
        return estimate_iqm(self.scores[:, np.newaxis])
