"""What sending over a link costs: time, joules and whole slots, for compiled code."""

from __future__ import annotations

import math

from mec_moe_env.core.kernels import inline

BITS_PER_MBIT = 1e6


@inline
def transmission_seconds(bits: float, bandwidth_hz: float, spectral_efficiency: float) -> float:
    """Return the time b/r of sending `bits` over one subcarrier, r = B0·log2(1 + SNR)."""
    return bits / (bandwidth_hz * spectral_efficiency)


@inline
def slots_needed(seconds: float, slot_seconds: float, max_delay: int) -> int:
    """Return ceil(seconds / slot) clipped to [1, d_u]."""
    slots = math.ceil(min(seconds / slot_seconds, float(max_delay)))
    return max(int(slots), 1)
