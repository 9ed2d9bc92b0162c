"""What a pick costs: joules, seconds and slots of serving a task by a server (Li & Duan 2024).

Everything that a baseline says of prices comes from here. The formulas are those of the
environment's dynamics, on what is observed; which picks are possible at all says `picks`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.core.buffers import Flags, Floats
from mec_moe_env.radio.links import BITS_PER_MBIT


class Costs(NamedTuple):
    """Costs of a pick, each (n, U, M)."""

    joules: Floats
    """Transmission and computation."""
    seconds: Floats
    """Transmission and computation."""
    delay_slots: Floats
    """The same in whole slots, 1..d_u."""

    def weighted(self, config: OffloadingConfig) -> Floats:
        """Return what energy and delay take from the reward, (n, U, M)."""
        return config.energy_weight * self.joules + config.delay_weight * self.delay_slots


def pick_costs(slot: Slot, config: OffloadingConfig, free: Flags | None = None) -> Costs:
    """Return the costs of serving each task by each server over its best free subcarrier.

    Args:
        slot: the observations, n rows.
        config: the environment's configuration.
        free: (n, S), the subcarriers to choose from; None is all that nobody occupies.
    """
    if free is None:
        free = slot.subcarrier_busy == 0
    return costs_over(best_efficiency(slot, free[:, np.newaxis], config), slot, config)


def best_efficiency(slot: Slot, free: Flags, config: OffloadingConfig) -> Floats:
    """Return the spectral efficiency of each link over its best free subcarrier, (n, U, M).

    `free` are the subcarriers that each task may use, (n, U, S), or (n, 1, S) for all alike. Where
    none is free a link counts as the worst possible; nothing can be sent anyway.
    """
    best = np.where(free[:, :, np.newaxis], slot.spectral_efficiency, 0.0).max(axis=-1)
    efficiency: Floats = np.maximum(best.astype(np.float64), config.min_spectral_efficiency)
    return efficiency


def costs_over(efficiency: Floats, slot: Slot, config: OffloadingConfig) -> Costs:
    """Return the costs of serving each task over links of the given efficiency, (n, U, M), bit/s/Hz.

    A task is served without sending where it arrived.
    """
    bits = BITS_PER_MBIT * slot.payload.astype(np.float64)[..., np.newaxis]
    sending = np.where(slot.origin > 0, 0.0, bits / (config.bandwidth_hz * efficiency))
    per_sample = slot.compute.astype(np.float64)[:, np.newaxis]
    computing_joules, computing_seconds = np.moveaxis(config.samples_per_task * per_sample, -1, 0)
    seconds = sending + computing_seconds
    return Costs(
        joules=config.power_w * sending + computing_joules,
        seconds=seconds,
        delay_slots=np.clip(np.ceil(seconds / config.slot_seconds), 1, config.max_delay),
    )
