"""The agent that asks a scheduler layer by layer."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.agent import Observation, check_batch, with_batch_axis
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
        """Choose the actions of a batch of layers (or of one), as `Agent.predict` describes.

        Layers are independent decisions: `episode_start` and `deterministic` change nothing. The
        state is updated in place.

        Returns:
            Flat actions, (n, I·Q·D + I·K) or (I·Q·D + I·K,), and the state for the next call.

        Raises:
            ValueError: the state belongs to another batch size, or an entry has a wrong size.
        """
        batched, single = with_batch_axis(observation)
        layer = Layer.read(batched, self.config)
        if state is None:
            state = SchedulingState(layer.batch, self.scheduler.start(layer.batch))
        check_batch(state.batch, layer.batch)
        plan = self.scheduler.schedule(state.scheduler, layer)
        flat = plan.action(self.config.max_experts)
        return (flat[0] if single else flat), state
