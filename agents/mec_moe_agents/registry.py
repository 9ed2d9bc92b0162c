"""The agents by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mec_moe_agents.agent import Agent, CatalogueEntry, Seed
from mec_moe_agents.dmoe.catalogue import DMOE_AGENTS
from mec_moe_agents.environments import DMOE, OFFLOADING, config_of, environment_of
from mec_moe_agents.offloading.catalogue import OFFLOADING_AGENTS
from mec_moe_agents.outside.building import actor_of, name_of
from mec_moe_agents.outside.code import plugins
from mec_moe_agents.outside.errors import AgentError
from mec_moe_agents.outside.find import (
    check_known,
    find_outside,
    hint,
    is_outside,
    with_options,
)
from mec_moe_agents.outside.syntax import parse_reference
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


def find_agent(name: str, config: Config, *, trust_zip: bool = False) -> CatalogueEntry:
    """Look an agent up in the catalogue, or outside of it, and bind the options in its name.

    Args:
        name: a name of the catalogue, with options or not (`des[quality=0.7]`),
            `package.module:Class`, `file.py:Class`, the folder of a run of `mec-moe train`, a
            `model.zip` of Stable-Baselines3, or an entry point of the group `mec_moe.agents`.
        config: of the environment that it is for.
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.

    Raises:
        ValueError: the name is unknown (the nearest is given), or so is an option.
        OSError: a file is missing.
        ImportError: something that the agent needs is not installed.
    """
    entries = catalogue(config)
    if not isinstance(name, str):
        raise AgentError(f"name = {name!r} is not allowed: an agent's name must be text")
    if name in entries:
        return entries[name]
    target, options = parse_reference(name)
    if target in entries:
        return with_options(name, entries[target], options)
    if not is_outside(target):
        known = [*entries, *plugins()]
        raise ValueError(hint(target) or f"unknown agent {name!r}: {suggest(target, known)}")
    return with_options(name, find_outside(target, config, trust_zip=trust_zip), options)


def origin_of(name: str, config: Config) -> Mapping[str, str]:
    """Return where an agent from outside the catalogue comes from; nothing of any other name."""
    target = parse_reference(name).target
    if target in catalogue(config) and target == name:
        return {}
    known = target in catalogue(config) or is_outside(target)
    return find_agent(name, config).origin if known else {}


def make_agent(
    name: str, env: Any, *, seed: Seed = 0, trust_zip: bool = False, **options: Any
) -> Agent:
    """Build an agent for an environment, scalar or vector, wrapped or not.

    The agent is for any environment with the same configuration; `greedy-oracle` and `clairvoyant`,
    which look into it, are for `env` alone, and so is one from outside that takes masks. It acts in
    `env` as it is wrapped: through `FlatAction`, `FlatObservation`, `MaskedObservation`,
    `GateObservation` and the flat ids.

    Args:
        name: one of `agent_names`, or where it is to be found, see `find_agent`.
        env: an environment of this project, Stable-Baselines3's form of it, or several.
        seed: of the agent's own random numbers; row i of a batch draws from seed + i, a sequence
            gives each row its own. Agents without randomness ignore it.
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.
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
        AgentError: there is no such option, one is given twice, or it is nothing that can act; a
            `TypeError` and a `ValueError`.
        TypeError: the environment is not of this project, or a wrapper changes its observation or
            action in a way of its own.
        OSError: a file is missing.
        ImportError: something that the agent needs is not installed.
    """
    config = config_of(env)
    entry = find_agent(name, config, trust_zip=trust_zip)
    bracketed = parse_reference(name).options
    for option in bracketed.keys() & options.keys():
        raise AgentError(f"agent {name!r}: option {option} is given in brackets already")
    check_known(name, entry, {**bracketed, **options})
    return act_through(entry.build(config, env, seed, **options), env)


def act_in(
    agent: str | Agent | Callable[..., Any],
    env: Any,
    *,
    seed: Seed = 0,
    trust_zip: bool = False,
    **options: Any,
) -> Agent:
    """Return an agent for an environment from its name, a class or function, or an object.

    Args:
        agent: a name as `make_agent` takes it; a class or function that builds an agent from what
            it takes of `config`, `env`, `seed` (each row's, where there are several) and options;
            or what can act itself: an object with `predict` or `act`, a model of
            Stable-Baselines3, a function from observations to actions.
        env: an environment of this project.
        seed: of the agent's own random numbers, see `make_agent`.
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.
        options: keyword arguments of the agent.

    Raises:
        ValueError: the name is unknown, or an option is unknown or out of range.
        TypeError: it is nothing that can act.
    """
    if isinstance(agent, str):
        return make_agent(agent, env, seed=seed, trust_zip=trust_zip, **options)
    return actor_of(agent, name_of(agent), env, seed, options, batched=False)
