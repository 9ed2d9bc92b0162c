"""One agent's episode, step by step, as its environment shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.environments import environment_of
from mec_moe_agents.outside.adapters import pair
from mec_moe_agents.outside.errors import naming, staying
from mec_moe_agents.registry import make_agent
from mec_moe_env import unflatten
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats, Singles
from mec_moe_env.rendering.scene import DMoEScene, OffloadingScene

Scene = TypeVar("Scene", OffloadingScene, DMoEScene)
Row = dict[str, NDArray[Any] | float]
"""What is kept of a step, by the name of its column."""


@dataclass(frozen=True, eq=False)
class Frame(Generic[Scene]):
    """A step: what there was, what the agent saw of it, and what came of what it did."""

    step: int
    """From 0."""
    before: Scene
    after: Scene
    seen: Mapping[str, Singles]
    """The observation in logical shapes, without a batch axis."""
    errors: Floats | None
    """Offloading: the true error of every server's model on the waiting tasks, (U, M)."""


def play(config: Config, agent: str, seed: int, *, trust_zip: bool = False) -> Iterator[Frame[Any]]:
    """Play an episode of the environment and the agent with this seed, as `evaluate` does.

    Raises:
        ValueError: the agent is unknown, or cannot act in the scenario.
    """
    build: Any = environment_of(config).scalar
    env = build(config)
    actor = make_agent(agent, env, seed=seed, trust_zip=trust_zip)
    observation, _ = env.reset(seed=seed)
    state, episode_start = None, np.ones(1, np.bool_)
    before = env.scene()
    for step in range(config.steps):
        seen = unflatten(observation, config.observation_shapes)
        errors = env.model_errors() if hasattr(env, "model_errors") else None
        with staying(agent):
            answer = actor.predict(observation, state, episode_start, deterministic=True)
        action, state = pair(answer, agent)
        with naming(agent):
            observation, *_ = env.step(action)
        after = env.scene()
        yield Frame(step, before, after, seen, errors)
        before, episode_start = after, np.zeros(1, np.bool_)
    env.close()
