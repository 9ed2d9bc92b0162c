"""What is kept of one agent's episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Episodes:
    """One episode per seed, n in all."""

    seeds: NDArray[np.int64]
    """(n,), the seed of each episode's environment."""
    metrics: Mapping[str, Floats]
    """Each (n,): totals over the episode, final values, and means per step, task or token."""
    curve: Floats
    """(n, T). Offloading: the overall generalization error G_t after each slot. DMoE: the joules
    of each of T = L layers."""

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Join episodes of one agent on different seeds."""
        return cls(
            seeds=np.concatenate([part.seeds for part in parts]),
            metrics={
                name: np.concatenate([part.metrics[name] for part in parts])
                for name in parts[0].metrics
            },
            curve=np.concatenate([part.curve for part in parts]),
        )
