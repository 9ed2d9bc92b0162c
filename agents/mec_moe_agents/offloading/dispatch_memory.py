"""Which task each server is working on, so that its completion can teach something."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray


class DispatchMemory:
    """The gate input x of the task that each server took last.

    A server works on one task at a time, so that one slot per server is enough; work that is
    lost in a failure never completes and is overwritten by the next dispatch.
    """

    def __init__(self, features: NDArray[np.float64]) -> None:
        self.features = features
        """(n, M, d)."""

    @classmethod
    def empty(cls, batch: int, servers: int, features: int) -> Self:
        """Return the memory of `batch` rows in which nothing was dispatched."""
        return cls(np.zeros((batch, servers, features)))

    def remember(self, task: NDArray[np.float32], servers: NDArray[np.int64]) -> None:
        """Note that task u, features (n, U, d), went to `servers` (n, U, D), M = none."""
        rows, tasks, picks = np.nonzero(servers < self.features.shape[1])
        self.features[rows, servers[rows, tasks, picks]] = task[rows, tasks]
