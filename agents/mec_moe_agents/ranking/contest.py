"""One scenario with the agents that meet on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mec_moe_agents.ranking.scenarios import AnyConfig
from mec_moe_agents.registry import agent_names, find_agent
from mec_moe_env import DMoEConfig

FLOOR = "random"
LEARNED = "learned"
"""The agent whose weights were trained; all other contenders are baselines."""


@dataclass(frozen=True)
class Contest:
    """Who is ranked where."""

    scenario: str
    config: AnyConfig
    agents: Sequence[str]

    @property
    def ceiling(self) -> str:
        """The agent whose mean return is score 1.

        In offloading the clairvoyant `oracle`. In DMoE nobody sees more than a scheduler can;
        there it is `jesa-plus`, the best that is known for the paper's problem P1 in every preset.
        """
        return "jesa-plus" if isinstance(self.config, DMoEConfig) else "oracle"

    @property
    def runners(self) -> list[str]:
        """The agents that must run, in the order of the catalogue: the ranked and both ends."""
        needed = {*self.agents, FLOOR, self.ceiling}
        return [name for name in agent_names(self.config) if name in needed]

    def is_contender(self, agent: str) -> bool:
        """Tell whether an agent knows no more than a scheduler can."""
        return find_agent(agent, self.config).contender

    def is_baseline(self, agent: str) -> bool:
        """Tell whether an agent is a contender that nobody trained."""
        return self.is_contender(agent) and agent != LEARNED
