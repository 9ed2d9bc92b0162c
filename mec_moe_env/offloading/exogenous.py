"""What happens whatever the scheduler does: arrivals, channel, failures.

Nothing here can see an action, so agents with the same seed meet the same tasks and the same
channel by construction. Every sub-environment has its own streams of random numbers, from which a
block of slots is drawn at a time.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import inlined
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.state import Flags, Integers, World
from mec_moe_env.orders import Orders
from mec_moe_env.radio.channel import (
    advance_fading,
    draw_positions,
    draw_rayleigh_power,
    fading_correlation,
    reference_snr,
    write_mean_snr,
    write_spectral_efficiency,
)
from mec_moe_env.randomness import PLACES, RADIO, Randomness
from mec_moe_env.streams import Streams, next_uniform, next_word
from mec_moe_env.tasks.drawing import (
    Arrivals,
    are_drawn,
    begin_tasks,
    draw_task,
    draw_type,
    make_arrivals,
)
from mec_moe_env.tasks.python_stream import StreamSource
from mec_moe_env.tasks.stream import Floats, TaskBatch
from mec_moe_env.tasks.tables import TaskScratch, TaskSource, TaskTables, make_task_scratch

BLOCK = 1
"""Slots drawn at once: what is drawn just before it is needed is still in the cache."""


class WorldSource(Protocol):
    """The exogenous part of the sub-environments' future, block by block."""

    block: int
    """Slots per block."""
    exogenous: Exogenous
    """What compiled code draws it from."""

    def prepare(self, orders: Orders, randomness: Randomness, world: World) -> None:
        """Write what compiled code cannot, before the call with these orders."""


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


class Exogenous(NamedTuple):
    """All that the exogenous world is drawn from."""

    block: int
    """Slots per block."""
    fixed: bool
    """Whether Python code has written all blocks for ever."""
    geometry: Geometry
    channel: Channel
    memory: Memory
    arrivals: Arrivals
    tasks: TaskTables


class Scratch(NamedTuple):
    """Room for a thread to draw in."""

    noise: NDArray[np.float32]
    """(2·M·S,)."""
    tasks: TaskScratch


class RandomWorld:
    """Random geometry, fading, arrivals and failures of a scenario (`model.md` §1, §2)."""

    def __init__(self, config: OffloadingConfig, tasks: TaskSource, num_envs: int) -> None:
        self._stream = tasks if isinstance(tasks, StreamSource) else None
        self.block = BLOCK if self._stream is None else self._stream.block
        self.exogenous = make_exogenous(config, tasks.tables, num_envs, self.block)

    def prepare(self, orders: Orders, randomness: Randomness, world: World) -> None:
        """Let a stream of the user's own write its tasks."""
        if self._stream is not None:
            tasks = TaskBatch(world.features, world.labels, world.linear, world.constant)
            arrivals = self.exogenous.arrivals
            self._stream.prepare(orders, world.cursor, randomness, arrivals, world.types, tasks)


def make_exogenous(
    config: OffloadingConfig, tasks: TaskTables, num_envs: int, block: int
) -> Exogenous:
    """Collect what the world of `num_envs` sub-environments is drawn from."""
    channel = make_channel(config)
    return Exogenous(
        block=block,
        fixed=False,
        geometry=make_geometry(config),
        channel=channel,
        memory=empty_memory(config, channel, num_envs, block),
        arrivals=make_arrivals(config, num_envs),
        tasks=tasks,
    )


def make_scratch(config: OffloadingConfig) -> Scratch:
    """Allocate one thread's room."""
    return Scratch(
        noise=np.empty(2 * config.num_servers * config.num_subcarriers, np.float32),
        tasks=make_task_scratch(config.num_types, config.feature_dim, config.samples_per_task),
    )


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
        row=np.full((n, M), -1, np.int64),
        rows=np.zeros(n, np.int64),
        mean_snr=np.empty((n, R, M)),
        fading=np.zeros((n, 0 if memoryless else R, 2, M, S), np.float32),
        last_drawn=np.empty((n, R), np.int64),
        working=np.empty((n, M), np.bool_),
        slot=np.zeros(n, np.int64),
    )


