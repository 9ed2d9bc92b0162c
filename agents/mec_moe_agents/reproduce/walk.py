"""Episodes layer by layer, with what the scheduler saw and decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mec_moe_agents.dmoe.agent import Plan, Scheduler
from mec_moe_agents.dmoe.layer import Floats, ThresholdSchedule, layer_bound
from mec_moe_agents.dmoe.schedulers import JointScheduler
from mec_moe_env import DMoEConfig, DMoEVectorEnv, Layer


class Turn(NamedTuple):
    """One layer of n episodes."""

    layer: Layer
    plan: Plan
    info: Mapping[str, Any]
    """What the environment says of the layer, arrays (n,)."""


def walk(config: DMoEConfig, scheduler: Scheduler, seeds: Sequence[int]) -> Iterator[Turn]:
    """Let a scheduler act through one episode per seed."""
    env = DMoEVectorEnv(len(seeds), config)
    observation, _ = env.reset(seed=list(seeds))
    state = scheduler.start(len(seeds))
    for _ in range(config.num_layers):
        layer = Layer.read(observation, config)
        plan = scheduler.schedule(state, layer)
        observation, _, _, _, info = env.step(plan.action(config.max_experts))
        yield Turn(layer, plan, info)
    env.close()


def jesa(config: DMoEConfig) -> JointScheduler:
    """Return JESA with the thresholds of the configuration."""
    return JointScheduler(config, ThresholdSchedule(config))


def jesa_and_bound(config: DMoEConfig, seeds: Sequence[int]) -> tuple[Floats, Floats]:
    """Return joules of JESA and LB(γ0, D) on the same layers, each (n, L)."""
    schedule = ThresholdSchedule(config)
    turns = list(walk(config, jesa(config), seeds))
    spent = np.stack([turn.info["energy_j"] for turn in turns], axis=1)
    bound = np.stack([layer_bound(turn.layer, schedule, config) for turn in turns], axis=1)
    return spent, bound
