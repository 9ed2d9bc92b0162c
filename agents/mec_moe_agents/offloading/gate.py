"""A gate says how relevant each server is for each arriving task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import Slot

State = TypeVar("State")


class Gate(ABC, Generic[State]):
    """The part of a scheduler that knows experts; whoever holds it decides about subcarriers.

    A gate keeps nothing of its own: what it learns lives in the state, one row for each
    sub-environment, updated in place.
    """

    @abstractmethod
    def start(self, batch: int) -> State:
        """Return the state of `batch` fresh episodes."""

    @abstractmethod
    def relevance(self, state: State, slot: Slot) -> NDArray[np.float64]:
        """Return the relevance of each server for each task, (n, U, M); −inf is never."""

    def reset(self, state: State, rows: NDArray[np.bool_]) -> None:
        """Forget, in the rows where `rows` (n,) is true, everything about the episode."""

    def learn(self, state: State, slot: Slot) -> None:
        """Learn from the trainings that ended in the slot before."""

    def remember(self, state: State, slot: Slot, servers: NDArray[np.int64]) -> None:
        """Note the servers that took the tasks, (n, U, D) with M = none."""


class StatelessGate(Gate[int]):
    """A gate that looks at the present slot only; its state is the batch size."""

    def start(self, batch: int) -> int:
        """Return the batch size."""
        return batch
