"""Slots made by hand."""

from typing import Any

import numpy as np

from mec_moe_env import Slot


def make_slot(
    batch: int = 1, tasks: int = 1, servers: int = 3, subcarriers: int = 2, features: int = 2
) -> Slot:
    """Return idle servers, free subcarriers, equal links; every task arrives at server 0."""
    origin = np.zeros((batch, tasks, servers), dtype=np.float32)
    origin[:, :, 0] = 1.0

    def ones(*shape: int) -> Any:
        return np.ones(shape, dtype=np.float32)

    return Slot(
        task=ones(batch, tasks, features),
        payload=ones(batch, tasks),
        origin=origin,
        busy=0 * ones(batch, servers),
        subcarrier_busy=0 * ones(batch, subcarriers),
        spectral_efficiency=ones(batch, tasks, servers, subcarriers),
        compute=0.01 * ones(batch, servers, 2),
        completed=0 * ones(batch, servers),
        drift=0 * ones(batch, servers),
        progress=0 * ones(batch, 1),
    )
