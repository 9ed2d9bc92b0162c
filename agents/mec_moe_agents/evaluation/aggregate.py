"""How agents stand over many scenarios: interquartile means and performance profiles of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mec_moe_agents.evaluation.leaderboard import Standings
from mec_moe_agents.evaluation.statistics import Estimate, estimate_iqm, score_profile
from mec_moe_agents.evaluation.trained import LEARNED
from mec_moe_env.core.buffers import Floats

THRESHOLDS: tuple[float, ...] = tuple(step / 40 for step in range(-40, 41))
"""Where the performance profile is read: −1 to 1, which no score exceeds."""


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
    left_out: Mapping[str, str]
    """The environment's scenarios without scores, and why they have none, see `Scale.lack`."""


def aggregate(standings: Sequence[Standings]) -> list[Aggregate]:
    """Aggregate each environment over its scenarios with scores, and those with a learned policy.

    Scenarios without scores, where nothing is certified or there is nothing to gain, are left
    out, and named. An environment with fewer than two others has no aggregate.
    """
    found = []
    for environment in dict.fromkeys(entry.scenario.traits.title for entry in standings):
        entries = [entry for entry in standings if entry.scenario.traits.title == environment]
        here = [entry for entry in entries if entry.scale.is_defined]
        without = {
            entry.scenario.name: entry.scale.lack for entry in entries if not entry.scale.is_defined
        }
        learned = [entry for entry in here if entry.line(LEARNED) is not None]
        found += [_over(environment, here, without)] if len(here) > 1 else []
        found += [_over(environment, learned, {})] if 1 < len(learned) < len(here) else []
    return found


def by_reason(left_out: Mapping[str, str], name: Callable[[str], str] = str) -> str:
    """Write scenarios without scores with their reason: `no certified bound: a, b; …`."""
    reasons = dict.fromkeys(left_out.values())
    groups = {why: [each for each in left_out if left_out[each] == why] for why in reasons}
    return "; ".join(f"{why}: {', '.join(map(name, each))}" for why, each in groups.items())


def _over(
    environment: str, standings: Sequence[Standings], left_out: Mapping[str, str]
) -> Aggregate:
    lines = []
    for first in standings[0].lines:
        ranked = [line for entry in standings if (line := entry.line(first.agent)) is not None]
        if len(ranked) == len(standings):
            scores = np.stack([line.scores for line in ranked], axis=1)
            profile = score_profile(scores, np.array(THRESHOLDS))
            lines.append(AggregateLine(first.agent, first.contender, estimate_iqm(scores), profile))
    lines.sort(key=lambda line: -line.iqm.mean)
    names = tuple(entry.scenario.name for entry in standings)
    return Aggregate(environment, names, tuple(lines), left_out)
