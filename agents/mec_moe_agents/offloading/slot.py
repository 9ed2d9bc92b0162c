"""What an agent sees of one slot, in logical shapes."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation
from mec_moe_env.observation import unflatten
from mec_moe_env.scenarios import OffloadingConfig

Floats = NDArray[np.float32]


class Slot(NamedTuple):
    """A batch of observations; n rows, U tasks, M servers, S subcarriers, d features."""

    task: Floats
    """(n, U, d), x = Σ_i X_i of each arriving task."""
    payload: Floats
    """(n, U), Mbit."""
    origin: Floats
    """(n, U, M), one-hot."""
    busy: Floats
    """(n, M), 0 is idle."""
    subcarrier_busy: Floats
    """(n, S), 0 is free."""
    spectral_efficiency: Floats
    """(n, U, M, S), bit/s/Hz of the link from the task's origin."""
    compute: Floats
    """(n, M, 2), joules and seconds per sample."""
    completed: Floats
    """(n, M), 1 where a training ended in the slot before."""
    drift: Floats
    """(n, M), ‖Δw‖₂ of the last completed training."""
    progress: Floats
    """(n, 1), t / T."""

    @classmethod
    def read(cls, observation: Observation, config: OffloadingConfig) -> Self:
        """View a batched observation; nothing is copied."""
        return cls(**unflatten(observation, config.observation_shapes))

    @property
    def batch(self) -> int:
        """Number of rows n."""
        return int(self.task.shape[0])
