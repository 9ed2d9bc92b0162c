"""How agents stand over many scenarios of one environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.ranking.contest import LEARNED
from mec_moe_agents.ranking.reliability import estimate_iqm, score_profile
from mec_moe_agents.ranking.scenarios import environment_of
from mec_moe_agents.ranking.standings import Standings

Floats = NDArray[np.float64]
THRESHOLDS: tuple[float, ...] = tuple(step / 40 for step in range(-20, 61))
"""Where the performance profile is read: −0.5 to 1.5."""


@dataclass(frozen=True)
class AggregateLine:
    """One agent over all scenarios of an aggregate."""

    agent: str
    contender: bool
    iqm: Estimate
    """Of all its normalised scores, resampled within each scenario."""
    profile: Floats
    """(len(THRESHOLDS),), the share of its episodes that score above each threshold."""


@dataclass(frozen=True)
class Aggregate:
    """The agents that act in all of some scenarios, highest interquartile mean first."""

    environment: str
    scenarios: tuple[str, ...]
    lines: tuple[AggregateLine, ...]


def aggregate(standings: Sequence[Standings]) -> list[Aggregate]:
    """Aggregate each environment over all its scenarios, and over those with a learned policy.

    Scenarios whose scores are not defined are left out, and so is an environment with fewer than
    two.
    """
    found = []
    for environment in dict.fromkeys(environment_of(entry.contest.config) for entry in standings):
        here = [
            entry
            for entry in standings
            if environment_of(entry.contest.config) == environment
            and np.isfinite(entry.lines[0].score.mean)
        ]
        learned = [entry for entry in here if entry.line(LEARNED) is not None]
        found += [_over(environment, here)] if len(here) > 1 else []
        found += [_over(environment, learned)] if 1 < len(learned) < len(here) else []
    return found


def _over(environment: str, standings: Sequence[Standings]) -> Aggregate:
    everywhere = [
        line for line in standings[0].lines if all(entry.line(line.agent) for entry in standings)
    ]
    lines = []
    for first in everywhere:
        ranked = [line for entry in standings if (line := entry.line(first.agent)) is not None]
        scores = np.stack([line.scores for line in ranked], axis=1)
        profile = score_profile(scores, np.array(THRESHOLDS))
        lines.append(AggregateLine(first.agent, first.contender, estimate_iqm(scores), profile))
    lines.sort(key=lambda line: -line.iqm.mean)
    return Aggregate(
        environment, tuple(entry.contest.scenario for entry in standings), tuple(lines)
    )
