"""The `toy` scenario: two servers, two subcarriers, two types, everything fixed by hand."""

from __future__ import annotations

import numpy as np

from mec_moe_env.config import keep_fixed
from mec_moe_env.core.rng import Randomness
from mec_moe_env.core.simulator import RESET, STEP, Orders
from mec_moe_env.offloading.arrivals import Given, Process
from mec_moe_env.offloading.config import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.offloading.state import empty_exogenous
from mec_moe_env.tasks.stream import Evaluator, identity_evaluator

TYPES = (0, 1, 0, 1)
ORIGINS = (0, 1, 1, 0)
TRUTHS = ((2.0, 0.0), (0.0, 1.0))
SIGNALS = ((1.0, 0.0), (0.0, 1.0))
PAYLOAD_MBIT = 1.0
LINK_EFFICIENCY = (5.0, 2.5)
"""bit/s/Hz of subcarriers 0 and 1 between the two servers: 0.2 s and 0.4 s per payload."""
COMPUTE = ((0.1, 0.05), (0.2, 0.15))
"""Joules and seconds per sample of servers 0 and 1."""
FREE_FIELDS = (
    "bandwidth_hz",
    "power_w",
    "slot_seconds",
    "min_spectral_efficiency",
    "max_spectral_efficiency",
    "max_experts",
    "horizon",
    "proximal",
    "max_delay",
    "result_mbit",
    "error_weight",
    "energy_weight",
    "delay_weight",
)
"""What can be overridden; all else is fixed by hand, or of the radio and of tasks that are not."""


class ToySlots:
    """Gives four slots over and over: no randomness at all.

    A task of type n shows its signal once, so one training from zero learns its truth exactly.
    Server 0 should learn type 0 and server 1 type 1; the third and the fourth task arrive at the
    wrong server, so that specialising costs a transmission.
    """

    sum_bound = 1.0
    """Largest signal."""

    def __init__(self, config: OffloadingConfig, num_envs: int) -> None:
        """Check that the config keeps what is fixed by hand.

        Raises:
            ValueError: a field was changed that would do nothing.
        """
        keep_fixed(config, OFFLOADING_PRESETS["toy"], FREE_FIELDS)
        least, most = config.min_spectral_efficiency, config.max_spectral_efficiency
        self._links = np.clip(LINK_EFFICIENCY, least, most)
        self._in_situ = most
        self._next = np.zeros(num_envs, np.int64)
        slot = empty_exogenous(config, num_envs)
        slot.nodes["joules"], slot.nodes["seconds"] = np.transpose(COMPUTE)
        slot.nodes["works_next"] = True
        slot.tasks["payload"] = PAYLOAD_MBIT
        self.given = Given(slot, whole=True)

    @property
    def evaluator(self) -> Evaluator:
        """Squared distance to the type's ground truth."""
        return identity_evaluator(len(TRUTHS))

    def prepare(self, orders: Orders, randomness: Randomness, process: Process) -> None:
        """Lay out the next slot of whoever moves on; nothing is drawn."""
        self._next[orders == RESET] = 0
        self._next[orders == STEP] += 1
        slot, truths, signals = self.given.slot, np.array(TRUTHS), np.array(SIGNALS)
        for index in np.flatnonzero(orders >= STEP).tolist():
            now = self._next[index] % len(TYPES)
            n, origin = TYPES[now], ORIGINS[now]
            slot.tasks["type"][index], slot.tasks["origin"][index] = n, origin
            slot.tasks["constant"][index] = truths[n] @ truths[n]
            slot.features[index], slot.linear[index] = signals[n], truths[n]
            slot.labels[index] = signals[n] @ truths[n]
            slot.spectral_efficiency[index] = self._links
            slot.spectral_efficiency[index, 0, origin] = self._in_situ
