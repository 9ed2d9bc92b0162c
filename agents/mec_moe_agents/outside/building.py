"""From a class, a function or an object of one's own to an agent in an environment."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mec_moe_agents.agent import Agent, Seed, row_seeds
from mec_moe_agents.environments import config_of
from mec_moe_agents.outside.adapters import MASKS, SEVERAL, Adapter, PolicyFunction, RowAgent
from mec_moe_agents.outside.errors import AgentError, naming, staying
from mec_moe_agents.outside.model import is_model, model_agent
from mec_moe_agents.outside.signature import PASSED, call_with, parameters_of


def adapt(agent: Any, env: Any) -> Agent:
    """Return an agent for a batch of rows of `env` from anything that can act.

    Raises:
        AgentError: it has neither `predict` nor `act`, and cannot be called.
        ValueError: it is a model for other spaces.
    """
    check_able(agent)
    if isinstance(agent, Adapter | RowAgent):
        return agent
    if is_model(agent):
        return model_agent(agent, env)
    if hasattr(agent, "predict"):
        names = parameters_of(agent.predict)
        whole = all(name in names for name in SEVERAL) and MASKS not in names
        acting: Agent = agent
        return acting if whole else Adapter(agent, env)
    if hasattr(agent, "act"):
        return RowAgent(_Copies(agent), env)
    return Adapter(PolicyFunction(agent), env)


def check_able(agent: Any) -> None:
    """See that something can act, or be called to build what can.

    Raises:
        AgentError: it has neither `predict` nor `act`, and cannot be called.
    """
    if not (hasattr(agent, "predict") or hasattr(agent, "act") or callable(agent)):
        raise AgentError(f"an agent needs predict or act, or must be callable, got {agent!r}")


def builds(thing: Any) -> bool:
    """Tell whether something builds an agent: a class, or a function that takes what one needs."""
    if isinstance(thing, type):
        return True
    acts = hasattr(thing, "predict") or hasattr(thing, "act")
    return callable(thing) and not acts and bool(parameters_of(thing).keys() & set(PASSED))


def name_of(thing: Any) -> str:
    """Return what an object is called in errors."""
    name: str = getattr(thing, "__name__", type(thing).__name__)
    return name


def actor_of(
    thing: Any, name: str, env: Any, seed: Seed, options: Mapping[str, Any], *, batched: bool
) -> Agent:
    """Return an agent in `env` from a class, a function or an object.

    Args:
        thing: what `adapt` takes, or a class or function that returns it.
        name: in errors.
        env: an environment of this project.
        seed: given to a class or function that takes it.
        options: keyword arguments of the class or function.
        batched: whether `predict` must see a batch even where the environment is scalar.

    Raises:
        ValueError: there is no such option, something is missing, or a model is for other spaces.
        AgentError: it is nothing that can act, or asked Python to exit; a `TypeError`, too.
    """
    if not builds(thing):
        if options:
            raise AgentError(f"agent {name!r} is built already: it takes no options")
        agent = thing
    elif hasattr(thing, "act") and not hasattr(thing, "predict"):
        return RowAgent(_rows(thing, name, env, seed, options), env)
    else:
        with staying(f"agent {name!r}"):
            agent = call_with(thing, name, config_of(env), env, seed, options)
    with naming(f"agent {name!r}"):
        adapted = adapt(agent, env)
    return Adapter(adapted, env) if batched and adapted is agent else adapted


@dataclass(frozen=True)
class _Copies:
    """The object of each row: a copy of one that was given."""

    agent: Any

    def __call__(self, row: int) -> Any:
        return copy.deepcopy(self.agent)


@dataclass(frozen=True)
class _Built:
    """The object of each row: built for it, from its seed."""

    build: Callable[..., Any]
    name: str
    env: Any
    seeds: Sequence[int]
    options: Mapping[str, Any]

    def __call__(self, row: int) -> Any:
        config = config_of(self.env)
        with staying(f"agent {self.name!r}"):
            return call_with(self.build, self.name, config, self.env, self.seeds[row], self.options)


def _rows(
    build: Callable[..., Any], name: str, env: Any, seed: Seed, options: Mapping[str, Any]
) -> Callable[[int], Any]:
    """Return what builds the object of a row; the first is built now, to fail early."""
    seeds = row_seeds(seed, getattr(env, "num_envs", 1))
    rows = _Built(build, name, env, seeds, dict(options))
    rows(0)
    return rows
