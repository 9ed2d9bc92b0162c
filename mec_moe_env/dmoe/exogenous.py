"""The channel and the availability of nodes, whatever the scheduler does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.compilation import lean
from mec_moe_env.dmoe.state import Flags, Integers, Singles, World
from mec_moe_env.network import (
    advance_fading,
    draw_positions,
    draw_rayleigh_power,
    fading_correlation,
    reference_snr,
    write_mean_snr,
    write_spectral_efficiency,
)
from mec_moe_env.randomness import PLACES, RADIO, Randomness
from mec_moe_env.scenarios import DMoEConfig
from mec_moe_env.streams import Streams, next_uniform, next_word
from mec_moe_env.tasks.stream import Floats

BLOCK_BYTES = 1 << 20
"""Of all sub-environments together: what the second-level cache holds."""


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


class RadioWorld:
    """Random geometry, fading and failures of a scenario (`model.md` §1, §3)."""

    def __init__(self, config: DMoEConfig, num_envs: int) -> None:
        self.block = block_length(config, num_envs)
        self._history = config.csi_delay
        self._noise = 2 * config.num_nodes * config.num_subcarriers
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

    def start(self, indices: Integers, randomness: Randomness, world: World) -> None:
        """Place the nodes, draw their energies, which are available, and the first block."""
        memory = self._memory
        memory.fresh[indices] = True
        draw_places(
            randomness.streams,
            indices,
            self._geometry,
            self._channel,
            np.empty((memory.mean_snr.shape[2], 2)),
            memory,
            world.compute_energy,
        )
        world.cursor[indices] = self._history
        self.refill(indices, np.zeros_like(indices), randomness, world)

    def refill(
        self, indices: Integers, rows: Integers, randomness: Randomness, world: World
    ) -> None:
        """Draw a block."""
        noise = np.empty(self._noise, np.float32)
        streams, memory = randomness.streams, self._memory
        fill_radio(streams, indices, rows, self.block, self._channel, memory, noise, world)


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


def block_length(config: DMoEConfig, num_envs: int) -> int:
    """Return how many slots to draw at once: at most an episode, as many as suit the cache.

    A block has room for a slot and those before it that are still to be seen.
    """
    links = config.sources * config.num_nodes * config.num_subcarriers
    fitting = BLOCK_BYTES // (8 * num_envs * links * (2 if config.count_backward else 1))
    shortest, longest = config.csi_delay + 1, config.csi_delay + config.num_layers + 1
    return min(max(fitting, shortest), longest)


@lean
def draw_places(
    streams: Streams,
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
        chances = streams[i]
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
        for j in range(compute_energy.shape[1]):
            compute_energy[i, j] = low + (high - low) * next_uniform(chances, PLACES)
            memory.working[i, j] = next_uniform(chances, PLACES) >= failed


@lean
def fill_radio(
    streams: Streams,
    indices: Integers,
    rows: Integers,
    block: int,
    channel: Channel,
    memory: Memory,
    noise: Singles,
    world: World,
) -> None:
    """Draw channel and availability of consecutive slots.

    Args:
        streams: by sub-environment and purpose.
        indices: sub-environments to draw for.
        rows: first row to write of each, (len(indices),).
        block: number of rows to write.
        channel: constants.
        memory: updated.
        noise: scratch, (2·K·S,).
        world: written.
    """
    for position in range(indices.shape[0]):
        i = indices[position]
        chances = streams[i]
        for b in range(rows[position], rows[position] + block):
            decay = 0.0 if memory.fresh[i] else channel.correlation
            memory.fresh[i] = False
            for source in range(world.spectral_efficiency.shape[2]):
                mean_snr = memory.mean_snr[i, source]
                there = world.spectral_efficiency[i, b, source]
                fill_links(
                    chances, channel, decay, source, mean_snr, memory.forward[i], noise, there
                )
                if world.return_efficiency.shape[4] > 0:
                    back = world.return_efficiency[i, b, source]
                    fill_links(
                        chances, channel, decay, source, mean_snr, memory.backward[i], noise, back
                    )
            fill_availability(chances, channel, memory.working[i], world.available[i, b])


@lean
def fill_availability(chances: Streams, channel: Channel, working: Flags, available: Flags) -> None:
    """Write who is available, then advance every node's two-state chain."""
    for j in range(working.shape[0]):
        available[j] = working[j]
        if channel.failure_rate > 0.0:
            switch = channel.failure_rate if working[j] else channel.repair_rate
            if next_uniform(chances, RADIO) < switch:
                working[j] = not working[j]


@lean
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