@inlined
def begin_world(
    streams: Streams, exogenous: Exogenous, i: int, scratch: Scratch, world: World
) -> None:
    """Begin an episode of sub-environment i: place the nodes, draw speeds and ground truths."""
    world.cursor[i] = 0
    if exogenous.fixed:
        return
    memory = exogenous.memory
    for m in range(memory.row.shape[1]):
        memory.row[i, m] = -1
        memory.working[i, m] = True
    memory.rows[i] = 0
    memory.slot[i] = 0
    draw_places(streams[i], exogenous.geometry, memory, i, world.compute[i])
    if are_drawn(exogenous.tasks):
        exogenous.arrivals.last_type[i] = -1
        begin_tasks(streams, exogenous.tasks, i, scratch.tasks)


@inlined
def draw_places(
    chances: Streams, geometry: Geometry, memory: Memory, i: int, compute: Floats
) -> None:
    """Draw positions, shadowing, and joules and seconds per sample, (M, 2), of a new episode."""
    draw_positions(chances, geometry.area_m, memory.positions[i])
    memory.shadowing_key[i] = next_word(chances, PLACES)
    for m in range(compute.shape[0]):
        for kind in range(2):
            low, high = geometry.joules if kind == 0 else geometry.seconds
            compute[m, kind] = low + (high - low) * next_uniform(chances, PLACES)


@inlined
def fill_world(
    streams: Streams, exogenous: Exogenous, i: int, row: int, scratch: Scratch, world: World
) -> None:
    """Draw a block of slots of sub-environment i, from this row on."""
    if exogenous.fixed:
        return
    if are_drawn(exogenous.tasks):
        fill_tasks(streams, exogenous, i, row, scratch, world)
    fill_radio(streams[i], exogenous, i, row, scratch.noise, world)


@inlined
def fill_tasks(
    streams: Streams, exogenous: Exogenous, i: int, row: int, scratch: Scratch, world: World
) -> None:
    """Draw types and tasks of consecutive slots."""
    batch = TaskBatch(world.features, world.labels, world.linear, world.constant)
    for b in range(row, row + exogenous.block):
        for u in range(world.types.shape[2]):
            n = draw_type(streams, exogenous.arrivals, i)
            world.types[i, b, u] = n
            draw_task(streams, exogenous.tasks, i, b, u, n, scratch.tasks, batch)


@inlined
def fill_radio(
    chances: Streams,
    exogenous: Exogenous,
    i: int,
    row: int,
    noise: NDArray[np.float32],
    world: World,
) -> None:
    """Draw origins, payloads, spectral efficiencies and failures of consecutive slots."""
    channel, memory = exogenous.channel, exogenous.memory
    U, M = world.spectral_efficiency.shape[2:4]
    spread = channel.highest_payload - channel.lowest_payload
    for b in range(row, row + exogenous.block):
        origin, efficiency = world.origin[i, b], world.spectral_efficiency[i, b]
        for u in range(U):
            origin[u] = int(next_uniform(chances, RADIO) * M)
            world.payload[i, b, u] = channel.lowest_payload + spread * next_uniform(chances, RADIO)
            fill_row(chances, channel, memory, i, u, origin, noise, efficiency)
        fill_failures(chances, channel, memory.working[i], world.works_next[i, b])
        memory.slot[i] += 1


@inlined
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


@inlined
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


@inlined
def fill_failures(chances: Streams, channel: Channel, working: Flags, works_next: Flags) -> None:
    """Advance every server's two-state chain; nothing is drawn while servers never fail."""
    for m in range(working.shape[0]):
        if channel.failure_rate > 0.0:
            switch = channel.failure_rate if working[m] else channel.repair_rate
            if next_uniform(chances, RADIO) < switch:
                working[m] = not working[m]
        works_next[m] = working[m]
