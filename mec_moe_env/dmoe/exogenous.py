"""The channel and the availability of nodes, whatever the scheduler does."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np

from mec_moe_env.core.kernels import inlined
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.state import Flags, Singles, World
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
from mec_moe_env.randomness import GATES, PLACES, RADIO, Randomness
from mec_moe_env.streams import (
    NormalScratch,
    Streams,
    draw_normals,
    next_uniform,
    next_word,
    scratch_for,
)
from mec_moe_env.tasks.stream import Floats

BLOCK = 1
"""Slots drawn at once, beside those before them that are still to be seen."""


class Channel(NamedTuple):
    """Constants of the channel and of the nodes' reliability."""

    correlation: float
    line_of_sight: float
    lowest_efficiency: float
    highest_efficiency: float
    failure_rate: float
    repair_rate: float


class Memory(NamedTuple):
    """What the exogenous world of each sub-environment remembers."""

    mean_snr: Floats
    """From every source to every node, (n, I, K), linear."""
    forward: Singles
    """Scattered coefficients of the links, real and imaginary, (n, I, 2, K, S); (n, 0, …) when
    memoryless."""
    backward: Singles
    """Likewise of the links back; S = 0 when they are not counted."""
    working: Flags
    """(n, K)."""
    fresh: Flags
    """Whether the coefficients are to be drawn anew, (n,)."""


class Geometry(NamedTuple):
    """Constants of what is drawn once an episode."""

    area_m: float
    reference_snr: float
    path_loss_exponent: float
    shadowing_db: float
    joules: tuple[float, float]


class Exogenous(NamedTuple):
    """All that the exogenous world is drawn from."""

    block: int
    """Slots per block."""
    history: int
    """Slots before the first layer, which a late view of the channel shows."""
    fixed: bool
    """Whether Python code has written all blocks for ever."""
    draws_gates: bool
    """Whether gate scores are drawn, or come from elsewhere."""
    gate_spread: float
    """Standard deviation of their logits."""
    geometry: Geometry
    channel: Channel
    memory: Memory


class Scratch(NamedTuple):
    """Room for a thread to draw in."""

    positions: Floats
    """(K, 2)."""
    noise: Singles
    """(2·K·S,)."""
    gates: NormalScratch
    """For an episode's scores."""


class WorldSource(Protocol):
    """The exogenous part of the sub-environments' future, block by block."""

    block: int
    """Slots per block."""
    exogenous: Exogenous
    """What compiled code draws it from."""

    def prepare(self, orders: Orders, randomness: Randomness, world: World) -> None:
        """Write what compiled code cannot, before the call with these orders."""


class RadioWorld:
    """Random geometry, fading and failures of a scenario (`model.md` §1, §3)."""

    def __init__(self, config: DMoEConfig, num_envs: int) -> None:
        self.block = BLOCK + config.csi_delay
        self.exogenous = make_exogenous(config, num_envs, self.block)

    def prepare(self, orders: Orders, randomness: Randomness, world: World) -> None:
        """Nothing: compiled code draws everything."""


def make_exogenous(config: DMoEConfig, num_envs: int, block: int) -> Exogenous:
    """Collect what the world of `num_envs` sub-environments is drawn from."""
    channel = Channel(
        correlation=fading_correlation(config),
        line_of_sight=float(config.rician_factor),
        lowest_efficiency=float(config.min_spectral_efficiency),
        highest_efficiency=float(config.max_spectral_efficiency),
        failure_rate=float(config.failure_rate),
        repair_rate=float(config.repair_rate),
    )
    geometry = Geometry(
        area_m=float(config.area_m),
        reference_snr=reference_snr(config),
        path_loss_exponent=float(config.path_loss_exponent),
        shadowing_db=float(config.shadowing_db),
        joules=(float(config.compute_joules[0]), float(config.compute_joules[1])),
    )
    return Exogenous(
        block=block,
        history=config.csi_delay,
        fixed=False,
        draws_gates=config.gates == "random",
        gate_spread=float(config.gate_spread),
        geometry=geometry,
        channel=channel,
        memory=empty_memory(config, channel, num_envs),
    )


def make_scratch(config: DMoEConfig) -> Scratch:
    """Allocate one thread's room."""
    drawn = config.gates == "random"
    scores = math.prod(config.observation_shapes["gate"]) * config.num_layers if drawn else 0
    return Scratch(
        positions=np.empty((config.num_nodes, 2)),
        noise=np.empty(2 * config.num_nodes * config.num_subcarriers, np.float32),
        gates=scratch_for(scores),
    )


