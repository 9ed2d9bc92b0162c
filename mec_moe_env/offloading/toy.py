"""The `toy` scenario: two servers, two subcarriers, two types, everything fixed by hand."""

from __future__ import annotations

import numpy as np

from mec_moe_env.configuration import reject
from mec_moe_env.offloading.state import World
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

    block = len(TYPES)

    def __init__(self, config: OffloadingConfig) -> None:
        """Check that the config keeps the sizes that are fixed by hand.

        Raises:
            ValueError: a fixed size was changed.
        """
        for field in FIXED_FIELDS:
            expected = getattr(OFFLOADING_PRESETS["toy"], field)
            if getattr(config, field) != expected:
                raise reject(field, getattr(config, field), f"{expected} in the toy scenario")
        self._in_situ = config.max_spectral_efficiency

    @property
    def judge(self) -> Judge:
        """Squared distance to the type's ground truth."""
        return identity_judge(len(TRUTHS))

    @property
    def sum_bound(self) -> float:
        """Largest signal."""
        return 1.0

    def start_episode(self, rng: np.random.Generator, world: World, index: int) -> None:
        """Fix the servers; nothing is drawn."""
        world.compute[index] = COMPUTE

    def fill(self, rng: np.random.Generator, episode: None, world: World, index: int) -> None:
        """Write the four slots."""
        truths, signals = np.array(TRUTHS), np.array(SIGNALS)
        world.types[index, :, 0] = TYPES
        world.origin[index, :, 0] = ORIGINS
        world.payload[index] = PAYLOAD_MBIT
        world.works_next[index] = True
        for slot, (task_type, origin) in enumerate(zip(TYPES, ORIGINS, strict=True)):
            world.features[index, slot, 0, :, 0] = signals[task_type]
            world.labels[index, slot, 0, 0] = signals[task_type] @ truths[task_type]
            world.linear[index, slot, 0] = truths[task_type]
            world.constant[index, slot, 0] = truths[task_type] @ truths[task_type]
            world.spectral_efficiency[index, slot, 0] = LINK_EFFICIENCY
            world.spectral_efficiency[index, slot, 0, origin] = self._in_situ
