"""The channel and the availability of nodes, whatever the scheduler does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mec_moe_env.compilation import lean
from mec_moe_env.dmoe.state import Flags, Singles, World, slot_rows
from mec_moe_env.network import (
    advance_fading,
    draw_mean_snr,
    draw_rayleigh_power,
    fading_correlation,
    reference_snr,
    write_spectral_efficiency,
)
from mec_moe_env.scenarios import DMoEConfig
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


@dataclass
class Episode:
    """One sub-environment's exogenous memory."""

    mean_snr: Floats
    """From every source to every node, (I, K), linear."""
    forward: Singles
    """Scattered coefficients of the links, (I, K, S, 2); (0, …) when memoryless."""
    backward: Singles
    """Likewise of the links back; S = 0 when they are not counted."""
    noise: Singles
    """Scratch, (2·K·S,)."""
    working: Flags
    """(K,)."""
    begun: bool = False


class RadioWorld:
    """Random geometry, fading and failures of a scenario (`model.md` §1, §3)."""

    def __init__(self, config: DMoEConfig) -> None:
        self.block = block_length(config)
        self._config = config
        self._channel = Channel(
            correlation=fading_correlation(config),
            line_of_sight=float(config.rician_factor),
            lowest_efficiency=float(config.min_spectral_efficiency),
            highest_efficiency=float(config.max_spectral_efficiency),
            failure_rate=float(config.failure_rate),
            repair_rate=float(config.repair_rate),
        )

    def start_episode(self, rng: np.random.Generator, world: World, index: int) -> Episode:
        """Place the nodes, draw their energies and which of them are available."""
        config = self._config
        I, K, S = config.sources, config.num_nodes, config.num_subcarriers
        mean_snr = np.empty((I, K))
        draw_mean_snr(
            rng,
            float(config.area_m),
            reference_snr(config),
            float(config.path_loss_exponent),
            float(config.shadowing_db),
            np.empty((K, 2)),
            mean_snr,
        )
        world.compute_energy[index] = rng.uniform(*config.compute_joules, K)
        memoryless = self._channel.correlation == 0.0 and self._channel.line_of_sight == 0.0
        rows = 0 if memoryless else I
        # The chain of failures and repairs starts in its stationary state.
        failed = config.failure_rate / (config.failure_rate + config.repair_rate)
        return Episode(
            mean_snr=mean_snr,
            forward=np.zeros((rows, K, S, 2), np.float32),
            backward=np.zeros((rows, K, S if config.count_backward else 0, 2), np.float32),
            noise=np.empty(2 * K * S, np.float32),
            working=rng.random(K) >= failed,
        )

    def fill(
        self, rng: np.random.Generator, episode: Episode, world: World, index: int, first_row: int
    ) -> None:
        """Draw the channel and the availability of the next slots."""
        rows = slot_rows(world, index, first_row)
        fill_radio(
            rng,
            self._channel,
            episode.mean_snr,
            episode.forward,
            episode.backward,
            episode.noise,
            episode.working,
            not episode.begun,
            *rows.values(),
        )
        episode.begun = True


def block_length(config: DMoEConfig) -> int:
    """Return how many slots to draw at once: at most an episode, as many as suit the cache."""
    links = config.sources * config.num_nodes * config.num_subcarriers
    fitting = BLOCK_BYTES // (4 * links * (2 if config.count_backward else 1))
    shortest, longest = config.csi_delay + 2, config.csi_delay + config.num_layers + 1
    return min(max(fitting, shortest), longest)


@lean
def fill_radio(
    rng: np.random.Generator,
    channel: Channel,
    mean_snr: Floats,
    forward: Singles,
    backward: Singles,
    noise: Singles,
    working: Flags,
    fresh: bool,
    efficiency: Singles,
    return_efficiency: Singles,
    available: Flags,
) -> None:
    """Draw consecutive slots.

    Args:
        rng: random generator of the sub-environment.
        channel: constants.
        mean_snr: (I, K), linear.
        forward: scattered coefficients, (I, K, S, 2), updated.
        backward: likewise back, updated.
        noise: scratch, (2·K·S,).
        working: (K,), updated.
        fresh: whether the coefficients are to be drawn anew in the first slot.
        efficiency: bit/s/Hz, (B, I, K, S), written.
        return_efficiency: bit/s/Hz back, (B, I, K, S), written.
        available: (B, K), written.
    """
    for b in range(efficiency.shape[0]):
        decay = 0.0 if fresh and b == 0 else channel.correlation
        for i in range(efficiency.shape[1]):
            fill_links(rng, channel, decay, i, mean_snr[i], forward, noise, efficiency[b, i])
            if return_efficiency.shape[3] > 0:
                back = return_efficiency[b, i]
                fill_links(rng, channel, decay, i, mean_snr[i], backward, noise, back)
        for j in range(working.shape[0]):
            available[b, j] = working[j]
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
