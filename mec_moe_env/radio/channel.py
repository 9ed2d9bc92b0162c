"""The radio network: positions, path loss, OFDMA fading, rates, transmission time and energy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0

from mec_moe_env.core.kernels import inlined, lean
from mec_moe_env.logarithm import write_log2
from mec_moe_env.radio.config import RadioConfig
from mec_moe_env.randomness import PLACES, RADIO
from mec_moe_env.shadowing import pair_normal
from mec_moe_env.streams import Streams, next_uniform, write_exponentials, write_normals

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
SPEED_OF_LIGHT = 299_792_458.0
REFERENCE_METRES = 1.0

ONE = np.float32(1.0)


def noise_power_w(config: RadioConfig) -> float:
    """Return the noise power N0·B0 in one subcarrier, in watts."""
    dbm = (
        config.noise_density_dbm_hz
        + config.noise_figure_db
        + 10.0 * math.log10(config.bandwidth_hz)
    )
    return float(10.0 ** ((dbm - 30.0) / 10.0))


def reference_snr(config: RadioConfig) -> float:
    """Return the mean SNR (linear) at one metre: free-space loss, no shadowing."""
    free_space = (SPEED_OF_LIGHT / (4.0 * math.pi * REFERENCE_METRES * config.carrier_hz)) ** 2
    return config.power_w * free_space / noise_power_w(config)


def fading_correlation(config: RadioConfig) -> float:
    """Return ρ = J0(2π·f_D·slot), the correlation of a coefficient from slot to slot.

    Clarke's spectrum; the Gauss–Markov process with this ρ is our extension. f_D = 0 freezes
    the channel (ρ = 1), f_D = ∞ makes it memoryless (ρ = 0).
    """
    if math.isinf(config.doppler_hz):
        return 0.0
    return float(j0(2.0 * math.pi * config.doppler_hz * config.slot_seconds))


@lean
def draw_positions(chances: Streams, area_m: float, positions: Floats) -> None:
    """Place nodes uniformly in a square of side `area_m`: two uniforms each, (M, 2), metres."""
    for i in range(positions.shape[0]):
        positions[i, 0] = area_m * next_uniform(chances, PLACES)
        positions[i, 1] = area_m * next_uniform(chances, PLACES)


@lean
def write_mean_snr(
    key: np.uint64,
    reference: float,
    exponent: float,
    shadowing_db: float,
    positions: Floats,
    origin: int,
    mean_snr: Floats,
) -> None:
    """Write the mean SNR of the links of one node.

    Log-distance path loss with log-normal shadowing, the same in both directions of a pair
    (our extension in detail). Distances below one metre count as one metre.

    Args:
        key: of the episode's shadowing; nothing is drawn here, so rows can be written in any order.
        reference: SNR at one metre, linear.
        exponent: path-loss exponent.
        shadowing_db: standard deviation of the shadowing, dB.
        positions: shape (M, 2), metres.
        origin: the node.
        mean_snr: written, shape (M,), linear; infinite in-situ.
    """
    spread = 0.1 * math.log(10.0) * shadowing_db
    for j in range(mean_snr.shape[0]):
        dx = positions[origin, 0] - positions[j, 0]
        dy = positions[origin, 1] - positions[j, 1]
        loss = 0.5 * exponent * math.log(max(dx * dx + dy * dy, 1.0))
        mean_snr[j] = reference * math.exp(spread * pair_normal(key, origin, j) - loss)
    mean_snr[origin] = np.inf


@inlined
def advance_fading(
    chances: Streams,
    decay: float,
    line_of_sight: float,
    row: Singles,
    noise: Singles,
    power: Singles,
) -> None:
    """Advance the coefficients h of one node's links and write their power |h|².

    h ← decay·h + sqrt(1 − decay²)·CN(0, 1). With decay = ρ^Δ the step over Δ slots is exact, so
    that rows which nobody looks at cost nothing (our extension).

    Args:
        chances: streams of the sub-environment; two normals per coefficient.
        decay: ρ^Δ; 0 draws afresh.
        line_of_sight: Rician factor, linear power ratio.
        row: scattered parts of h, real and imaginary, shape (2, M, S), updated.
        noise: scratch, shape (2·M·S,).
        power: |h|², shape (M, S), mean 1, written.
    """
    powers = power.reshape(power.size)
    count = powers.shape[0]
    write_normals(chances, RADIO, powers, noise)
    kept = np.float32(decay)
    innovation = np.float32(math.sqrt(0.5 * (1.0 - decay * decay)))
    direct = np.float32(math.sqrt(line_of_sight / (1.0 + line_of_sight)))
    scattered = np.float32(math.sqrt(1.0 / (1.0 + line_of_sight)))
    parts = row.reshape(row.size)
    for index in range(count):
        real = kept * parts[index] + innovation * noise[index]
        imag = kept * parts[count + index] + innovation * noise[count + index]
        parts[index] = real
        parts[count + index] = imag
        in_phase = direct + scattered * real
        quadrature = scattered * imag
        powers[index] = in_phase * in_phase + quadrature * quadrature


@inlined
def draw_rayleigh_power(chances: Streams, scratch: Singles, power: Singles) -> None:
    """Write independent |h|² of Rayleigh fading, shape (M, S): one exponential each.

    `scratch` has room for as many numbers.
    """
    powers = power.reshape(power.size)
    write_exponentials(chances, RADIO, scratch[: powers.shape[0]], powers)


@inlined
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
        snr = np.float32(0.0 if m == origin else mean_snr[m])
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
