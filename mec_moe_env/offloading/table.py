"""The ordered table of what offloading shows: observation entries, reward terms, info."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple, Self

from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Entry, Outcomes, Over, Singles, entries_of, unflatten

DRIFT_BOUND = 1e4
"""Drifts are reported up to this value; no scenario comes near it."""


class Slot(NamedTuple):
    """What a scheduler sees of a slot, in logical shapes.

    n rows (batched observations), U tasks, M servers, S subcarriers, d features. The order of the
    fields is that of the observation.
    """

    task: Annotated[Singles, Entry("Ud")]
    """(n, U, d), x = Σ_i X_i of each arriving task; bounded as the task stream says."""
    payload: Annotated[Singles, Entry("U", lambda config: max(config.payload_mbit[1], 1.0))]
    """(n, U), Mbit."""
    origin: Annotated[Singles, Entry("UM")]
    """(n, U, M), one-hot of the server where the task arrived."""
    busy: Annotated[Singles, Entry("M")]
    """(n, M), remaining busy slots / d_u; 0 is idle, 1 also while failed."""
    subcarrier_busy: Annotated[Singles, Entry("S")]
    """(n, S), remaining slots / d_u; 0 is free."""
    spectral_efficiency: Annotated[
        Singles, Entry("UMS", lambda config: config.max_spectral_efficiency)
    ]
    """(n, U, M, S), log2(1 + SNR) of the link from the task's origin, bit/s/Hz."""
    compute: Annotated[
        Singles,
        Entry("M2", lambda config: max(config.compute_joules[1], config.compute_seconds[1], 1.0)),
    ]
    """(n, M, 2), joules and seconds per sample."""
    completed: Annotated[Singles, Entry("M")]
    """(n, M), 1 where a training ended in the slot before."""
    drift: Annotated[Singles, Entry("M", DRIFT_BOUND)]
    """(n, M), ‖Δw‖₂ of the last completed training."""
    progress: Annotated[Singles, Entry("1")]
    """(n, 1), t / T."""

    @classmethod
    def read(cls, observation: Mapping[str, Singles], config: Config) -> Self:
        """View a batched observation; nothing is copied.

        Raises:
            ValueError: an entry is missing or has a wrong size.
        """
        return cls(**unflatten(observation, config.observation_shapes))

    @property
    def batch(self) -> int:
        """Number of rows n."""
        return int(self.task.shape[0])


ENTRIES = entries_of(Slot)
OUTCOMES = Outcomes(
    reward_terms=("error", "energy", "delay"),
    scalars={
        "generalization_error": Over.LAST,
        "forgetting": Over.LAST,
        "energy_j": Over.SUM,
        "transmission_energy_j": Over.SUM,
        "delay_slots": Over.SUM,
    },
    counts=("accepted", "rejected", "dropped_picks", "lost"),
)
