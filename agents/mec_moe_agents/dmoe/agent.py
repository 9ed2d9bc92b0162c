"""The agent that asks a scheduler layer by layer."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import BatchAgent, Observation
from mec_moe_env import DMoEConfig, Layer


class Plan(NamedTuple):
    """The decision for a batch of layers."""

    selected: NDArray[np.bool_]
    """(n, I, Q, K), the experts of each token."""
    subcarrier: NDArray[np.int64]
    """(n, I, K), −1 for a link that carries nothing."""

    def action(self, max_experts: int) -> NDArray[np.int64]:
        """Return the flat actions of the environment, (n, I·Q·D + I·K)."""
        n, experts = len(self.selected), self.selected.shape[-1]
        first = np.argsort(~self.selected, axis=-1, kind="stable")[..., :max_experts]
        chosen = np.take_along_axis(self.selected, first, axis=-1)
        picks = np.full((*self.selected.shape[:-1], max_experts), experts)
        picks[..., : first.shape[-1]] = np.where(chosen, first, experts)
        links = np.maximum(self.subcarrier, 0)
        return np.concatenate([picks.reshape(n, -1), links.reshape(n, -1)], axis=1)


class Scheduler(Protocol):
    """Chooses experts and subcarriers of a batch of layers."""

    def start(self, batch: int) -> Any:
        """Return the state of `batch` rows, for example their random numbers."""

    def schedule(self, state: Any, layer: Layer) -> Plan:
        """Decide; a state may change in place."""


class SchedulingAgent(BatchAgent):
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

    def start(self, batch: int) -> Any:
        """Return the scheduler's state of `batch` rows."""
        return self.scheduler.start(batch)

    def act(self, observation: Observation, memory: Any, deterministic: bool) -> NDArray[np.int64]:
        """Schedule the layers; each is a decision of its own."""
        plan = self.scheduler.schedule(memory, Layer.read(observation, self.config))
        return plan.action(self.config.max_experts)
