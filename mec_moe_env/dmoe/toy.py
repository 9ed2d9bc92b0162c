"""The `toy` scenario: two nodes, two subcarriers, two layers, everything fixed by hand."""

from __future__ import annotations

import numpy as np

from mec_moe_env.config import reject
from mec_moe_env.core.rng import Randomness
from mec_moe_env.core.simulator import RESET, Orders
from mec_moe_env.dmoe.config import DMOE_PRESETS, DMoEConfig
from mec_moe_env.dmoe.state import Exogenous, State

GATES = (((0.75, 0.25), (0.5, 0.5)), ((0.25, 0.75), (1.0, 0.0)))
"""Scores by layer, source and expert."""
LINK_EFFICIENCY = ((5.0, 2.5), (4.0, 2.0))
"""bit/s/Hz of subcarriers 0 and 1, from node 0 to node 1 and back."""
COMPUTE_JOULES = (0.02, 0.01)
FIXED_FIELDS = (
    "num_nodes",
    "num_sources",
    "tokens_per_source",
    "num_layers",
    "num_subcarriers",
    "csi_delay",
    "count_backward",
)


class FixedGates:
    """The same two layers in every episode: no randomness at all."""

    weights = None

    def __init__(self, config: DMoEConfig) -> None:
        """Check that the config keeps the sizes that are fixed by hand.

        Raises:
            ValueError: a fixed size was changed.
        """
        for field in FIXED_FIELDS:
            expected = getattr(DMOE_PRESETS["toy"], field)
            if getattr(config, field) != expected:
                raise reject(field, getattr(config, field), f"{expected} in the toy scenario")
        self._in_situ = config.max_spectral_efficiency

    def start(
        self, orders: Orders, randomness: Randomness, state: State, exogenous: Exogenous
    ) -> None:
        """Fix the gate scores, the nodes' energies and the channel of episodes that begin."""
        indices = np.flatnonzero(orders == RESET)
        exogenous.nodes["joules"][indices] = COMPUTE_JOULES
        exogenous.nodes["available"][indices] = True
        exogenous.gates[indices, :, :, 0] = GATES
        efficiency = exogenous.spectral_efficiency
        efficiency[indices] = self._in_situ
        efficiency[indices, :, 0, 1] = LINK_EFFICIENCY[0]
        efficiency[indices, :, 1, 0] = LINK_EFFICIENCY[1]
