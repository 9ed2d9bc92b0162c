"""The random numbers of many sub-environments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.streams import Streams, draw_keys

PLACES, TYPES, TASKS, RADIO, GATES = range(5)
"""What the streams of a sub-environment are for."""
PURPOSES = 5


class Randomness:
    """A NumPy generator for each sub-environment, and the streams of its present episode.

    The streams begin at keys from the generator, so that the generator decides all of an episode;
    compiled code draws from them. What Python code draws, a user's task stream for one, comes
    from the generator itself.
    """

    def __init__(self, num_envs: int) -> None:
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self.streams: Streams = np.zeros((num_envs, PURPOSES), np.uint64)
        """States by purpose, (n, 5)."""

    def __getitem__(self, index: int) -> np.random.Generator:
        generator = self._generators[index]
        if generator is None:
            raise RuntimeError("call reset() before step()")
        return generator

    def begin(self, indices: NDArray[np.int64], generators: Sequence[np.random.Generator]) -> None:
        """Let generators drive sub-environments from now on, and begin their streams anew."""
        for index, generator in zip(indices.tolist(), generators, strict=True):
            self._generators[index] = generator
        self.streams[indices] = [draw_keys(generator, PURPOSES) for generator in generators]
