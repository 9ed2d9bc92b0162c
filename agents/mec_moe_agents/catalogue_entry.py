"""One line of the list of agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mec_moe_agents.agent import Agent
from mec_moe_env.config import Config


def any_config(config: Config) -> bool:
    """Say yes: most agents act in every scenario."""
    return True


@dataclass(frozen=True)
class CatalogueEntry:
    """How to describe and build an agent."""

    description: str
    build: Callable[..., Agent]
    """Called with the configuration, the environment, the seed, and the options as keywords."""
    contender: bool = True
    """False for a yardstick that knows what no scheduler can know."""
    same_as_with_one_expert: str | None = None
    """The agent that it cannot be told from when D = 1."""
    same_as_with_one_pick: str | None = None
    """The agent that it cannot be told from when U·D = 1: nothing competes for a subcarrier."""
    serves: Callable[[Config], bool] = any_config
    """Whether the agent can act in a scenario."""
