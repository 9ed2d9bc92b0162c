"""What it would cost to send each task to each server over its best free subcarrier."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig, Slot


class Costs(NamedTuple):
    """Costs of a pick, each (n, U, M)."""

    joules: NDArray[np.float64]
    """Transmission and computation."""
    delay_slots: NDArray[np.float64]
    """Transfer and computation, in whole slots, 1..d_u."""


def pick_costs(slot: Slot, config: OffloadingConfig) -> Costs:
    """Return energy and delay of every possible pick (model of Li & Duan 2024; [O] in detail).

    In-situ picks send nothing. Where no subcarrier is free a transfer counts as over the worst
    possible link; that pick cannot be made anyway.
    """
    free = (slot.subcarrier_busy == 0)[:, np.newaxis, np.newaxis]
    best = np.where(free, slot.spectral_efficiency, config.min_spectral_efficiency).max(axis=-1)
    bits = slot.payload[..., np.newaxis].astype(np.float64) * 1e6
    transfer = np.where(slot.origin > 0, 0.0, bits / (config.bandwidth_hz * best))
    joules_per_sample, seconds_per_sample = np.moveaxis(slot.compute.astype(np.float64), -1, 0)
    k = config.samples_per_task
    seconds = transfer + k * seconds_per_sample[:, np.newaxis]
    return Costs(
        joules=config.power_w * transfer + k * joules_per_sample[:, np.newaxis],
        delay_slots=np.clip(np.ceil(seconds / config.slot_seconds), 1, config.max_delay),
    )