def empty_memory(config: DMoEConfig, channel: Channel, num_envs: int) -> Memory:
    """Allocate the memory of `num_envs` sub-environments."""
    n, I, K, S = num_envs, config.sources, config.num_nodes, config.num_subcarriers
    memoryless = channel.correlation == 0.0 and channel.line_of_sight == 0.0
    rows, back = 0 if memoryless else I, S if config.count_backward else 0
    return Memory(
        mean_snr=np.empty((n, I, K)),
        forward=np.zeros((n, rows, 2, K, S), np.float32),
        backward=np.zeros((n, rows, 2, K, back), np.float32),
        working=np.empty((n, K), np.bool_),
        fresh=np.empty(n, np.bool_),
    )


@inlined
def begin_world(
    chances: Streams, exogenous: Exogenous, i: int, scratch: Scratch, world: World
) -> None:
    """Begin an episode of sub-environment i: nodes, their energies, who is available, gates."""
    world.cursor[i] = exogenous.history
    if exogenous.fixed:
        return
    exogenous.memory.fresh[i] = True
    draw_places(chances, exogenous, i, scratch.positions, world.compute_energy[i])
    if exogenous.draws_gates:
        draw_gates(chances, exogenous.gate_spread, scratch.gates, world.gates[i])


@inlined
def draw_places(
    chances: Streams, exogenous: Exogenous, i: int, positions: Floats, compute_energy: Floats
) -> None:
    """Draw mean SNRs, joules per token, (K,), and availability of a new episode.

    `positions`, (K, 2), is scratch. The chain of failures starts in its stationary state.
    """
    geometry, channel, memory = exogenous.geometry, exogenous.channel, exogenous.memory
    failed = channel.failure_rate / (channel.failure_rate + channel.repair_rate)
    low, high = geometry.joules
    draw_positions(chances, geometry.area_m, positions)
    key = next_word(chances, PLACES)
    for source in range(memory.mean_snr.shape[1]):
        write_mean_snr(
            key,
            geometry.reference_snr,
            geometry.path_loss_exponent,
            geometry.shadowing_db,
            positions,
            source,
            memory.mean_snr[i, source],
        )
    for j in range(compute_energy.shape[0]):
        compute_energy[j] = low + (high - low) * next_uniform(chances, PLACES)
        memory.working[i, j] = next_uniform(chances, PLACES) >= failed


@inlined
def draw_gates(chances: Streams, spread: float, scratch: NormalScratch, gates: Floats) -> None:
    """Write softmax(spread · N(0, 1)) over the last axis of (L, I, Q, K) (our extension)."""
    K = gates.shape[3]
    rows = gates.reshape((gates.size // K, K))
    draw_normals(chances, GATES, scratch, gates.size)
    for row in range(rows.shape[0]):
        total = 0.0
        for j in range(K):
            rows[row, j] = math.exp(spread * scratch.normals[row * K + j])
            total += rows[row, j]
        for j in range(K):
            rows[row, j] /= total


@inlined
def fill_world(
    chances: Streams, exogenous: Exogenous, i: int, row: int, scratch: Scratch, world: World
) -> None:
    """Draw channel and availability of a block of slots, from this row on."""
    if exogenous.fixed:
        return
    channel, memory = exogenous.channel, exogenous.memory
    for b in range(row, row + exogenous.block):
        decay = 0.0 if memory.fresh[i] else channel.correlation
        memory.fresh[i] = False
        for source in range(world.spectral_efficiency.shape[2]):
            mean_snr = memory.mean_snr[i, source]
            there = world.spectral_efficiency[i, b, source]
            fill_links(
                chances, channel, decay, source, mean_snr, memory.forward[i], scratch.noise, there
            )
            if world.return_efficiency.shape[4] > 0:
                back = world.return_efficiency[i, b, source]
                fill_links(
                    chances,
                    channel,
                    decay,
                    source,
                    mean_snr,
                    memory.backward[i],
                    scratch.noise,
                    back,
                )
        fill_availability(chances, channel, memory.working[i], world.available[i, b])


@inlined
def fill_availability(chances: Streams, channel: Channel, working: Flags, available: Flags) -> None:
    """Write who is available, then advance every node's two-state chain."""
    for j in range(working.shape[0]):
        available[j] = working[j]
        if channel.failure_rate > 0.0:
            switch = channel.failure_rate if working[j] else channel.repair_rate
            if next_uniform(chances, RADIO) < switch:
                working[j] = not working[j]


@inlined
def fill_links(
    chances: Streams,
    channel: Channel,
    decay: float,
    source: int,
    mean_snr: Floats,
    coefficients: Singles,
    noise: Singles,
    efficiency: Singles,
) -> None:
    """Advance the links of one source by one slot and write their spectral efficiency, (K, S)."""
    if coefficients.shape[0] == 0:
        draw_rayleigh_power(chances, noise, efficiency)
    else:
        row = coefficients[source]
        advance_fading(chances, decay, channel.line_of_sight, row, noise, efficiency)
    lowest, highest = channel.lowest_efficiency, channel.highest_efficiency
    write_spectral_efficiency(source, mean_snr, lowest, highest, noise, efficiency)
