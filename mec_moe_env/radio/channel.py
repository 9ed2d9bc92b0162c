"""OFDMA fading from slot to slot, what it lets through, and which nodes fail."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import j0

from mec_moe_env.core.buffers import Floats, Singles
from mec_moe_env.core.kernels import device, inline
from mec_moe_env.core.rng import (
    RADIO,
    Streams,
    next_uniform,
    write_exponentials,
    write_log2,
    write_normals,
)
from mec_moe_env.radio.config import RadioConfig
from mec_moe_env.radio.geometry import reference_snr

ONE = np.float32(1.0)
LARGEST_SNR = 1e30
"""Beyond any code, and with any fading a float32."""


class Channel(NamedTuple):
    """Constants of the channel and of the nodes' reliability."""

    area_m: float
    reference_snr: float
    path_loss_exponent: float
    shadowing_db: float
    correlation: float
    """ρ, of a coefficient from slot to slot."""
    line_of_sight: float
    """Rician factor, linear power ratio."""
    lowest_efficiency: float
    highest_efficiency: float
    failure_rate: float
    repair_rate: float

    @property
    def memoryless(self) -> bool:
        """Whether nothing of a coefficient lasts until the next slot."""
        return self.correlation == 0.0 and self.line_of_sight == 0.0


def make_channel(config: RadioConfig, failure_rate: float, repair_rate: float) -> Channel:
    """Collect the constants of a scenario."""
    return Channel(
        area_m=float(config.area_m),
        reference_snr=reference_snr(config),
        path_loss_exponent=float(config.path_loss_exponent),
        shadowing_db=float(config.shadowing_db),
        correlation=fading_correlation(config),
        line_of_sight=float(config.rician_factor),
        lowest_efficiency=float(config.min_spectral_efficiency),
        highest_efficiency=float(config.max_spectral_efficiency),
        failure_rate=float(failure_rate),
        repair_rate=float(repair_rate),
    )


def fading_correlation(config: RadioConfig) -> float:
    """Return ρ = J0(2π·f_D·slot), the correlation of a coefficient from slot to slot.

    Clarke's spectrum; the Gauss–Markov process with this ρ is our extension. f_D = 0 freezes
    the channel (ρ = 1), f_D = ∞ makes it memoryless (ρ = 0).
    """
    phase = 2.0 * math.pi * config.doppler_hz * config.slot_seconds
    return 0.0 if math.isinf(phase) else float(j0(phase))


@device
def advance_fading(
    streams: Streams,
    decay: float,
    line_of_sight: float,
    scattered_parts: Singles,
    noise: Singles,
    power: Singles,
) -> None:
    """Advance the coefficients h of one node's links and write their power |h|², (M, S), mean 1.

    h ← decay·h + sqrt(1 − decay²)·CN(0, 1), two normals per coefficient. With decay = ρ^Δ the step
    over Δ slots is exact, so that links which nobody looks at cost nothing (our extension); 0 draws
    afresh. `line_of_sight` is the Rician factor; `scattered_parts` of h, real and imaginary,
    (2, M, S), are updated; `noise` is scratch, (2·M·S,).
    """
    powers = power.reshape(power.size)
    count = powers.shape[0]
    write_normals(streams, RADIO, powers, noise)
    kept = np.float32(decay)
    innovation = np.float32(math.sqrt(0.5 * (1.0 - decay * decay)))
    direct = np.float32(math.sqrt(line_of_sight / (1.0 + line_of_sight)))
    scattered = np.float32(math.sqrt(1.0 / (1.0 + line_of_sight)))
    parts = scattered_parts.reshape(scattered_parts.size)
    for index in range(count):
        real = kept * parts[index] + innovation * noise[index]
        imag = kept * parts[count + index] + innovation * noise[count + index]
        parts[index] = real
        parts[count + index] = imag
        in_phase = direct + scattered * real
        quadrature = scattered * imag
        powers[index] = in_phase * in_phase + quadrature * quadrature


@inline
def draw_rayleigh_power(streams: Streams, scratch: Singles, power: Singles) -> None:
    """Write independent |h|² of Rayleigh fading, shape (M, S): one exponential each.

    `scratch` has room for as many numbers.
    """
    powers = power.reshape(power.size)
    write_exponentials(streams, RADIO, scratch[: powers.shape[0]], powers)


@device
def write_spectral_efficiency(
    origin: int,
    mean_snr: Floats,
    lowest: float,
    highest: float,
    scratch: Singles,
    power: Singles,
) -> None:
    """Turn |h|² of the links of `origin` into log2(1 + SNR) in bit/s/Hz, in place.

    Clipped to [lowest, highest], what modulation and coding can carry; the in-situ entries hold
    `highest`. `mean_snr` has shape (M,), `power` (M, S), `scratch` at least (2·M·S,).
    """
    M, S = power.shape
    flat = power.reshape(power.size)
    values, means = scratch[: power.size], scratch[power.size : 2 * power.size]
    for m in range(M):
        snr = np.float32(0.0 if m == origin else min(mean_snr[m], LARGEST_SNR))
        for s in range(S):
            means[m * S + s] = snr
    for index in range(flat.shape[0]):
        values[index] = ONE + means[index] * flat[index]
    write_log2(values, values.view(np.int32), flat)
    least, most = np.float32(lowest), np.float32(highest)
    for index in range(flat.shape[0]):
        flat[index] = min(max(flat[index], least), most)
    for s in range(S):
        power[origin, s] = most


@device
def draw_links(
    streams: Streams,
    channel: Channel,
    decay: float,
    origin: int,
    mean_snr: Floats,
    fading: Singles,
    noise: Singles,
    efficiency: Singles,
) -> None:
    """Draw one slot of the links of a node and write their spectral efficiency, (M, S), bit/s/Hz.

    `decay` is ρ^Δ, Δ slots after these links were last drawn, or 0 to draw afresh; `mean_snr` (M,),
    linear; `fading` the scattered coefficients, (2, M, S), updated, or (2, M, 0) when memoryless;
    `noise` scratch, (2·M·S,).
    """
    if fading.shape[2] == 0:
        draw_rayleigh_power(streams, noise, efficiency)
    else:
        advance_fading(streams, decay, channel.line_of_sight, fading, noise, efficiency)
    write_spectral_efficiency(
        origin,
        mean_snr,
        channel.lowest_efficiency,
        channel.highest_efficiency,
        noise,
        efficiency,
    )


@inline
def works_next(streams: Streams, channel: Channel, works: bool) -> bool:
    """Return whether a node works in the next slot; nothing is drawn while none ever fails."""
    if channel.failure_rate > 0.0:
        switch = channel.failure_rate if works else channel.repair_rate
        if next_uniform(streams, RADIO) < switch:
            works = not works
    return works
