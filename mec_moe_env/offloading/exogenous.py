"""What happens whatever the scheduler does: arrivals, channel, failures.

Nothing here can see an action, so agents with the same seed meet the same tasks and the same
channel by construction. Every sub-environment has its own generator, from which a block of slots
is drawn at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import lean
from mec_moe_env.network import (
    advance_fading,
    draw_mean_snr,
    draw_rayleigh_power,
    fading_correlation,
    reference_snr,
    write_spectral_efficiency,
)
from mec_moe_env.offloading.state import Flags, Integers, World, slot_rows
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.tasks.stream import Floats, TaskBatch, TaskStream, draw_types

BLOCK_BYTES = 1 << 16
LONGEST_BLOCK = 64


class WorldSource(Protocol):
    """Writes the exogenous part of one sub-environment's future, block by block."""

    block: int
    """Slots per block."""

    def start_episode(self, rng: np.random.Generator, world: World, index: int) -> Any:
        """Begin an episode of sub-environment `index`: fix its servers, return its memory."""

    def fill(
        self, rng: np.random.Generator, episode: Any, world: World, index: int, first_row: int
    ) -> None:
        """Write the next slots of sub-environment `index` to rows first_row.. of its block."""


class RadioMemory(NamedTuple):
    """The part of an episode that the radio network remembers."""

    positions: Floats
    """(M, 2), metres."""
    mean_snr: Floats
    """(M, M), linear."""
    fading: NDArray[np.float32]
    """Scattered coefficients, (M, M, S, 2); (0, …) when memoryless."""
    noise: NDArray[np.float32]
    """Scratch, (2·M·S,)."""
    last_seen: Integers
    """Slot in which a node's row was last drawn, −1 for never, (M,)."""
    working: Flags
    """(M,)."""


@dataclass
class Episode:
    """One sub-environment's exogenous memory."""

    radio: RadioMemory
    tasks: Any
    """What the task stream keeps, such as ground truths."""
    slot: int = 0
    """First slot of the next block."""
    last_type: int = -1


class Channel(NamedTuple):
    """Constants of the channel and of the servers' reliability."""

    correlation: float
    line_of_sight: float
    lowest_efficiency: float
    highest_efficiency: float
    lowest_payload: float
    highest_payload: float
    failure_rate: float
    repair_rate: float


class RandomWorld:
    """Random geometry, fading, arrivals and failures of a scenario (`model.md` §1, §2)."""

    def __init__(self, config: OffloadingConfig, stream: TaskStream) -> None:
        self.block = block_length(config)
        self._config = config
        self._stream = stream
        frequencies = np.array(config.type_frequencies or (1.0,) * config.num_types)
        self._cumulative = np.cumsum(frequencies / frequencies.sum())
        self._channel = Channel(
            correlation=fading_correlation(config),
            line_of_sight=float(config.rician_factor),
            lowest_efficiency=float(config.min_spectral_efficiency),
            highest_efficiency=float(config.max_spectral_efficiency),
            lowest_payload=float(config.payload_mbit[0]),
            highest_payload=float(config.payload_mbit[1]),
            failure_rate=float(config.failure_rate),
            repair_rate=float(config.repair_rate),
        )

    def start_episode(self, rng: np.random.Generator, world: World, index: int) -> Episode:
        """Place the nodes, draw the servers' speeds and the stream's ground truths."""
        config = self._config
        M, S = config.num_servers, config.num_subcarriers
        rows = 0 if self._memoryless else M
        radio = RadioMemory(
            positions=np.empty((M, 2)),
            mean_snr=np.empty((M, M)),
            fading=np.zeros((rows, M, S, 2), np.float32),
            noise=np.empty(2 * M * S, np.float32),
            last_seen=np.full(M, -1, np.int64),
            working=np.ones(M, np.bool_),
        )
        draw_mean_snr(
            rng,
            float(config.area_m),
            reference_snr(config),
            float(config.path_loss_exponent),
            float(config.shadowing_db),
            radio.positions,
            radio.mean_snr,
        )
        ranges = np.array([config.compute_joules, config.compute_seconds])
        world.compute[index] = rng.uniform(ranges[:, 0], ranges[:, 1], (M, 2))
        return Episode(radio=radio, tasks=self._stream.start_episode(rng))

    @property
    def _memoryless(self) -> bool:
        return self._channel.correlation == 0.0 and self._channel.line_of_sight == 0.0

    def fill(
        self, rng: np.random.Generator, episode: Episode, world: World, index: int, first_row: int
    ) -> None:
        """Draw the next slots: types, tasks, then origins, payloads, channel and failures."""
        rows = slot_rows(world, index, first_row)
        types = rows.types.reshape(-1)
        persistence = float(self._config.type_persistence)
        episode.last_type = draw_types(rng, self._cumulative, persistence, episode.last_type, types)
        tasks = (rows.features, rows.labels, rows.linear, rows.constant)
        out = TaskBatch(*(a.reshape((len(types), *a.shape[2:])) for a in tasks))
        self._stream.draw(rng, episode.tasks, types, out)
        fill_radio(
            rng,
            self._channel,
            episode.radio,
            episode.slot,
            rows.payload,
            rows.origin,
            rows.spectral_efficiency,
            rows.works_next,
        )
        episode.slot += self.block - first_row


