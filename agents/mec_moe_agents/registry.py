"""The agents by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mec_moe_agents.agent import Agent, CatalogueEntry, Seed
from mec_moe_agents.dmoe.catalogue import DMOE_AGENTS
from mec_moe_agents.environments import DMOE, OFFLOADING, config_of, environment_of
from mec_moe_agents.offloading.catalogue import OFFLOADING_AGENTS
from mec_moe_agents.through_wrappers import act_through
from mec_moe_env.config import Config, suggest

CATALOGUES: Mapping[str, Mapping[str, CatalogueEntry]] = MappingProxyType(
    {OFFLOADING.name: OFFLOADING_AGENTS, DMOE.name: DMOE_AGENTS}
)
"""The agents of each environment."""


def catalogue(config: Config) -> Mapping[str, CatalogueEntry]:
    """Return the agents for environments with this kind of configuration.

    Raises:
        TypeError: there is no environment for it.
    """
    return CATALOGUES[environment_of(config).name]


def agent_names(config: Config) -> list[str]:
    """Return the names of all agents that act on `config` and differ from each other there.

    With one expert per task (D = 1) an agent that chooses D experts is the agent that chooses
    one; it is left out, though `make_agent` still builds it. So is one that is too slow for the
    scenario, and that `make_agent` refuses.
    """
    return [name for name, entry in catalogue(config).items() if entry.serves(config)]


def find_agent(name: str, config: Config) -> CatalogueEntry:
    """Look an agent up.

    Raises:
        ValueError: the name is unknown; the nearest is given.
    """
    entries = catalogue(config)
    if name not in entries:
        raise ValueError(f"unknown agent {name!r}: {suggest(name, entries)}")
    return entries[name]


def make_agent(name: str, env: Any, *, seed: Seed = 0, **options: Any) -> Agent:
    """Build an agent for an environment, scalar or vector, wrapped or not.

    The agent is for any environment with the same configuration; `greedy-oracle` and `clairvoyant`,
    which look into it, are for `env` alone. It acts in `env` as it is wrapped: through
    `FlatAction`, `FlatObservation`, `MaskedObservation`, `GateObservation` and the flat ids.

    Args:
        name: one of `agent_names`.
        env: an environment of this project, Stable-Baselines3's form of it, or several.
        seed: of the agent's own random numbers; row i of a batch draws from seed + i, a sequence
            gives each row its own. Agents without randomness ignore it.
        options: keyword arguments of the agent, for example `learning_rate` of `gating`.

    Example:
        >>> from mec_moe_agents import make_agent
        >>> from mec_moe_env import OffloadingEnv
        >>> env = OffloadingEnv("toy")
        >>> observation, info = env.reset(seed=0)
        >>> action, state = make_agent("guard", env).predict(observation)
        >>> action  # server and subcarrier
        array([0, 0])

    Raises:
        ValueError: the name is unknown, or an option is out of range.
        TypeError: the environment is not of this project, a wrapper changes its observation or
            action in a way of its own, or the agent has no such option.
    """
    config = config_of(env)
    return act_through(find_agent(name, config).build(config, env, seed, **options), env)
