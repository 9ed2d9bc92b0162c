"""The agent that asks a scheduler layer by layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.agent import Observation, with_batch_axis
from mec_moe_agents.dmoe.layer import Layer
from mec_moe_agents.dmoe.scheduler import Scheduler
from mec_moe_env import DMoEConfig


class SchedulingState(NamedTuple):
    """State of an agent over a batch of sub-environments."""

    batch: int
    scheduler: Any


class SchedulingAgent:
    """A scheduler with Stable-Baselines3's `predict`.

    It knows the channel as the observation shows it: with `csi_delay` an old one, and of a
    counted backward link (`count_backward`) nothing, so that it schedules for the forward one.

    Args:
        config: the environment's configuration.
        scheduler: decides.
    """

    def __init__(self, config: DMoEConfig, scheduler: Scheduler) -> None:
        self.config = config
        self.scheduler = scheduler

    def predict(
        self,
        observation: Observation,
        state: SchedulingState | None = None,
        episode_start: ArrayLike | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.int64], SchedulingState]:
        """Choose the actions of a batch of layers (or of one).

        Layers are independent decisions: `episode_start` and `deterministic` change nothing.

        Args:
            observation: entries of shape (n, size), or (size,) for a single environment.
            state: what the previous call returned, updated in place; None starts afresh.
            episode_start: ignored.
            deterministic: ignored.

        Returns:
            Flat actions, (n, I·Q·D + I·K) or (I·Q·D + I·K,), and the state for the next call.

        Raises:
            ValueError: the state belongs to another batch size, or an entry has a wrong size.
        """
        batched, single = with_batch_axis(observation)
        layer = Layer.read(batched, self.config)
        if state is None:
            state = SchedulingState(layer.batch, self.scheduler.start(layer.batch))
        if state.batch != layer.batch:
            raise ValueError(f"the state has {state.batch} rows, but the observation {layer.batch}")
        plan = self.scheduler.schedule(state.scheduler, layer)
        flat = plan.action(self.config.max_experts)
        return (flat[0] if single else flat), state
