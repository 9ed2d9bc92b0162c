"""Schedulers that know nothing of experts: traditional edge computing, and the floors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.gate import Gate, StatelessGate
from mec_moe_agents.random_rows import UniformRows, row_seeds
from mec_moe_env import OffloadingConfig, Slot


class NearestGate(StatelessGate):
    """Nearest idle server: the origin itself, otherwise the one that it hears best.

    Traditional MEC (Li & Duan 2024). Positions are not observed; the mean spectral efficiency
    of the link over the subcarriers stands for nearness.
    """

    def relevance(self, state: int, slot: Slot) -> NDArray[np.float64]:
        """Return the mean spectral efficiency of each link, infinite in-situ: (n, U, M)."""
        heard = np.einsum("nums->num", slot.spectral_efficiency, dtype=np.float64)
        return np.where(slot.origin > 0, np.inf, heard / slot.spectral_efficiency.shape[-1])


class MostPowerfulGate(StatelessGate):
    """Fastest idle server. Traditional MEC (Li & Duan 2024)."""

    def relevance(self, state: int, slot: Slot) -> NDArray[np.float64]:
        """Return minus the seconds per sample of each server, (n, U, M)."""
        speed = -slot.compute[:, np.newaxis, :, 1].astype(np.float64)
        return np.broadcast_to(speed, slot.origin.shape)


class RejectAllGate(StatelessGate):
    """No server is ever relevant: the floor of energy and delay."""

    def relevance(self, state: int, slot: Slot) -> NDArray[np.float64]:
        """Return −inf everywhere, (n, U, M)."""
        return np.full(slot.origin.shape, -np.inf)


class RandomGate(Gate[UniformRows]):
    """Random idle server, the ablation of Li & Duan 2024.

    Args:
        config: the environment's configuration.
        seed: row i draws from seed + i; a sequence gives each row its own.
    """

    def __init__(self, config: OffloadingConfig, seed: int | Sequence[int] = 0) -> None:
        self._width = config.num_tasks * config.num_servers
        self._seed = seed

    def start(self, batch: int) -> UniformRows:
        """Return one stream of random numbers per row."""
        return UniformRows(row_seeds(self._seed, batch), self._width)

    def relevance(self, state: UniformRows, slot: Slot) -> NDArray[np.float64]:
        """Return uniform random numbers, (n, U, M)."""
        return state.draw().reshape(slot.origin.shape)
