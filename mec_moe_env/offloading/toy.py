"""The `toy` scenario: two servers, two subcarriers, two types, everything fixed by hand."""

from __future__ import annotations

import numpy as np

from mec_moe_env.configuration import reject
from mec_moe_env.generators import Generators
from mec_moe_env.offloading.state import Integers, World, keep_present
from mec_moe_env.scenarios import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.tasks.stream import Judge, identity_judge

TYPES = (0, 1, 0, 1)
ORIGINS = (0, 1, 1, 0)
TRUTHS = ((2.0, 0.0), (0.0, 1.0))
SIGNALS = ((1.0, 0.0), (0.0, 1.0))
PAYLOAD_MBIT = 1.0
LINK_EFFICIENCY = (5.0, 2.5)
"""bit/s/Hz of subcarriers 0 and 1 between the two servers: 0.2 s and 0.4 s per payload."""
COMPUTE = ((0.1, 0.05), (0.2, 0.15))
"""Joules and seconds per sample of servers 0 and 1."""
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

    block = 64

    def __init__(self, config: OffloadingConfig, num_envs: int) -> None:
        """Check that the config keeps the sizes that are fixed by hand.

        Raises:
            ValueError: a fixed size was changed.
        """
        for field in FIXED_FIELDS:
            expected = getattr(OFFLOADING_PRESETS["toy"], field)
            if getattr(config, field) != expected:
                raise reject(field, getattr(config, field), f"{expected} in the toy scenario")
        self._in_situ = config.max_spectral_efficiency
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
        truths, signals = np.array(TRUTHS), np.array(SIGNALS)
        world.payload[indices] = PAYLOAD_MBIT
        world.works_next[indices] = True
        world.cursor[indices] = 0
        for index in indices.tolist():
            for row in range(first_row, self.block):
                n, origin = TYPES[self._slot[index]], ORIGINS[self._slot[index]]
                self._slot[index] = (self._slot[index] + 1) % len(TYPES)
                world.types[index, row, 0] = n
                world.origin[index, row, 0] = origin
                world.features[index, row, 0, :, 0] = signals[n]
                world.labels[index, row, 0, 0] = signals[n] @ truths[n]
                world.linear[index, row, 0] = truths[n]
                world.constant[index, row, 0] = truths[n] @ truths[n]
                world.spectral_efficiency[index, row, 0] = LINK_EFFICIENCY
                world.spectral_efficiency[index, row, 0, origin] = self._in_situ
