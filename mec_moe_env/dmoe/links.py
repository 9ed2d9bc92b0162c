"""What it takes to send hidden states over a link, and back if that counts, compiled."""

from __future__ import annotations

import numpy as np

from mec_moe_env.core.kernels import inline
from mec_moe_env.dmoe.state import Exogenous, Params
from mec_moe_env.radio.links import transmission_seconds


@inline
def link_efficiency(exogenous: Exogenous, i: int, source: int, node: int, s: int) -> float:
    """Return bits per second and hertz over subcarrier s of a link, the way back counted if it is.

    There and back, b/r + b/r' seconds are b/(r·r'/(r + r')).
    """
    efficiency = np.float64(exogenous.spectral_efficiency[i, exogenous.now[i], source, node, s])
    if exogenous.return_efficiency.shape[3] > 0:
        back = np.float64(exogenous.return_efficiency[i, source, node, s])
        efficiency *= back / (efficiency + back)
    return efficiency


@inline
def states_seconds(params: Params, efficiency: float, states: int) -> float:
    """Return how long `states` hidden states take at an efficiency."""
    return transmission_seconds(params.state_bits * states, params.bandwidth_hz, efficiency)
