"""The radio network: positions, path loss, OFDMA fading, rates, transmission time and energy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0

from mec_moe_env.compilation import compiled
from mec_moe_env.scenarios import RadioConfig

Floats = NDArray[np.float64]
SPEED_OF_LIGHT = 299_792_458.0
REFERENCE_METRES = 1.0
TWO_OVER_LN2 = 2.0 / math.log(2.0)


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


@compiled
def draw_mean_snr(
    rng: np.random.Generator,
    area_m: float,
    reference: float,
    exponent: float,
    shadowing_db: float,
    positions: Floats,
    mean_snr: Floats,
) -> None:
    """Place nodes uniformly in the square and write the mean SNR of the first nodes' links.

    Log-distance path loss with log-normal shadowing, the same in both directions of a pair
    (our extension in detail). Distances below one metre count as one metre.

    Args:
        rng: random generator; two uniforms per node and one normal per pair are drawn.
        area_m: side of the square, metres.
        reference: SNR at one metre, linear.
        exponent: path-loss exponent.
        shadowing_db: standard deviation of the shadowing, dB.
        positions: written, shape (M, 2), metres.
        mean_snr: written, from the first I nodes to all M, shape (I, M), linear; infinite in-situ.
    """
    I, M = mean_snr.shape
    for i in range(M):
        positions[i, 0] = area_m * rng.random()
        positions[i, 1] = area_m * rng.random()
    for i in range(I):
        mean_snr[i, i] = np.inf
        for j in range(i + 1, M):
            dx = positions[i, 0] - positions[j, 0]
            dy = positions[i, 1] - positions[j, 1]
            distance = max(math.sqrt(dx * dx + dy * dy), 1.0)
            shadowing = 10.0 ** (0.1 * shadowing_db * rng.standard_normal())
            snr = reference * shadowing * distance ** (-exponent)
            mean_snr[i, j] = snr
            if j < I:
                mean_snr[j, i] = snr


@compiled
def advance_fading(
    rng: np.random.Generator,
    decay: float,
    line_of_sight: float,
    row: NDArray[np.float32],
    power: NDArray[np.float32],
) -> None:
    """Advance the coefficients h of one node's links and write their power |h|².

    h ← decay·h + sqrt(1 − decay²)·CN(0, 1). With decay = ρ^Δ the step over Δ slots is exact, so
    that rows which nobody looks at cost nothing (our extension).

    Args:
        rng: random generator; two normals per coefficient.
        decay: ρ^Δ; 0 draws afresh.
        line_of_sight: Rician factor, linear power ratio.
        row: scattered parts of h, shape (M, S, 2), updated.
        power: |h|², shape (M, S), mean 1, written.
    """
    innovation = math.sqrt(0.5 * (1.0 - decay * decay))
    direct = math.sqrt(line_of_sight / (1.0 + line_of_sight))
    scattered = math.sqrt(1.0 / (1.0 + line_of_sight))
    for m in range(row.shape[0]):
        for s in range(row.shape[1]):
            real = decay * row[m, s, 0] + innovation * rng.standard_normal()
            imag = decay * row[m, s, 1] + innovation * rng.standard_normal()
            row[m, s, 0] = real
            row[m, s, 1] = imag
            in_phase = direct + scattered * real
            power[m, s] = in_phase * in_phase + scattered * scattered * imag * imag


@compiled
def draw_rayleigh_power(rng: np.random.Generator, power: NDArray[np.float32]) -> None:
    """Write independent |h|² of Rayleigh fading, shape (M, S): one exponential each."""
    for m in range(power.shape[0]):
        for s in range(power.shape[1]):
            power[m, s] = rng.standard_exponential()


@compiled
def log2_in_place(values: NDArray[np.float32], bits: NDArray[np.int32]) -> None:
    """Replace normal positive numbers by their logarithm to base 2, to float32 accuracy.

    Exponent and mantissa come from the bits; for a mantissa in [√½, √2) the series of
    2·atanh((m − 1)/(m + 1)) ends after five terms. Ten times faster than libm, as it vectorises.

    Args:
        values: shape (count,), contiguous, overwritten.
        bits: the same memory viewed as int32.
    """
    for index in range(values.shape[0]):
        # Subtracting the bits of √½ splits the range so that the mantissa straddles 1.
        shifted = bits[index] - 0x3F3504F3
        exponent = shifted >> 23
        bits[index] -= exponent << 23
        mantissa = np.float64(values[index])
        x = (mantissa - 1.0) / (mantissa + 1.0)
        y = x * x
        series = x * (1.0 + y * (1 / 3 + y * (1 / 5 + y * (1 / 7 + y * (1 / 9)))))
        values[index] = exponent + TWO_OVER_LN2 * series


@compiled
def write_spectral_efficiency(
    origin: int, mean_snr: Floats, lowest: float, highest: float, power: NDArray[np.float32]
) -> None:
    """Turn |h|² of the links of `origin` into log2(1 + SNR) in bit/s/Hz, in place.

    Clipped to [lowest, highest], what modulation and coding can carry; the in-situ entries hold
    `highest`. `mean_snr` has shape (M,), `power` (M, S).
    """
    for m in range(power.shape[0]):
        snr = 0.0 if m == origin else mean_snr[m]
        for s in range(power.shape[1]):
            power[m, s] = 1.0 + snr * power[m, s]
    flat = power.reshape(power.size)
    log2_in_place(flat, flat.view(np.int32))
    for index in range(flat.shape[0]):
        flat[index] = min(max(flat[index], lowest), highest)
    power[origin] = highest


@compiled
def transmission_seconds(bits: float, bandwidth_hz: float, spectral_efficiency: float) -> float:
    """Return the time b/r of sending `bits` over one subcarrier, r = B0·log2(1 + SNR)."""
    return bits / (bandwidth_hz * spectral_efficiency)
