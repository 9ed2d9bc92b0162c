"""The `toy` scenario: two servers, two subcarriers, two types, everything fixed by hand."""

from __future__ import annotations

import numpy as np

from mec_moe_env.config import reject
from mec_moe_env.offloading.config import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.offloading.exogenous import make_exogenous
from mec_moe_env.offloading.state import World
from mec_moe_env.orders import START, Orders
from mec_moe_env.randomness import Randomness
from mec_moe_env.tasks.stream import Judge, identity_judge
from mec_moe_env.tasks.tables import no_tables

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
        drawn = make_exogenous(config, no_tables(), num_envs, self.block)
        self.exogenous = drawn._replace(fixed=True)

    @property
    def judge(self) -> Judge:
        """Squared distance to the type's ground truth."""
        return identity_judge(len(TRUTHS))

    @property
    def sum_bound(self) -> float:
        """Largest signal."""
        return 1.0

    def prepare(self, orders: Orders, randomness: Randomness, world: World) -> None:
        """Fix the servers and all slots of episodes that begin; nothing is drawn."""
        indices = np.flatnonzero(orders == START)
        if len(indices) == 0:
            return
        truths, signals = np.array(TRUTHS), np.array(SIGNALS)
        world.compute[indices] = COMPUTE
        world.payload[indices] = PAYLOAD_MBIT
        world.works_next[indices] = True
        world.spectral_efficiency[indices] = LINK_EFFICIENCY
        for row, (n, origin) in enumerate(zip(TYPES * 2, ORIGINS * 2, strict=True)):
            world.types[indices, row] = n
            world.origin[indices, row] = origin
            world.features[indices, row] = signals[n]
            world.labels[indices, row] = signals[n] @ truths[n]
            world.linear[indices, row] = truths[n]
            world.constant[indices, row] = truths[n] @ truths[n]
            world.spectral_efficiency[indices, row, 0, origin] = self._in_situ
