"""Agents that see and act through the wrappers of an environment.

A baseline reads the environment's own observation and answers with its own action. Wrappers that
say how to go back, `inside` for observations and `encode` for actions, are gone through; one that
changes spaces without saying so is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium as gym
from gymnasium import spaces
from gymnasium.wrappers.vector import FlattenObservation as FlattenObservationVector
from numpy.typing import NDArray

from mec_moe_agents.agent import Agent
from mec_moe_env.wrappers.flat_observation import FlatEntries


def act_through(agent: Agent, env: Any) -> Agent:
    """Return an agent that acts in `env` as it is wrapped.

    Args:
        agent: acts in the environment without wrappers.
        env: scalar or vector, of Gymnasium or of Stable-Baselines3, wrapped or not.

    Raises:
        TypeError: a wrapper changes observation or action and does not say how to go back.
    """
    views = [view for layer, inner in pairs(env) if (view := view_of(layer, inner)) is not None]
    return ThroughWrappers(agent, views) if views else agent


class ThroughWrappers(Agent):
    """`predict` on what is seen outside, the outermost view first."""

    def __init__(self, agent: Agent, views: Sequence[Any]) -> None:
        self._agent = agent
        self._views = views

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], Any]:
        """Choose the actions of a batch of steps, or of one, as described in `Agent.predict`."""
        encoders = []
        for view in self._views:
            if hasattr(view, "inside"):
                observation = view.inside(observation)
            if hasattr(view, "encode"):
                encoders.append((view.encode, observation))
        action, state = self._agent.predict(observation, state, episode_start, deterministic)
        for encode, seen in reversed(encoders):
            action = encode(action, seen)
        return action, state


class GymnasiumFlattened:
    """Goes back through Gymnasium's own `FlattenObservation`."""

    def __init__(self, inner: Any) -> None:
        self.inside = FlatEntries(single_spaces(inner)[0]).unflatten


def pairs(env: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every layer with the one inside, from the outermost on; None is inside the last."""
    while env is not None:
        # `venv` first: a wrapper of Stable-Baselines3 passes on what it does not have itself.
        inner = getattr(env, "venv", None) or getattr(env, "env", None)
        if inner is None and getattr(env, "envs", None):
            inner = env.envs[0]
        yield env, inner
        env = inner


def view_of(layer: Any, inner: Any) -> Any:
    """Return what goes back through a layer, None where there is nothing to go through.

    Raises:
        TypeError: the layer changes spaces and does not say how to go back.
    """
    if hasattr(layer, "inside") or hasattr(layer, "encode"):
        return layer
    if inner is None:
        # Of environments in other processes only the spaces can be seen.
        observation, action = single_spaces(layer)
        unchanged = isinstance(observation, spaces.Dict) and isinstance(
            action, spaces.MultiDiscrete
        )
    else:
        unchanged = single_spaces(layer) == single_spaces(inner)
    if unchanged:
        return None
    if isinstance(layer, gym.wrappers.FlattenObservation | FlattenObservationVector):
        return GymnasiumFlattened(inner)
    raise TypeError(
        f"an agent does not know how to act through {type(layer).__name__}, which changes "
        "observation or action: build it for the environment inside"
    )


def single_spaces(env: Any) -> tuple[Any, Any]:
    """Return the spaces of observation and action of one sub-environment."""
    return (
        getattr(env, "single_observation_space", env.observation_space),
        getattr(env, "single_action_space", env.action_space),
    )
