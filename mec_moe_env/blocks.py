"""What the simulators share: threads, generators, and blocks of slots drawn ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.randomness import Randomness
from mec_moe_env.rows import Flags
from mec_moe_env.simulation import Slices


class BlockSimulator:
    """Base of the simulators; a subclass sets `world` and `_source`.

    The world holds two blocks of slots: while one is lived through, the other is drawn, so that
    the present slot and those before it in its block stay where they are.
    """

    world: Any
    """What happens whatever the scheduler does; its `cursor`, (n,), points into the two blocks."""
    _source: Any
    """Draws the world, `block` slots at a time."""

    def __init__(self, num_envs: int, num_threads: int) -> None:
        self.num_envs = num_envs
        self._slices = Slices(num_envs, num_threads)
        self._randomness = Randomness(num_envs)
        self._ends: dict[int, int] = {}

    def close(self) -> None:
        """End the threads."""
        self._slices.close()

    def _adopt(self, indices: NDArray[np.int64], generators: Sequence[np.random.Generator]) -> None:
        """Let these generators drive the sub-environments from now on."""
        self._ends.clear()
        for index, generator in zip(indices.tolist(), generators, strict=True):
            self._randomness.begin(index, generator)

    def _refill(self, first: int, last: int, active: Flags) -> None:
        """Draw a new block wherever the present slot is the last of its own.

        `_ends` says of how many sub-environments of the slice that begins with `first` this is
        so, where a step has counted; it is forgotten when episodes begin.
        """
        if self._ends.get(first) == 0:
            return
        following = self.world.cursor[first:last] + 1
        used_up = active[first:last] & (following % self._source.block == 0)
        if used_up.any():
            indices = np.flatnonzero(used_up)
            rows = following[indices] % (2 * self._source.block)
            self._source.refill(indices + first, rows, self._randomness, self.world)
