"""What both environments' simulators share: generators, threads, one compiled call for all."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Buffers, BufferTable, Flags, Integers
from mec_moe_env.core.pool import Pool
from mec_moe_env.core.rng import Randomness

IGNORE, LOOK, STEP, RESET = range(4)
"""Leave a sub-environment alone; observe it; carry out its action and observe; begin an episode
and observe. From STEP on it meets a new slot."""

Orders = NDArray[np.int8]
"""One for each sub-environment, (n,)."""


class Simulator(ABC):
    """A batch of sub-environments on one compiled call."""

    observation_space: spaces.Dict
    """Of one sub-environment."""
    nvec: Integers
    """Sizes of the MultiDiscrete action space of one sub-environment."""
    table: BufferTable
    """Names what a step writes."""
    episode_steps: int
    """Steps of an episode, the same in all sub-environments."""

    def __init__(self, num_envs: int, num_threads: int) -> None:
        self.num_envs = num_envs
        self._pool = Pool(num_envs, num_threads)
        self._randomness = Randomness(num_envs)

    @property
    @abstractmethod
    def finished(self) -> Flags:
        """Whether the episode of each sub-environment is over, (n,)."""

    @abstractmethod
    def masks(self) -> Flags:
        """Return the flat action masks, (n, sum(nvec))."""

    @abstractmethod
    def describe(self) -> str:
        """Describe sub-environment 0 in a line."""

    def close(self) -> None:
        """End the threads."""
        self._pool.close()

    def adopt(self, indices: Integers, generators: Sequence[np.random.Generator]) -> None:
        """Let these generators drive the sub-environments from their next episode on."""
        self._randomness.begin(indices, generators)

    def run(
        self, orders: Orders, actions: Actions | None = None, buffers: Buffers | None = None
    ) -> Buffers:
        """Reset, advance or observe each sub-environment as ordered; return what was written.

        Args:
            orders: IGNORE, LOOK, STEP or RESET for each, (n,).
            actions: (n, len(nvec)); may be left out where nobody steps.
            buffers: to write to; fresh ones if left out.
        """
        if buffers is None:
            buffers = self.table.empty()
        if actions is None:
            actions = np.zeros((self.num_envs, len(self.nvec)), np.int64)
        self._prepare(orders)
        self._pool.run(functools.partial(self._call, orders, actions, buffers))
        return buffers

    @abstractmethod
    def _prepare(self, orders: Orders) -> None:
        """Let Python code do its part before the compiled call."""

    @abstractmethod
    def _call(
        self,
        orders: Orders,
        actions: Actions,
        buffers: Buffers,
        first: int,
        last: int,
        thread: int,
    ) -> None:
        """Make the compiled call for a range of sub-environments."""
