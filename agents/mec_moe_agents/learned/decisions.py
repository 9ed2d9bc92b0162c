"""A slot, decided one task at a time: what the training view and the agent share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation
from mec_moe_agents.learned.features import scales_of, width, write_features
from mec_moe_agents.learned.memory import Flags, Integers, empty_memory, forget
from mec_moe_agents.learned.recognition import begin_slot, pick_servers
from mec_moe_env import OffloadingConfig, Slot


class Decisions:
    """n slots whose U tasks are decided in their order of arrival, one server each or none.

    A choice is a server, over its best free subcarrier (nothing is lost: the best is always one
    subcarrier per link), or M, a rejection. A server or subcarrier that one task takes is busy
    for the later ones. Second experts are never used: a task counts the mean of its experts'
    errors, so that another cannot better the best.

    Args:
        config: the environment's configuration.
        batch: n.
    """

    def __init__(self, config: OffloadingConfig, batch: int) -> None:
        self.config = config
        self.batch = batch
        self.width = width(config)
        self._scales = scales_of(config)
        self._covered = min(config.samples_per_task / config.feature_dim, 1.0)
        self._memory = empty_memory(config, batch)
        self._action = np.zeros((batch, 2 * config.num_tasks * config.max_experts), np.int64)

    def forget(self, rows: Flags) -> None:
        """Begin new episodes in `rows`, (n,)."""
        forget(self._memory, rows)

    def begin(self, observation: Observation) -> None:
        """Look at the next slots, entries of shape (n, size)."""
        entries = {key: np.ascontiguousarray(value) for key, value in observation.items()}
        self._slot = Slot.read(entries, self.config)
        begin_slot(self._memory, self._slot, self._covered)

    def features(self, task: int) -> NDArray[np.float32]:
        """Return the features of a task's decision, (n, width); to be called once, in order."""
        out = np.empty((self.batch, self.width), np.float32)
        write_features(self._memory, self._slot, self._scales, task, out)
        return out

    def choose(self, task: int, choices: Integers) -> None:
        """Give the task to the servers `choices`, (n,), M = none; all of them available."""
        pick_servers(self._memory, self._slot, task, self.config.max_experts, choices, self._action)

    @property
    def action(self) -> Integers:
        """Return the flat action of the slots decided, (n, U·D·2)."""
        return self._action.copy()
