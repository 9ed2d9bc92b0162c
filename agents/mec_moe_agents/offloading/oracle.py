"""The clairvoyant yardstick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.environment_access import call_batched
from mec_moe_agents.offloading.costs import pick_costs
from mec_moe_agents.offloading.gate import StatelessGate
from mec_moe_agents.offloading.slot import Slot
from mec_moe_env.scenarios import OffloadingConfig


class OracleGate(StatelessGate):
    """Greedy on the true consequences, which no contender can see (our extension).

    Reads from the environment what the summed error E_t would become if each server took the
    task and trained on it now, and adds energy and delay as the reward weighs them; a task is
    rejected when that is cheaper. The environment must stand at the slot that is being decided.

    Args:
        config: the environment's configuration.
        env: the environment whose observations `relevance` will be asked about.
    """

    def __init__(self, config: OffloadingConfig, env: Any) -> None:
        self._config = config
        self._env = env

    def relevance(self, state: int, slot: Slot) -> NDArray[np.float64]:
        """Return the reward gained over a rejection, (n, U, M); −inf where there is none."""
        config = self._config
        increment = call_batched(self._env, "error_increments", single_ndim=2)
        rejection = call_batched(self._env, "rejection_errors", single_ndim=1)
        costs = pick_costs(slot, config)
        gain = config.error_weight * (rejection[..., np.newaxis] - increment)
        gain -= config.energy_weight * costs.joules + config.delay_weight * costs.delay_slots
        return np.where(gain > 0, gain, -np.inf)
