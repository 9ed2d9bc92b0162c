"""Random numbers that do not depend on which sub-environments share a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Keeps an agent's stream apart from the stream of the environment that has the same seed.
AGENT_STREAM = 0x6D6563
BLOCK_NUMBERS = 1 << 18


def row_seeds(seed: int | Sequence[int], batch: int) -> list[int]:
    """Return one seed per row: `seed` + row for an integer, as the vector env counts them.

    Raises:
        ValueError: a sequence has another length than the batch.
    """
    if isinstance(seed, int):
        return [seed + row for row in range(batch)]
    if len(seed) != batch:
        raise ValueError(f"the agent has {len(seed)} seeds, but the batch has {batch} rows")
    return [int(value) for value in seed]


class UniformRows:
    """One stream of U[0, 1) numbers per row, each from its own generator, drawn in blocks.

    A row's stream depends on its seed alone, so that a sub-environment meets the same numbers
    whether it runs alone or within a batch.
    """

    def __init__(self, seeds: Sequence[int], width: int) -> None:
        self._generators = [np.random.default_rng([AGENT_STREAM, seed]) for seed in seeds]
        self._width = width
        self._block = max(1, min(256, BLOCK_NUMBERS // (len(seeds) * width)))
        self._numbers = np.empty((len(seeds), self._block, width))
        self._position = self._block

    def draw(self) -> NDArray[np.float64]:
        """Return the next numbers of every row, shape (n, width)."""
        if self._position == self._block:
            for row, generator in enumerate(self._generators):
                generator.random(out=self._numbers[row])
            self._position = 0
        self._position += 1
        return self._numbers[:, self._position - 1]
