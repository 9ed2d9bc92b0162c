"""A finished ranking: what was asked, every episode, what is certified, and how agents stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mec_moe_agents.evaluation import aggregate, leaderboard
from mec_moe_agents.evaluation.bounds import Bounds
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scenarios import RankingRequest


@dataclass(frozen=True)
class Ranking:
    """A finished ranking."""

    request: RankingRequest
    results: Mapping[str, Mapping[str, Episodes]]
    """Episodes by scenario and agent."""
    bounds: Mapping[str, Bounds]
    """By scenario."""
    provenance: Provenance

    @cached_property
    def standings(self) -> Sequence[leaderboard.Standings]:
        """How the agents stand on each scenario."""
        return [
            leaderboard.rank(each, self.results[each.name], self.bounds[each.name])
            for each in self.request.scenarios
        ]

    @cached_property
    def aggregates(self) -> Sequence[aggregate.Aggregate]:
        """How they stand over all scenarios of an environment."""
        return aggregate.aggregate(self.standings)
