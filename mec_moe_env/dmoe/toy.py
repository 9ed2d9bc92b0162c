"""The `toy` scenario: two nodes, two subcarriers, two layers, everything fixed by hand."""

from __future__ import annotations

import numpy as np

from mec_moe_env.config import reject
from mec_moe_env.dmoe.config import DMOE_PRESETS, DMoEConfig
from mec_moe_env.dmoe.exogenous import make_exogenous
from mec_moe_env.dmoe.state import World
from mec_moe_env.orders import START, Orders
from mec_moe_env.randomness import Randomness

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


class ToyWorld:
    """The same two layers in every episode: no randomness at all."""

    block = 4

    def __init__(self, config: DMoEConfig, num_envs: int) -> None:
        """Check that the config keeps the sizes that are fixed by hand.

        Raises:
            ValueError: a fixed size was changed.
        """
        for field in FIXED_FIELDS:
            expected = getattr(DMOE_PRESETS["toy"], field)
            if getattr(config, field) != expected:
                raise reject(field, getattr(config, field), f"{expected} in the toy scenario")
        self._in_situ = config.max_spectral_efficiency
        self.exogenous = make_exogenous(config, num_envs, self.block)._replace(fixed=True)

    def prepare(self, orders: Orders, randomness: Randomness, world: World) -> None:
        """Fix the gate scores, the nodes' energies and the channel of episodes that begin."""
        indices = np.flatnonzero(orders == START)
        if len(indices) == 0:
            return
        world.compute_energy[indices] = COMPUTE_JOULES
        world.gates[indices, :, :, 0] = GATES
        world.available[indices] = True
        world.spectral_efficiency[indices] = self._in_situ
        world.spectral_efficiency[indices, :, 0, 1] = LINK_EFFICIENCY[0]
        world.spectral_efficiency[indices, :, 1, 0] = LINK_EFFICIENCY[1]
