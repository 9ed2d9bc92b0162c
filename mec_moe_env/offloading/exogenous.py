"""What happens whatever the scheduler does: arrivals, channel, failures.

Nothing here can see an action, so agents with the same seed meet the same tasks and the same
channel by construction. Every sub-environment has its own generator, from which a block of slots
is drawn at a time.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import lean
from mec_moe_env.network import (
    advance_fading,
    draw_positions,
    draw_rayleigh_power,
    fading_correlation,
    reference_snr,
    write_mean_snr,
    write_spectral_efficiency,
)
from mec_moe_env.offloading.state import Flags, Integers, World
from mec_moe_env.randomness import PLACES, RADIO, Randomness
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.streams import Streams, next_uniform, next_word
from mec_moe_env.tasks.stream import Floats, TaskBatch, TaskSource, draw_types

BLOCK_BYTES = 1 << 20
"""Of all sub-environments together: what the second-level cache holds."""
LONGEST_BLOCK = 32


class WorldSource(Protocol):
    """Writes the exogenous part of the sub-environments' future, block by block."""

    block: int
    """Slots per block."""

    def start(self, indices: Integers, randomness: Randomness, world: World) -> None:
        """Begin episodes of the sub-environments `indices` and write their first block."""

    def refill(
        self, indices: Integers, rows: Integers, randomness: Randomness, world: World
    ) -> None:
        """Write a block of the sub-environments `indices`, from these rows on."""


class Memory(NamedTuple):
    """What the exogenous world of each sub-environment remembers.

    Links are remembered in rows, one for each node that was an origin in this episode, numbered
    in the order of their first tasks: an episode sees few of many nodes, and what it never
    touches costs neither time nor memory. There are R of them, at most M.
    """

    positions: Floats
    """(n, M, 2), metres."""
    shadowing_key: NDArray[np.uint64]
    """(n,)."""
    row: Integers
    """Row of each node, −1 while it has none, (n, M)."""
    rows: Integers
    """Number of rows in use, (n,)."""
    mean_snr: Floats
    """(n, R, M), linear."""
    fading: NDArray[np.float32]
    """Scattered coefficients, real and imaginary, (n, R, 2, M, S); (n, 0, …) when memoryless."""
    last_drawn: Integers
    """Slot in which a row was last drawn, (n, R)."""
    working: Flags
    """(n, M)."""
    slot: Integers
    """The next slot to be drawn, (n,)."""
    last_type: Integers
    """Type of the last task drawn, −1 for none, (n,)."""


class Geometry(NamedTuple):
    """Constants of what is drawn once an episode."""

    area_m: float
    joules: tuple[float, float]
    seconds: tuple[float, float]


class Channel(NamedTuple):
    """Constants of the channel and of the servers' reliability."""

    reference_snr: float
    path_loss_exponent: float
    shadowing_db: float
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

    def __init__(self, config: OffloadingConfig, tasks: TaskSource, num_envs: int) -> None:
        self.block = tasks.block or block_length(config, num_envs)
        self._noise = 2 * config.num_servers * config.num_subcarriers
        self._tasks = tasks
        self._persistence = float(config.type_persistence)
        frequencies = np.array(config.type_frequencies or (1.0,) * config.num_types)
        self._cumulative = np.cumsum(frequencies / frequencies.sum())
        self._geometry = make_geometry(config)
        self._channel = make_channel(config)
        self._memory = empty_memory(config, self._channel, num_envs, self.block)

    def start(self, indices: Integers, randomness: Randomness, world: World) -> None:
        """Place the nodes, draw the servers' speeds and the ground truths, and the first block."""
        self._memory.row[indices] = -1
        self._memory.rows[indices] = 0
        self._memory.working[indices] = True
        self._memory.slot[indices] = 0
        self._memory.last_type[indices] = -1
        draw_places(randomness.streams, indices, self._geometry, self._memory, world.compute)
        self._tasks.start(indices, randomness)
        world.cursor[indices] = 0
        self.refill(indices, np.zeros_like(indices), randomness, world)

    def refill(
        self, indices: Integers, rows: Integers, randomness: Randomness, world: World
    ) -> None:
        """Draw types, tasks, then origins, payloads, channel and failures."""
        streams, memory, block = randomness.streams, self._memory, self.block
        draw_types(
            streams,
            indices,
            rows,
            block,
            self._cumulative,
            self._persistence,
            memory.last_type,
            world.types,
        )
        tasks = TaskBatch(world.features, world.labels, world.linear, world.constant)
        self._tasks.draw(indices, rows, block, randomness, world.types, tasks)
        noise = np.empty(self._noise, np.float32)
        fill_radio(streams, indices, rows, block, self._channel, memory, noise, world)


def make_geometry(config: OffloadingConfig) -> Geometry:
    """Collect the constants of what is drawn once an episode."""
    return Geometry(
        area_m=float(config.area_m),
        joules=(float(config.compute_joules[0]), float(config.compute_joules[1])),
        seconds=(float(config.compute_seconds[0]), float(config.compute_seconds[1])),
    )


def make_channel(config: OffloadingConfig) -> Channel:
    """Collect the constants of channel and reliability."""
    return Channel(
        reference_snr=reference_snr(config),
        path_loss_exponent=float(config.path_loss_exponent),
        shadowing_db=float(config.shadowing_db),
        correlation=fading_correlation(config),
        line_of_sight=float(config.rician_factor),
        lowest_efficiency=float(config.min_spectral_efficiency),
        highest_efficiency=float(config.max_spectral_efficiency),
        lowest_payload=float(config.payload_mbit[0]),
        highest_payload=float(config.payload_mbit[1]),
        failure_rate=float(config.failure_rate),
        repair_rate=float(config.repair_rate),
    )


