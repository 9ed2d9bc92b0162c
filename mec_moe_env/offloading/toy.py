"""The `toy` scenario: two servers, two subcarriers, two types, everything fixed by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.configuration import reject
from mec_moe_env.generators import Generators
from mec_moe_env.offloading.state import Integers, World, keep_present
from mec_moe_env.scenarios import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.tasks.stream import Judge, identity_judge

TYPES = np.array([0, 1, 0, 1])
ORIGINS = np.array([0, 1, 1, 0])
TRUTHS = np.array([[2.0, 0.0], [0.0, 1.0]])
SIGNALS = np.array([[1.0, 0.0], [0.0, 1.0]])
PAYLOAD_MBIT = 1.0
LINK_EFFICIENCY = (5.0, 2.5)
"""bit/s/Hz of subcarriers 0 and 1 between the two servers: 0.2 s and 0.4 s per payload."""
COMPUTE = ((0.1, 0.05), (0.2, 0.15))
"""Joules and seconds per sample of servers 0 and 1."""
LONGEST_BLOCK = 64
FIXED_FIELDS = (
    "num_tasks",
    "num_servers",
    "num_subcarriers",
    "num_types",
    "feature_dim",
    "samples_per_task",
)


class ToyWorld:
    """Replays four slots for ever: no randomness at all.

    A task of type n shows its signal once, so one training from zero learns its truth exactly.
    Server 0 should learn type 0 and server 1 type 1; the third and the fourth task arrive at the
    wrong server, so that specialising costs a transmission.
    """

    def __init__(self, config: OffloadingConfig, num_envs: int) -> None:
        """Check that the config keeps the sizes that are fixed by hand.

        Raises:
            ValueError: a fixed size was changed.
        """
        for field in FIXED_FIELDS:
            expected = getattr(OFFLOADING_PRESETS["toy"], field)
            if getattr(config, field) != expected:
                raise reject(field, getattr(config, field), f"{expected} in the toy scenario")
        self.block = min(config.horizon + 1, LONGEST_BLOCK)
        self._efficiency = _efficiencies(config.max_spectral_efficiency)
        self._slot = np.zeros(num_envs, np.int64)

    @property
    def judge(self) -> Judge:
        """Squared distance to the type's ground truth."""
        return identity_judge(len(TRUTHS))

    @property
    def sum_bound(self) -> float:
        """Largest signal."""
        return 1.0

    def start(self, indices: Integers, generators: Generators, world: World) -> None:
        """Fix the servers; nothing is drawn."""
        world.compute[indices] = COMPUTE
        self._slot[indices] = 0
        self._fill(indices, world, 0)

    def refill(self, indices: Integers, generators: Generators, world: World) -> None:
        """Keep the present slot and go on with the repetition."""
        keep_present(world, indices)
        self._fill(indices, world, 1)

    def _fill(self, indices: Integers, world: World, first_row: int) -> None:
        rows = np.arange(first_row, self.block)
        slots = (self._slot[indices, None] + rows - first_row) % len(TYPES)
        self._slot[indices] = (slots[:, -1] + 1) % len(TYPES)
        types, at = TYPES[slots], np.ix_(indices, rows)
        truths, signals = TRUTHS[types], SIGNALS[types]
        world.types[at] = types[..., None]
        world.origin[at] = ORIGINS[slots][..., None]
        world.features[at] = signals[:, :, None, :, None]
        world.labels[at] = (signals * truths).sum(axis=-1)[..., None, None]
        world.linear[at] = truths[:, :, None]
        world.constant[at] = (truths * truths).sum(axis=-1)[..., None]
        world.spectral_efficiency[at] = self._efficiency[slots][:, :, None]
        world.payload[indices] = PAYLOAD_MBIT
        world.works_next[indices] = True
        world.cursor[indices] = 0


def _efficiencies(in_situ: float) -> NDArray[np.float32]:
    """Return the spectral efficiencies of each slot, (4, 2, 2)."""
    efficiencies = np.tile(np.array(LINK_EFFICIENCY, np.float32), (len(TYPES), 2, 1))
    efficiencies[np.arange(len(TYPES)), ORIGINS] = in_situ
    return efficiencies