def block_length(config: OffloadingConfig) -> int:
    """Return how many slots to draw at once: few enough for the cache, many to amortise a call."""
    d, k = config.feature_dim, config.samples_per_task
    task_bytes = 8 * (d * k + d + k + 4) + 4 * config.num_servers * config.num_subcarriers
    fitting = BLOCK_BYTES // (config.num_tasks * task_bytes)
    return min(max(fitting, 2), LONGEST_BLOCK)


@lean
def fill_radio(
    rng: np.random.Generator,
    channel: Channel,
    radio: RadioMemory,
    first_slot: int,
    payload: Floats,
    origin: Integers,
    efficiency: NDArray[np.float32],
    works_next: Flags,
) -> None:
    """Draw origins, payloads, spectral efficiencies and failures of consecutive slots.

    Args:
        rng: random generator of the sub-environment.
        channel: constants.
        radio: memory, updated.
        first_slot: slot number of row 0.
        payload: Mbit, (B, U), written.
        origin: (B, U), written.
        efficiency: bit/s/Hz, (B, U, M, S), written.
        works_next: (B, M), written.
    """
    B, U, M, _ = efficiency.shape
    spread = channel.highest_payload - channel.lowest_payload
    for b in range(B):
        for u in range(U):
            origin[b, u] = int(rng.random() * M)
            payload[b, u] = channel.lowest_payload + spread * rng.random()
            fill_row(rng, channel, radio, first_slot + b, u, origin[b], efficiency[b])
        fill_failures(rng, channel, radio.working, works_next[b])


@lean
def fill_row(
    rng: np.random.Generator,
    channel: Channel,
    radio: RadioMemory,
    slot: int,
    task: int,
    origin: Integers,
    efficiency: NDArray[np.float32],
) -> None:
    """Write the spectral efficiencies of one task's links; a row is drawn once per slot."""
    row = origin[task]
    for other in range(task):
        if origin[other] == row:
            for m in range(efficiency.shape[1]):
                for s in range(efficiency.shape[2]):
                    efficiency[task, m, s] = efficiency[other, m, s]
            return
    if radio.fading.shape[0] == 0:
        draw_rayleigh_power(rng, efficiency[task])
    else:
        decay = 0.0
        if radio.last_seen[row] >= 0:
            decay = channel.correlation ** (slot - radio.last_seen[row])
        radio.last_seen[row] = slot
        advance_fading(
            rng, decay, channel.line_of_sight, radio.fading[row], radio.noise, efficiency[task]
        )
    write_spectral_efficiency(
        row,
        radio.mean_snr[row],
        channel.lowest_efficiency,
        channel.highest_efficiency,
        radio.noise,
        efficiency[task],
    )


@lean
def fill_failures(
    rng: np.random.Generator, channel: Channel, working: Flags, works_next: Flags
) -> None:
    """Advance every server's two-state chain; nothing is drawn while servers never fail."""
    for m in range(working.shape[0]):
        if channel.failure_rate > 0.0:
            switch = channel.failure_rate if working[m] else channel.repair_rate
            if rng.random() < switch:
                working[m] = not working[m]
        works_next[m] = working[m]
