"""The `toy` scenario: two nodes, two subcarriers, two layers, everything fixed by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mec_moe_env.configuration import reject
from mec_moe_env.dmoe.gates import no_model
from mec_moe_env.dmoe.state import State, World
from mec_moe_env.scenarios import DMOE_PRESETS, DMoEConfig

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


@dataclass
class Episode:
    """Nothing needs to be remembered."""


class ToyWorld:
    """The same two layers in every episode: no randomness at all."""

    block = 4
    weights = no_model()

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

    def start_episode(self, rng: np.random.Generator, world: World, index: int) -> Episode:
        """Fix the gate scores and the nodes' energies."""
        world.compute_energy[index] = COMPUTE_JOULES
        world.gates[index, :, :, 0] = GATES
        return Episode()

    def fill(
        self, rng: np.random.Generator, episode: Episode, world: World, index: int, first_row: int
    ) -> None:
        """Write the same slot throughout."""
        world.available[index] = True
        world.spectral_efficiency[index] = self._in_situ
        world.spectral_efficiency[index, :, 0, 1] = LINK_EFFICIENCY[0]
        world.spectral_efficiency[index, :, 1, 0] = LINK_EFFICIENCY[1]


class ToyGates:
    """The scores are the world's."""

    weights = no_model()

    def start_episode(
        self, rng: np.random.Generator, state: State, world: World, index: int
    ) -> None:
        """Nothing is left to do."""
