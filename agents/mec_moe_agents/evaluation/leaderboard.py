"""How agents stand on a scenario: beside the best of them, and below what is certified."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mec_moe_agents.evaluation.bounds import BOUND, UNKNOWN, Bounds
from mec_moe_agents.evaluation.hypotheses import SIGNIFICANT, holm
from mec_moe_agents.evaluation.line import Line
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scale import Scale
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.evaluation.soundness import check_bounds, check_comparable
from mec_moe_env.core.buffers import Floats


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """The agents of a scenario, best mean return first."""

    lines: tuple[Line, ...]
    opponent: str
    """Whom all others are compared with, seed by seed."""
    opponent_returns: Floats
    baseline: str
    """The untrained agent whose mean return is score 0."""
    scale: Scale
    bounds: Bounds

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

    @cached_property
    def bound(self) -> Line | None:
        """The certified bound as a line of its own, where it is known: it has returns alone."""
        values = self.bounds.values
        if values is None:
            return None
        seeds = self.lines[0].episodes.seeds
        episodes = Episodes(seeds, {"return": values}, np.empty((values.size, 0)))
        return Line(BOUND, False, episodes, self.opponent_returns, self.scale)

    @property
    def shown(self) -> tuple[Line, ...]:
        """All lines of a table: the certified bound first, where it is known."""
        return self.lines if self.bound is None else (self.bound, *self.lines)

    @cached_property
    def adjusted(self) -> Mapping[str, float]:
        """By agent, the p-value of its gain after Holm: all comparisons here are one family."""
        family = {line.agent: line.p_value for line in self.lines if line.p_value is not None}
        return dict(zip(family, holm(list(family.values())), strict=True))

    def outcome(self, line: Line) -> int:
        """Return 1 where an agent beats the opponent, −1 where it is beaten, 0 where neither.

        The interval must exclude zero, and the adjusted p-value be below 5 %.
        """
        if line.gain is None or not line.gain.excludes_zero:
            return 0
        return int(np.sign(line.gain.mean)) if self.adjusted[line.agent] < SIGNIFICANT else 0


@dataclass(frozen=True, eq=False)
class Standings(Leaderboard):
    """The leaderboard of one scenario of a ranking; the opponent is the best baseline."""

    scenario: Scenario

    @property
    def largest_return(self) -> float:
        """The size of the baseline's mean return.

        It does not depend on who else is ranked, so that a row is written the same everywhere.
        """
        return abs(self.scale.baseline)


def summarize(
    results: Mapping[str, Episodes],
    references: Collection[str] = (),
    trained: Mapping[str, int] | None = None,
    *,
    bounds: Bounds = UNKNOWN,
    baseline: str | None = None,
) -> Leaderboard:
    """Rank agents that ran on the same seeds, and compare each with the best contender.

    References are ranked, but are never the best.

    Args:
        results: episodes by agent.
        references: agents that know more than a scheduler can.
        trained: the number of training runs by trained agent.
        bounds: what is certified for the same seeds.
        baseline: the agent that is score 0; None or an agent that did not run is the best
            contender that nobody trained.

    Raises:
        ValueError: there is no agent, two ran on other seeds, a value is not finite, or a return
            exceeds its bound.
    """
    _check(results, bounds)
    trained, means = trained or {}, _mean_returns(results)
    candidates = [agent for agent in results if agent not in references] or list(results)
    untrained = [agent for agent in candidates if agent not in trained] or candidates
    best = max(candidates, key=means.__getitem__)
    if baseline is None or baseline not in results:
        baseline = max(untrained, key=means.__getitem__)
    scale = Scale(means[baseline], bounds.values)
    lines = _lines(results, results, references, trained, best, scale)
    return Leaderboard(lines, best, results[best].metrics["return"], baseline, scale, bounds)


def rank(
    scenario: Scenario, results: Mapping[str, Episodes], bounds: Bounds = UNKNOWN
) -> Standings:
    """Rank the agents of a scenario from the episodes of all its runners.

    They are compared with the baseline that is score 0: the one that the suite has frozen for the
    scenario, elsewhere the best of those that ran; so a row is the same whenever its own agent
    and that baseline take part.

    Raises:
        ValueError: as `summarize`.
    """
    _check(results, bounds)
    runners, means = scenario.runners, _mean_returns(results)
    best = scenario.baseline or max(scenario.baselines(runners), key=means.__getitem__)
    scale = Scale(means[best], bounds.values)
    ranked = [agent for agent in runners if agent in scenario.agents]
    lines = _lines(ranked, results, scenario.references, scenario.trained, best, scale)
    returns = results[best].metrics["return"]
    return Standings(lines, best, returns, best, scale, bounds, scenario)


def _check(results: Mapping[str, Episodes], bounds: Bounds) -> None:
    check_comparable(results)
    if bounds.values is not None:
        check_bounds(results, bounds.values)


def _lines(
    agents: Collection[str],
    results: Mapping[str, Episodes],
    references: Collection[str],
    trained: Mapping[str, int],
    opponent: str,
    scale: Scale,
) -> tuple[Line, ...]:
    theirs = results[opponent].metrics["return"]
    lines = []
    for agent in agents:
        compared = None if agent == opponent else theirs
        contender, runs = agent not in references, trained.get(agent, 0)
        lines.append(Line(agent, contender, results[agent], compared, scale, runs))
    return tuple(sorted(lines, key=lambda line: -line.returns.mean()))


def _mean_returns(results: Mapping[str, Episodes]) -> dict[str, float]:
    return {name: float(episodes.metrics["return"].mean()) for name, episodes in results.items()}
