"""The channel and the availability of nodes, whatever the scheduler does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.compilation import lean
from mec_moe_env.dmoe.state import Flags, Integers, Singles, World, keep_recent
from mec_moe_env.generators import Addresses, Generators, generator_of
from mec_moe_env.network import (
    advance_fading,
    draw_positions,
    draw_rayleigh_power,
    fading_correlation,
    reference_snr,
    write_mean_snr,
    write_spectral_efficiency,
)
from mec_moe_env.scenarios import DMoEConfig
from mec_moe_env.shadowing import draw_key
from mec_moe_env.tasks.stream import Floats

BLOCK_BYTES = 1 << 18


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
    """Scattered coefficients of the links, (n, I, K, S, 2); (n, 0, …) when memoryless."""
    backward: Singles
    """Likewise of the links back; S = 0 when they are not counted."""
    noise: Singles
    """Scratch, (n, 2·K·S)."""
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


class RadioWorld:
    """Random geometry, fading and failures of a scenario (`model.md` §1, §3)."""

    def __init__(self, config: DMoEConfig, num_envs: int) -> None:
        self.block = block_length(config)
        self._history = config.csi_delay
        self._geometry = Geometry(
            area_m=float(config.area_m),
            reference_snr=reference_snr(config),
            path_loss_exponent=float(config.path_loss_exponent),
            shadowing_db=float(config.shadowing_db),
            joules=(float(config.compute_joules[0]), float(config.compute_joules[1])),
        )
        self._channel = Channel(
            correlation=fading_correlation(config),
            line_of_sight=float(config.rician_factor),
            lowest_efficiency=float(config.min_spectral_efficiency),
            highest_efficiency=float(config.max_spectral_efficiency),
            failure_rate=float(config.failure_rate),
            repair_rate=float(config.repair_rate),
        )
        self._memory = empty_memory(config, self._channel, num_envs)

    def start(self, indices: Integers, generators: Generators, world: World) -> None:
        """Place the nodes, draw their energies, which are available, and the first block."""
        addresses, memory = generators.addresses, self._memory
        memory.fresh[indices] = True
        draw_places(
            addresses,
            indices,
            self._geometry,
            self._channel,
            np.empty((memory.mean_snr.shape[2], 2)),
            memory,
            world.compute_energy,
        )
        self._fill(indices, generators, world, 0)

    def refill(self, indices: Integers, generators: Generators, world: World) -> None:
        """Keep the present slot, with those that are still to be seen, and draw what follows."""
        keep_recent(world, indices, self._history)
        self._fill(indices, generators, world, self._history + 1)

    def _fill(
        self, indices: Integers, generators: Generators, world: World, first_row: int
    ) -> None:
        addresses = generators.addresses
        fill_radio(addresses, indices, first_row, self._channel, self._memory, world)
        world.cursor[indices] = self._history


def empty_memory(config: DMoEConfig, channel: Channel, num_envs: int) -> Memory:
    """Allocate the memory of `num_envs` sub-environments."""
    n, I, K, S = num_envs, config.sources, config.num_nodes, config.num_subcarriers
    memoryless = channel.correlation == 0.0 and channel.line_of_sight == 0.0
    rows, back = 0 if memoryless else I, S if config.count_backward else 0
    return Memory(
        mean_snr=np.empty((n, I, K)),
        forward=np.zeros((n, rows, K, S, 2), np.float32),
        backward=np.zeros((n, rows, K, back, 2), np.float32),
        noise=np.empty((n, 2 * K * S), np.float32),
        working=np.empty((n, K), np.bool_),
        fresh=np.empty(n, np.bool_),
    )


def block_length(config: DMoEConfig) -> int:
    """Return how many slots to draw at once: at most an episode, as many as suit the cache."""
    links = config.sources * config.num_nodes * config.num_subcarriers
    fitting = BLOCK_BYTES // (4 * links * (2 if config.count_backward else 1))
    shortest, longest = config.csi_delay + 2, config.csi_delay + config.num_layers + 1
    return min(max(fitting, shortest), longest)


@lean
def draw_places(
    addresses: Addresses,
    indices: Integers,
    geometry: Geometry,
    channel: Channel,
    positions: Floats,
    memory: Memory,
    compute_energy: Floats,
) -> None:
    """Draw mean SNRs, joules per token, (n, K), and availability of new episodes.

    `positions`, (K, 2), is scratch. The chain of failures starts in its stationary state.
    """
    failed = channel.failure_rate / (channel.failure_rate + channel.repair_rate)
    low, high = geometry.joules
    for position in range(indices.shape[0]):
        i = indices[position]
        rng = generator_of(addresses, i)
        draw_positions(rng, geometry.area_m, positions)
        key = draw_key(rng)
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
        for j in range(compute_energy.shape[1]):
            compute_energy[i, j] = low + (high - low) * rng.random()
            memory.working[i, j] = rng.random() >= failed


@lean
def fill_radio(
    addresses: Addresses,
    indices: Integers,
    first_row: int,
    channel: Channel,
    memory: Memory,
    world: World,
) -> None:
    """Draw channel and availability of consecutive slots.

    Args:
        addresses: generators.
        indices: sub-environments to draw for.
        first_row: first row of the block to write.
        channel: constants.
        memory: updated.
        world: rows first_row.. of the blocks of `indices` are written.
    """
    for position in range(indices.shape[0]):
        i = indices[position]
        rng = generator_of(addresses, i)
        for b in range(first_row, world.available.shape[1]):
            decay = 0.0 if memory.fresh[i] else channel.correlation
            memory.fresh[i] = False
            for source in range(world.spectral_efficiency.shape[2]):
                mean_snr, noise = memory.mean_snr[i, source], memory.noise[i]
                there = world.spectral_efficiency[i, b, source]
                fill_links(rng, channel, decay, source, mean_snr, memory.forward[i], noise, there)
                if world.return_efficiency.shape[4] > 0:
                    back = world.return_efficiency[i, b, source]
                    fill_links(
                        rng, channel, decay, source, mean_snr, memory.backward[i], noise, back
                    )
            fill_availability(rng, channel, memory.working[i], world.available[i, b])


@lean
def fill_availability(
    rng: np.random.Generator, channel: Channel, working: Flags, available: Flags
) -> None:
    """Write who is available, then advance every node's two-state chain."""
    for j in range(working.shape[0]):
        available[j] = working[j]
        if channel.failure_rate > 0.0:
            switch = channel.failure_rate if working[j] else channel.repair_rate
            if rng.random() < switch:
                working[j] = not working[j]


@lean
def fill_links(
    rng: np.random.Generator,
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
        draw_rayleigh_power(rng, efficiency)
    else:
        row = coefficients[source]
        advance_fading(rng, decay, channel.line_of_sight, row, noise, efficiency)
    lowest, highest = channel.lowest_efficiency, channel.highest_efficiency
    write_spectral_efficiency(source, mean_snr, lowest, highest, noise, efficiency)
