"""What it takes to send hidden states over a link, and back if that counts, compiled."""

from __future__ import annotations

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, inline
from mec_moe_env.dmoe.state import Exogenous, Params
from mec_moe_env.radio.links import transmission_seconds


@inline
def states_seconds(params: Params, efficiency: float, states: int) -> float:
    """Return how long `states` hidden states take at bits per second and hertz."""
    return transmission_seconds(params.state_bits * states, params.bandwidth_hz, efficiency)


@inline
def sending_joules(params: Params, seconds: float) -> float:
    """Return the joules of sending for so long, given up at the deadline."""
    joules: float = params.power_w * min(seconds, params.deadline_seconds)
    return joules


@inline
def both_ways(there: float, back: float) -> float:
    """Return the efficiency at which b/r + b/r' seconds, there and back, are one way."""
    return there * (back / (there + back))


@inline
def link_efficiency(exogenous: Exogenous, i: int, source: int, node: int, s: int) -> float:
    """Return bits per second and hertz over subcarrier s, the way back counted if it is."""
    efficiency: float = np.float64(
        exogenous.spectral_efficiency[i, exogenous.now[i], source, node, s]
    )
    if exogenous.return_efficiency.shape[3] > 0:
        efficiency = both_ways(efficiency, exogenous.return_efficiency[i, source, node, s])
    return efficiency


@device
def write_efficiencies(
    exogenous: Exogenous, i: int, source: int, node: int, efficiencies: Floats
) -> None:
    """Write the same of every subcarrier, (S,): row by row, as processors like it."""
    there = exogenous.spectral_efficiency[i, exogenous.now[i], source, node]
    for s in range(efficiencies.shape[0]):
        efficiencies[s] = there[s]
    if exogenous.return_efficiency.shape[3] > 0:
        back = exogenous.return_efficiency[i, source, node]
        for s in range(efficiencies.shape[0]):
            efficiencies[s] = both_ways(efficiencies[s], back[s])
