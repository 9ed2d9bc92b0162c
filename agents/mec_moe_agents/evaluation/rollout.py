"""One agent, many seeds, one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mec_moe_agents.agent import Agent
from mec_moe_agents.evaluation.episodes import Episodes, Floats
from mec_moe_agents.registry import make_agent
from mec_moe_env import OffloadingVectorEnv
from mec_moe_env.scenarios import OffloadingConfig

SUMMED = (
    "energy_j",
    "transmission_energy_j",
    "delay_slots",
    "accepted",
    "rejected",
    "dropped_picks",
    "lost",
)
FINAL = ("generalization_error", "forgetting", "accuracy")
BATCH_NUMBERS = 1 << 26
"""Bounds the memory of a batch; the results do not depend on it."""


def evaluate(
    name: str,
    config: OffloadingConfig,
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
        on_step: called after each slot with the number of environment steps it made.

    Raises:
        ValueError: the agent is unknown, or one of its options is out of range.
    """
    parts = []
    for chunk in batches(config, seeds):
        env = OffloadingVectorEnv(len(chunk), config)
        agent = make_agent(name, env, seed=chunk, **(options or {}))
        parts.append(run_episodes(agent, env, chunk, on_step))
        env.close()
    return Episodes.concatenate(parts)


def warm_up(config: OffloadingConfig) -> None:
    """Load or compile the machine code of an episode, so that no agent's time contains it."""
    evaluate("gating", config.override(horizon=1), [0])


def batches(config: OffloadingConfig, seeds: Sequence[int]) -> list[Sequence[int]]:
    """Split the seeds so that the observations of a batch fit in memory."""
    numbers = sum(math.prod(shape) for shape in config.observation_shapes.values())
    rows = max(1, BATCH_NUMBERS // numbers)
    return [seeds[start : start + rows] for start in range(0, len(seeds), rows)]


def run_episodes(
    agent: Agent,
    env: OffloadingVectorEnv,
    seeds: Sequence[int],
    on_step: Callable[[int], None] | None = None,
) -> Episodes:
    """Run any agent, a trained model too, through one episode of every sub-environment.

    Args:
        agent: whatever has Stable-Baselines3's `predict`.
        env: as many sub-environments as seeds.
        seeds: one per sub-environment.
        on_step: called after each slot with the number of environment steps it made.
    """
    horizon = env.config.horizon
    observation, info = env.reset(seed=list(seeds))
    state = None
    episode_start = np.ones(len(seeds), dtype=np.bool_)
    totals = {key: np.zeros(len(seeds)) for key in ("return", *SUMMED)}
    error_curve = np.empty((len(seeds), horizon))
    for slot in range(horizon):
        action, state = agent.predict(observation, state, episode_start, deterministic=True)
        observation, reward, _, _, info = env.step(action)
        episode_start = np.zeros(len(seeds), dtype=np.bool_)
        totals["return"] += reward
        for key in SUMMED:
            totals[key] += info[key]
        error_curve[:, slot] = info["generalization_error"]
        if on_step is not None:
            on_step(len(seeds))
    final = {key: np.array(info[key], dtype=np.float64) for key in FINAL if key in info}
    return Episodes(np.array(seeds), {**totals, **final, **per_task(totals)}, error_curve)


def per_task(totals: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return means per accepted task (NaN without any) and shares of all tasks, each (n,)."""
    accepted, arrived = totals["accepted"], totals["accepted"] + totals["rejected"]
    return {
        "energy_per_task_j": _ratio(totals["energy_j"], accepted),
        "energy_per_arrival_j": _ratio(totals["energy_j"], arrived),
        "mean_delay_slots": _ratio(totals["delay_slots"], accepted),
        "rejected_share": _ratio(totals["rejected"], arrived),
    }


def _ratio(sums: Floats, counts: Floats) -> Floats:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
