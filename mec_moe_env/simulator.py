"""What the simulators share: generators, threads, and one compiled call for all there is to do."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_moe_env.claims import Crew
from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Buffers, BufferTable, Flags
from mec_moe_env.orders import Orders
from mec_moe_env.randomness import Randomness
from mec_moe_env.threads import Threads

Description = TypeVar("Description")


class Simulator(ABC):
    """A batch of sub-environments on one compiled call.

    The world holds two blocks of slots: while one is lived through, the other is drawn, so that
    the present slot and those before it in its block stay where they are.
    """

    observation_space: spaces.Dict
    """Of one sub-environment."""
    nvec: NDArray[np.int64]
    """Sizes of the MultiDiscrete action space of one sub-environment."""
    episode_steps: int
    """Steps of an episode, the same in all sub-environments."""
    rows: BufferTable
    """Names what the steps write."""
    world: Any
    """What happens whatever the scheduler does; its `cursor`, (n,), points into the two blocks."""
    _source: Any
    """Draws the world, `block` slots at a time."""

    def __init__(self, num_envs: int, num_threads: int) -> None:
        self.num_envs = num_envs
        self._threads = Threads(num_envs, num_threads)
        self._randomness = Randomness(num_envs)

    @property
    @abstractmethod
    def finished(self) -> Flags:
        """Whether the episode of each sub-environment is over, (n,)."""

    @abstractmethod
    def masks(self) -> Flags:
        """Return the flat action masks, (n, sum(nvec))."""

    def close(self) -> None:
        """End the threads."""
        self._threads.close()

    def adopt(self, indices: NDArray[np.int64], generators: Sequence[np.random.Generator]) -> None:
        """Let these generators drive the sub-environments from their next episode on."""
        self._randomness.begin(indices, generators)

    def run(
        self,
        orders: Orders,
        describe: Callable[[Buffers], Description],
        actions: Actions | None = None,
        rows: Buffers | None = None,
    ) -> Description:
        """Start, advance or observe each sub-environment as ordered; return what describes it.

        Args:
            orders: one of `mec_moe_env.orders` for each, (n,).
            describe: names the rows. It is called while they are being written and must not
                read them.
            actions: (n, len(nvec)); may be left out where nobody steps.
            rows: to write to; fresh ones if left out.
        """
        rows = self.rows.empty() if rows is None else rows
        if actions is None:
            actions = np.zeros((self.num_envs, len(self.nvec)), np.int64)
        self._prepare(orders)
        work = functools.partial(self._call, orders, actions, rows)
        descriptions: list[Description] = []
        self._threads.run(work, lambda: descriptions.append(describe(rows)))
        return descriptions[0]

    def _prepare(self, orders: Orders) -> None:
        """Let Python code do its part before the compiled call."""
        self._source.prepare(orders, self._randomness, self.world)

    @abstractmethod
    def _call(
        self, orders: Orders, actions: Actions, rows: Buffers, crew: Crew, thread: int, most: int
    ) -> None:
        """Make the compiled call of one thread."""
