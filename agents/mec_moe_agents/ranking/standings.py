"""How all agents stand on one scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.ranking.contest import FLOOR, LEARNED, Contest
from mec_moe_agents.ranking.reliability import estimate_iqm, improvement, share_better

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Returns to scores: the mean return of `random` is 0, that of the ceiling is 1."""

    floor: float
    ceiling: float

    def score(self, returns: Floats) -> Floats:
        """Normalise returns; NaN where the ceiling is not above the floor."""
        span = self.ceiling - self.floor
        return (returns - self.floor) / (span if span > 0 else np.nan)

    def estimate(self, returns: Estimate) -> Estimate:
        """Normalise a mean return and its interval; both ends are taken as known."""
        return Estimate(*self.score(np.array(returns)).tolist())


@dataclass(frozen=True)
class Line:
    """One agent on one scenario."""

    agent: str
    contender: bool
    returns: Floats
    """(n,), one per seed."""
    scores: Floats
    """(n,), normalised returns."""
    mean_return: Estimate
    score: Estimate
    """Of the mean return."""
    iqm: Estimate
    """Interquartile mean of the scores."""
    to_rival: Estimate | None
    """Return minus the rival's, paired by seed; None for the rival itself, as are the next two."""
    better_on: Estimate | None
    """Share of seeds with a higher return than the rival's: paired."""
    improvement: Estimate | None
    """Probability that a run beats an independent run of the rival: unpaired."""


@dataclass(frozen=True)
class Standings:
    """All ranked agents of a contest, best mean return first."""

    contest: Contest
    scale: Scale
    rival: str
    """The baseline with the highest mean return among those that ran."""
    rival_returns: Floats
    lines: tuple[Line, ...]

    @property
    def seeds(self) -> int:
        """Episodes per agent."""
        return self.rival_returns.size

    def line(self, agent: str) -> Line | None:
        """Return an agent's line, if it is ranked."""
        return next((line for line in self.lines if line.agent == agent), None)

    @property
    def learned(self) -> Line | None:
        """The trained agent's line, if it is ranked."""
        return self.line(LEARNED)

    @property
    def largest_return(self) -> float:
        """The larger reference in size: says how many decimals make sense.

        It does not depend on who else is ranked, so that a row is written the same everywhere.
        """
        return max(abs(self.scale.floor), abs(self.scale.ceiling))


def rank(contest: Contest, results: Mapping[str, Episodes]) -> Standings:
    """Rank the agents of a contest from the episodes of all its runners.

    The rival is the best baseline among all that ran, so that a row is the same whenever its own
    agent and the rival take part.
    """
    returns = {agent: results[agent].metrics["return"] for agent in contest.runners}
    baselines = [agent for agent in contest.runners if contest.is_baseline(agent)]
    rival = max(baselines, key=lambda agent: returns[agent].mean())
    scale = Scale(float(returns[FLOOR].mean()), float(returns[contest.ceiling].mean()))
    lines = [
        _line(agent, contest, returns[agent], None if agent == rival else returns[rival], scale)
        for agent in contest.runners
        if agent in contest.agents
    ]
    lines.sort(key=lambda line: -line.mean_return.mean)
    return Standings(contest, scale, rival, returns[rival], tuple(lines))


def _line(
    agent: str, contest: Contest, returns: Floats, rivals: Floats | None, scale: Scale
) -> Line:
    mean_return, scores = estimate_mean(returns), scale.score(returns)
    return Line(
        agent=agent,
        contender=contest.is_contender(agent),
        returns=returns,
        scores=scores,
        mean_return=mean_return,
        score=scale.estimate(mean_return),
        iqm=estimate_iqm(scores[:, np.newaxis]),
        to_rival=None if rivals is None else estimate_mean(returns - rivals),
        better_on=None if rivals is None else share_better(returns, rivals),
        improvement=None if rivals is None else improvement(returns, rivals),
    )
