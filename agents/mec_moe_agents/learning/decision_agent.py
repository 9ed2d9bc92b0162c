"""A model that was trained on the decision view, as an agent for the original environment."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.features import choice_masks
from mec_moe_agents.offloading.learned import Decisions
from mec_moe_env import OffloadingConfig


class DecisionState(NamedTuple):
    """State of the agent over a batch of sub-environments."""

    decisions: Decisions
    memory: Any
    """The model's own, if it is recurrent."""


class DecisionAgent:
    """Asks the model for one task of a slot after the other."""

    def __init__(self, model: Any, config: OffloadingConfig, masked: bool) -> None:
        self._model = model
        self._config = config
        self._masked = masked

    def predict(
        self,
        observation: Any,
        state: DecisionState | None = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.int64], DecisionState]:
        """Choose the actions of a batch of slots, (n, U·D·2)."""
        batch = len(observation["progress"])
        starts = np.zeros(batch, np.bool_) if episode_start is None else episode_start
        if state is None:
            state = DecisionState(Decisions(self._config, batch), None)
        elif starts.any():
            state.decisions.forget(starts)
        decisions, memory = state
        decisions.begin(observation)
        for task in range(self._config.num_tasks):
            choice, memory = self._choose(decisions.features(task), memory, starts, deterministic)
            decisions.choose(task, choice)
            starts = np.zeros(batch, np.bool_)
        return decisions.action, DecisionState(decisions, memory)

    def _choose(
        self, features: NDArray[np.float32], memory: Any, starts: NDArray[np.bool_], mode: bool
    ) -> tuple[NDArray[np.int64], Any]:
        masks = choice_masks(features)
        options = {"action_masks": masks} if self._masked else {}
        choice, memory = self._model.predict(features, memory, starts, mode, **options)
        possible = masks[np.arange(len(choice)), choice]
        return np.where(possible, choice, self._config.num_servers), memory
