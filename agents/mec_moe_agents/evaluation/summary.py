"""From the episodes of all agents to a ranking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean


@dataclass(frozen=True)
class Standing:
    """One agent's line of the ranking."""

    agent: str
    contender: bool
    metrics: Mapping[str, Estimate]
    to_best: Estimate | None
    """Return minus the best contender's return, paired by seed; None for the best itself."""


@dataclass(frozen=True)
class Summary:
    """All agents, best mean return first."""

    seeds: int
    standings: tuple[Standing, ...]

    @property
    def best(self) -> Standing:
        """The contender with the highest mean return."""
        return self.contenders[0]

    @property
    def largest_return(self) -> float:
        """The largest mean return in size; says how many decimals make sense."""
        return max(abs(standing.metrics["return"].mean) for standing in self.standings)

    @property
    def contenders(self) -> tuple[Standing, ...]:
        """The agents that know no more than a scheduler can; all, if there are no others."""
        contenders = tuple(standing for standing in self.standings if standing.contender)
        return contenders or self.standings


def summarize(results: Mapping[str, Episodes], yardsticks: Collection[str] = ()) -> Summary:
    """Rank agents that ran on the same seeds.

    Args:
        results: the episodes of each agent.
        yardsticks: agents that are ranked, but are never the best.

    Raises:
        ValueError: there is no agent.
    """
    if not results:
        raise ValueError("nothing to compare: no agents")
    returns = {agent: episodes.metrics["return"] for agent, episodes in results.items()}
    ranked = sorted(results, key=lambda agent: -returns[agent].mean())
    best = next((agent for agent in ranked if agent not in yardsticks), ranked[0])
    standings = tuple(
        Standing(
            agent=agent,
            contender=agent not in yardsticks,
            metrics={
                name: estimate_mean(values) for name, values in results[agent].metrics.items()
            },
            to_best=None if agent == best else estimate_mean(returns[agent] - returns[best]),
        )
        for agent in ranked
    )
    return Summary(results[best].seeds.size, standings)