def empty_memory(config: OffloadingConfig, channel: Channel, num_envs: int, block: int) -> Memory:
    """Allocate the memory of `num_envs` sub-environments that draw `block` slots at once."""
    n, M, S = num_envs, config.num_servers, config.num_subcarriers
    R = min(M, (config.horizon + 2 * block) * config.num_tasks)
    memoryless = channel.correlation == 0.0 and channel.line_of_sight == 0.0
    return Memory(
        positions=np.empty((n, M, 2)),
        shadowing_key=np.empty(n, np.uint64),
        row=np.empty((n, M), np.int64),
        rows=np.empty(n, np.int64),
        mean_snr=np.empty((n, R, M)),
        fading=np.zeros((n, 0 if memoryless else R, 2, M, S), np.float32),
        last_drawn=np.empty((n, R), np.int64),
        working=np.empty((n, M), np.bool_),
        slot=np.empty(n, np.int64),
        last_type=np.empty(n, np.int64),
    )


def block_length(config: OffloadingConfig, num_envs: int) -> int:
    """Return how many slots to draw at once: few enough for the cache, many to amortise a call.

    Every purpose has a stream of its own, so that the length changes nothing of what is drawn.
    """
    d, k = config.feature_dim, config.samples_per_task
    task_bytes = 8 * (d * k + d + k + 4) + 4 * config.num_servers * config.num_subcarriers
    fitting = BLOCK_BYTES // (2 * num_envs * config.num_tasks * task_bytes)
    return min(max(fitting, 1), LONGEST_BLOCK)


@lean
def draw_places(
    streams: Streams, indices: Integers, geometry: Geometry, memory: Memory, compute: Floats
) -> None:
    """Draw positions, shadowing, and joules and seconds per sample, (n, M, 2), of new episodes."""
    for position in range(indices.shape[0]):
        i = indices[position]
        draw_positions(streams[i], geometry.area_m, memory.positions[i])
        memory.shadowing_key[i] = next_word(streams[i], PLACES)
        for m in range(compute.shape[1]):
            for kind in range(2):
                low, high = geometry.joules if kind == 0 else geometry.seconds
                compute[i, m, kind] = low + (high - low) * next_uniform(streams[i], PLACES)


@lean
def fill_radio(
    streams: Streams,
    indices: Integers,
    rows: Integers,
    block: int,
    channel: Channel,
    memory: Memory,
    noise: NDArray[np.float32],
    world: World,
) -> None:
    """Draw origins, payloads, spectral efficiencies and failures of consecutive slots.

    Args:
        streams: by sub-environment and purpose.
        indices: sub-environments to draw for.
        rows: first row to write of each, (len(indices),).
        block: number of rows to write.
        channel: constants.
        memory: updated.
        noise: scratch, (2·M·S,).
        world: written.
    """
    U, M = world.spectral_efficiency.shape[2:4]
    spread = channel.highest_payload - channel.lowest_payload
    for position in range(indices.shape[0]):
        i = indices[position]
        chances = streams[i]
        for b in range(rows[position], rows[position] + block):
            origin, efficiency = world.origin[i, b], world.spectral_efficiency[i, b]
            for u in range(U):
                origin[u] = int(next_uniform(chances, RADIO) * M)
                world.payload[i, b, u] = channel.lowest_payload + spread * next_uniform(
                    chances, RADIO
                )
                fill_row(chances, channel, memory, i, u, origin, noise, efficiency)
            fill_failures(chances, channel, memory.working[i], world.works_next[i, b])
            memory.slot[i] += 1


@lean
def fill_row(
    chances: Streams,
    channel: Channel,
    memory: Memory,
    i: int,
    task: int,
    origin: Integers,
    noise: NDArray[np.float32],
    efficiency: NDArray[np.float32],
) -> None:
    """Write the spectral efficiencies of one task's links; a row is drawn once per slot."""
    node = origin[task]
    for other in range(task):
        if origin[other] == node:
            for m in range(efficiency.shape[1]):
                for s in range(efficiency.shape[2]):
                    efficiency[task, m, s] = efficiency[other, m, s]
            return
    decay = 0.0
    if memory.row[i, node] >= 0:
        waited = memory.slot[i] - memory.last_drawn[i, memory.row[i, node]]
        decay = channel.correlation**waited
    else:
        begin_row(channel, memory, i, node)
    row = memory.row[i, node]
    memory.last_drawn[i, row] = memory.slot[i]
    if memory.fading.shape[1] == 0:
        draw_rayleigh_power(chances, noise, efficiency[task])
    else:
        coefficients = memory.fading[i, row]
        advance_fading(chances, decay, channel.line_of_sight, coefficients, noise, efficiency[task])
    write_spectral_efficiency(
        node,
        memory.mean_snr[i, row],
        channel.lowest_efficiency,
        channel.highest_efficiency,
        noise,
        efficiency[task],
    )


@lean
def begin_row(channel: Channel, memory: Memory, i: int, node: int) -> None:
    """Give a node a row, and write the mean SNR of its links, which holds for the episode."""
    row = memory.rows[i]
    memory.row[i, node] = row
    memory.rows[i] += 1
    write_mean_snr(
        memory.shadowing_key[i],
        channel.reference_snr,
        channel.path_loss_exponent,
        channel.shadowing_db,
        memory.positions[i],
        node,
        memory.mean_snr[i, row],
    )


@lean
def fill_failures(chances: Streams, channel: Channel, working: Flags, works_next: Flags) -> None:
    """Advance every server's two-state chain; nothing is drawn while servers never fail."""
    for m in range(working.shape[0]):
        if channel.failure_rate > 0.0:
            switch = channel.failure_rate if working[m] else channel.repair_rate
            if next_uniform(chances, RADIO) < switch:
                working[m] = not working[m]
        works_next[m] = working[m]
