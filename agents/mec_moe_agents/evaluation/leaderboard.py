"""How agents stand: on a scenario, beside the best of them, and over many scenarios."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scenarios import FLOOR, LEARNED, Scenario
from mec_moe_agents.evaluation.statistics import (
    Estimate,
    estimate_iqm,
    estimate_mean,
    improvement,
    score_profile,
    share_better,
)
from mec_moe_env.core.buffers import Floats

THRESHOLDS: tuple[float, ...] = tuple(step / 40 for step in range(-20, 61))
"""Where the performance profile is read: −0.5 to 1.5."""


@dataclass(frozen=True)
class Scale:
    """Returns to scores: the mean return of `random` is 0, that of the ceiling is 1.

    Without the two ends there is no score.
    """

    floor: float = np.nan
    ceiling: float = np.nan

    def score(self, returns: Floats) -> Floats:
        """Normalise returns; NaN where the ceiling is not above the floor."""
        span = self.ceiling - self.floor
        return (returns - self.floor) / (span if span > 0 else np.nan)


@dataclass(frozen=True, eq=False)
class Line:
    """One agent on one scenario; each statistic is worked out when it is first asked for."""

    agent: str
    contender: bool
    """False for a reference, which knows more than a scheduler can."""
    episodes: Episodes
    opponent: Floats | None
    """(n,), returns of the agent that this one is compared with; None for that agent itself."""
    scale: Scale

    @property
    def returns(self) -> Floats:
        """(n,), one per seed."""
        return self.episodes.metrics["return"]

    @cached_property
    def metrics(self) -> Mapping[str, Estimate]:
        """All that was measured."""
        return {name: estimate_mean(values) for name, values in self.episodes.metrics.items()}

    @cached_property
    def mean_return(self) -> Estimate:
        """Over the seeds."""
        return estimate_mean(self.returns)

    @cached_property
    def gain(self) -> Estimate | None:
        """Return minus the opponent's, paired by seed; None for the opponent itself."""
        return None if self.opponent is None else estimate_mean(self.returns - self.opponent)

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

    @property
    def score(self) -> Estimate:
        """Of the mean return and its interval; both ends of the scale are taken as known."""
        return Estimate(*self.scale.score(np.array(self.mean_return)).tolist())

    @cached_property
    def iqm(self) -> Estimate:
        """Interquartile mean of the scores."""
        return estimate_iqm(self.scores[:, np.newaxis])


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """The agents of a scenario, best mean return first."""

    lines: tuple[Line, ...]
    opponent: str
    """Whom all others are compared with, seed by seed."""
    opponent_returns: Floats

    @property
    def seeds(self) -> int:
        """Episodes per agent."""
        return self.opponent_returns.size

    @property
    def contenders(self) -> tuple[Line, ...]:
        """The agents that know no more than a scheduler can; all, if there are no others."""
        return tuple(line for line in self.lines if line.contender) or self.lines

    @property
    def best(self) -> Line:
        """The contender with the highest mean return."""
        return self.contenders[0]

    @property
    def largest_return(self) -> float:
        """The largest mean return in size: says how many decimals make sense."""
        return max(abs(line.mean_return.mean) for line in self.lines)

    def line(self, agent: str) -> Line | None:
        """Return an agent's line, if it is ranked."""
        return next((line for line in self.lines if line.agent == agent), None)


@dataclass(frozen=True, eq=False)
class Standings(Leaderboard):
    """The leaderboard of one scenario of a ranking; the opponent is the best baseline."""

    scenario: Scenario
    scale: Scale

    @property
    def largest_return(self) -> float:
        """The larger end of the scale in size.

        It does not depend on who else is ranked, so that a row is written the same everywhere.
        """
        return max(abs(self.scale.floor), abs(self.scale.ceiling))


def summarize(results: Mapping[str, Episodes], references: Collection[str] = ()) -> Leaderboard:
    """Rank agents that ran on the same seeds, and compare each with the best contender.

    References are ranked, but are never the best.

    Raises:
        ValueError: there is no agent.
    """
    if not results:
        raise ValueError("nothing to compare: no agents")
    candidates = [agent for agent in results if agent not in references] or list(results)
    best = max(candidates, key=_mean_returns(results).__getitem__)
    lines = _lines(results, results, references, best, Scale())
    return Leaderboard(lines, best, results[best].metrics["return"])


def rank(scenario: Scenario, results: Mapping[str, Episodes]) -> Standings:
    """Rank the agents of a scenario from the episodes of all its runners.

    They are compared with the best baseline of all that ran, so that a row is the same whenever
    its own agent and that baseline take part.
    """
    runners, means = scenario.runners, _mean_returns(results)
    baselines = [name for name in runners if name != LEARNED and scenario.is_contender(name)]
    best = max(baselines, key=means.__getitem__)
    scale = Scale(means[FLOOR], means[scenario.traits.ceiling])
    ranked = [agent for agent in runners if agent in scenario.agents]
    lines = _lines(ranked, results, scenario.references, best, scale)
    return Standings(lines, best, results[best].metrics["return"], scenario, scale)


def _lines(
    agents: Collection[str],
    results: Mapping[str, Episodes],
    references: Collection[str],
    opponent: str,
    scale: Scale,
) -> tuple[Line, ...]:
    theirs = results[opponent].metrics["return"]
    lines = []
    for agent in agents:
        compared = None if agent == opponent else theirs
        lines.append(Line(agent, agent not in references, results[agent], compared, scale))
    return tuple(sorted(lines, key=lambda line: -line.returns.mean()))


def _mean_returns(results: Mapping[str, Episodes]) -> dict[str, float]:
    return {name: float(episodes.metrics["return"].mean()) for name, episodes in results.items()}


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
    for environment in dict.fromkeys(entry.scenario.traits.title for entry in standings):
        entries = [entry for entry in standings if entry.scenario.traits.title == environment]
        here = [entry for entry in entries if np.isfinite(entry.lines[0].score.mean)]
        learned = [entry for entry in here if entry.line(LEARNED) is not None]
        found += [_over(environment, here)] if len(here) > 1 else []
        found += [_over(environment, learned)] if 1 < len(learned) < len(here) else []
    return found


def _over(environment: str, standings: Sequence[Standings]) -> Aggregate:
    lines = []
    for first in standings[0].lines:
        ranked = [line for entry in standings if (line := entry.line(first.agent)) is not None]
        if len(ranked) == len(standings):
            scores = np.stack([line.scores for line in ranked], axis=1)
            profile = score_profile(scores, np.array(THRESHOLDS))
            lines.append(AggregateLine(first.agent, first.contender, estimate_iqm(scores), profile))
    lines.sort(key=lambda line: -line.iqm.mean)
    return Aggregate(environment, tuple(entry.scenario.name for entry in standings), tuple(lines))
