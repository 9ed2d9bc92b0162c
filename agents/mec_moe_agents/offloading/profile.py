"""Routing by similarity to what each server has learned before (our extension)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.dispatch_memory import DispatchMemory
from mec_moe_agents.offloading.gate import Gate
from mec_moe_agents.offloading.slot import Slot
from mec_moe_env.configuration import Real, reject
from mec_moe_env.scenarios import OffloadingConfig

Floats = NDArray[np.float64]


@dataclass
class ProfileState:
    """What each server has been trained on in each of n episodes."""

    total: Floats
    """(n, M, d), sum of x over the tasks that the server has completed."""
    direction: Floats
    """(n, M, d), the same scaled to length one."""
    trained: NDArray[np.bool_]
    """(n, M)."""
    memory: DispatchMemory


def unit(vectors: Floats) -> Floats:
    """Scale vectors along the last axis to length one; zero stays zero."""
    length = np.sqrt(np.einsum("...d,...d->...", vectors, vectors))[..., np.newaxis]
    scaled: Floats = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return scaled


class ProfileGate(Gate[ProfileState]):
    """Relevance is the cosine of x and the server's profile (our extension).

    A server's profile is the mean x of the tasks that it has completed. A server whose similarity
    reaches the threshold comes before an untrained one, which comes before all others, so that
    a new kind of task opens a new server while there is one.

    Args:
        config: the environment's configuration.
        threshold: cosine from which a task counts as the server's own kind.
        guard: never give a trained server a task of another kind; rather reject it.

    Raises:
        ValueError: the threshold is not a cosine.
    """

    def __init__(
        self, config: OffloadingConfig, *, threshold: float = 0.5, guard: bool = False
    ) -> None:
        allowed = Real(-1, 1)
        if not allowed.admits(threshold):
            raise reject("threshold", threshold, allowed)
        self._config = config
        self._threshold = threshold
        self._guard = guard

    def start(self, batch: int) -> ProfileState:
        """Return `batch` rows of untrained servers."""
        M, d = self._config.num_servers, self._config.feature_dim
        return ProfileState(
            total=np.zeros((batch, M, d)),
            direction=np.zeros((batch, M, d)),
            trained=np.zeros((batch, M), dtype=np.bool_),
            memory=DispatchMemory.empty(batch, M, d),
        )

    def reset(self, state: ProfileState, rows: NDArray[np.bool_]) -> None:
        """Make all servers of the rows untrained."""
        state.total[rows] = 0.0
        state.direction[rows] = 0.0
        state.trained[rows] = False

    def learn(self, state: ProfileState, slot: Slot) -> None:
        """Add each completed task to its server's profile."""
        rows, servers = np.nonzero(slot.completed)
        if rows.size == 0:
            return
        total = state.total[rows, servers] + state.memory.features[rows, servers]
        state.total[rows, servers] = total
        state.direction[rows, servers] = unit(total)
        state.trained[rows, servers] = True

    def relevance(self, state: ProfileState, slot: Slot) -> Floats:
        """Return the cosine, (n, U, M); untrained servers stand at the threshold."""
        task = unit(slot.task.astype(np.float64))
        similarity = np.matmul(task, state.direction.transpose(0, 2, 1))
        trained = state.trained[:, np.newaxis]
        if self._guard:
            similarity[trained & (similarity < self._threshold)] = -np.inf
        return np.where(trained, similarity, self._threshold)

    def remember(self, state: ProfileState, slot: Slot, servers: NDArray[np.int64]) -> None:
        """Note who took which task."""
        state.memory.remember(slot.task.astype(np.float64), servers)
