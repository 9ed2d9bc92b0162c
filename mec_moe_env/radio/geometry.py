"""Where the nodes are, and how strong their links are on average."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import SITES, Streams, next_uniform, pair_normal
from mec_moe_env.radio.config import RadioConfig

SPEED_OF_LIGHT = 299_792_458.0
REFERENCE_METRES = 1.0


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


@device
def draw_positions(streams: Streams, area_m: float, positions: Floats) -> None:
    """Place nodes uniformly in a square of side `area_m`: two uniforms each, (M, 2), metres."""
    for i in range(positions.shape[0]):
        positions[i, 0] = area_m * next_uniform(streams, SITES)
        positions[i, 1] = area_m * next_uniform(streams, SITES)


@device
def write_mean_snr(
    key: np.uint64,
    reference: float,
    exponent: float,
    shadowing_db: float,
    positions: Floats,
    origin: int,
    mean_snr: Floats,
) -> None:
    """Write the mean SNR of the links of one node, (M,), linear; infinite in-situ.

    Log-distance path loss with log-normal shadowing in dB, the same in both directions of a pair
    (our extension in detail). Distances below one metre count as one metre. `key` is that of the
    episode's shadowing; nothing is drawn here, so nodes can come in any order. `reference` is the
    SNR at one metre, `positions` (M, 2) in metres.
    """
    spread = 0.1 * math.log(10.0) * shadowing_db
    for j in range(mean_snr.shape[0]):
        dx = positions[origin, 0] - positions[j, 0]
        dy = positions[origin, 1] - positions[j, 1]
        loss = 0.5 * exponent * math.log(max(dx * dx + dy * dy, 1.0))
        mean_snr[j] = reference * math.exp(spread * pair_normal(key, origin, j) - loss)
    mean_snr[origin] = np.inf
