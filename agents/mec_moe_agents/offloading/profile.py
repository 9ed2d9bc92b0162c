"""Routing by similarity to what each server has learned before (our extension)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.gate import Gate
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import Real, reject

Floats = NDArray[np.float64]


@dataclass
class ProfileState:
    """What each server has taken in each of n episodes."""

    total: Floats
    """(n, M, d), sum of x over the server's tasks."""
    direction: Floats
    """(n, M, d), the same scaled to length one."""
    trained: NDArray[np.bool_]
    """(n, M), whether the server has taken any task."""


def unit(vectors: Floats) -> Floats:
    """Scale vectors along the last axis to length one; zero stays zero."""
    length = np.sqrt(np.einsum("...d,...d->...", vectors, vectors))[..., np.newaxis]
    scaled: Floats = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return scaled


class ProfileGate(Gate[ProfileState]):
    """Relevance is the cosine of x and the server's profile (our extension).

    A server's profile is the mean x of the tasks that it has taken. A server whose similarity
    reaches the threshold comes before an untrained one, which comes before all others, so that
    a new kind of task opens a new server while there is one.

    Args:
        config: the environment's configuration.
        threshold: cosine from which a task counts as the server's own kind.

    Raises:
        ValueError: the threshold is not a cosine.
    """

    def __init__(self, config: OffloadingConfig, *, threshold: float = 0.5) -> None:
        allowed = Real(-1, 1)
        if not allowed.admits(threshold):
            raise reject("threshold", threshold, allowed)
        self._config = config
        self.threshold = threshold

    def start(self, batch: int) -> ProfileState:
        """Return `batch` rows of untrained servers."""
        M, d = self._config.num_servers, self._config.feature_dim
        return ProfileState(
            total=np.zeros((batch, M, d)),
            direction=np.zeros((batch, M, d)),
            trained=np.zeros((batch, M), dtype=np.bool_),
        )

    def reset(self, state: ProfileState, rows: NDArray[np.bool_]) -> None:
        """Make all servers of the rows untrained."""
        state.total[rows] = 0.0
        state.direction[rows] = 0.0
        state.trained[rows] = False

    def similarity(self, state: ProfileState, slot: Slot) -> Floats:
        """Return the cosine of each task and each server's profile, (n, U, M).

        −inf where the server is untrained.
        """
        task = unit(slot.task.astype(np.float64))
        cosine = np.matmul(task, state.direction.transpose(0, 2, 1))
        return np.where(state.trained[:, np.newaxis], cosine, -np.inf)

    def relevance(self, state: ProfileState, slot: Slot) -> Floats:
        """Return the similarity, (n, U, M); untrained servers stand at the threshold."""
        similarity = self.similarity(state, slot)
        return np.where(state.trained[:, np.newaxis], similarity, self.threshold)

    def remember(self, state: ProfileState, slot: Slot, servers: NDArray[np.int64]) -> None:
        """Add each task to the profiles of the servers that took it."""
        rows, tasks, picks = np.nonzero(servers < self._config.num_servers)
        chosen = servers[rows, tasks, picks]
        total = state.total[rows, chosen] + slot.task[rows, tasks]
        state.total[rows, chosen] = total
        state.direction[rows, chosen] = unit(total)
        state.trained[rows, chosen] = True
