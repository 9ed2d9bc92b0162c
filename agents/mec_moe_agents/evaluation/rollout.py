"""One agent, many seeds, one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mec_moe_agents.agent import Agent
from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.measures import make_vector_env, measures_of, steps_of
from mec_moe_agents.registry import make_agent
from mec_moe_env import DMoEConfig, DMoEVectorEnv, OffloadingConfig, OffloadingVectorEnv
from mec_moe_env.config import Config

BATCH_NUMBERS = 1 << 26
"""Bounds the memory of a batch; the results do not depend on it."""


def evaluate(
    name: str,
    config: OffloadingConfig | DMoEConfig,
    seeds: Sequence[int],
    *,
    options: Mapping[str, Any] | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Episodes:
    """Run a baseline on one episode per seed.

    Each sub-environment and the agent's row that acts in it have the same seed, so that an
    episode does not depend on which others share its batch.

    Args:
        name: one of `mec_moe_agents.agent_names`.
        config: the scenario.
        seeds: at least one.
        options: keyword arguments of the agent.
        on_step: called after each step with the number of environment steps it made.

    Raises:
        ValueError: the agent is unknown, or one of its options is out of range.
    """
    parts = []
    for chunk in batches(config, seeds):
        env = make_vector_env(config, len(chunk))
        agent = make_agent(name, env, seed=chunk, **(options or {}))
        parts.append(run_episodes(agent, env, chunk, on_step))
        env.close()
    return Episodes.concatenate(parts)


def warm_up(config: OffloadingConfig | DMoEConfig) -> None:
    """Load or compile the machine code of an episode, so that no agent's time contains it."""
    if isinstance(config, OffloadingConfig):
        evaluate("gating", config.override(horizon=1), [0])
    else:
        evaluate("jesa", config, [0])


def batches(config: OffloadingConfig | DMoEConfig, seeds: Sequence[int]) -> list[Sequence[int]]:
    """Split the seeds so that the observations of a batch fit in memory."""
    numbers = sum(math.prod(shape) for shape in config.observation_shapes.values())
    rows = max(1, BATCH_NUMBERS // numbers)
    return [seeds[start : start + rows] for start in range(0, len(seeds), rows)]


def run_episodes(
    agent: Agent,
    env: OffloadingVectorEnv | DMoEVectorEnv,
    seeds: Sequence[int],
    on_step: Callable[[int], None] | None = None,
) -> Episodes:
    """Run any agent, a trained model too, through one episode of every sub-environment.

    Args:
        agent: whatever has Stable-Baselines3's `predict`.
        env: as many sub-environments as seeds.
        seeds: one per sub-environment.
        on_step: called after each step with the number of environment steps it made.
    """
    config: Config = env.config
    steps, measures = steps_of(config), measures_of(config)
    observation, info = env.reset(seed=list(seeds))
    state = None
    episode_start = np.ones(len(seeds), dtype=np.bool_)
    added = (*measures.summed, *measures.averaged)
    totals = {key: np.zeros(len(seeds)) for key in ("return", *added)}
    curve = np.empty((len(seeds), steps))
    for step in range(steps):
        action, state = agent.predict(observation, state, episode_start, deterministic=True)
        observation, reward, _, _, info = env.step(action)
        episode_start = np.zeros(len(seeds), dtype=np.bool_)
        totals["return"] += reward
        for key in added:
            totals[key] += info[key]
        curve[:, step] = info[measures.curve]
        if on_step is not None:
            on_step(len(seeds))
    for key in measures.averaged:
        totals[key] /= steps
    final = {key: np.array(info[key], dtype=np.float64) for key in measures.final if key in info}
    return Episodes(np.array(seeds), {**totals, **final, **measures.derived(totals, config)}, curve)
