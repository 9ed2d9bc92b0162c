"""The clairvoyant yardstick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.environments import call_batched
from mec_moe_agents.offloading.costs import pick_costs
from mec_moe_agents.offloading.gate import StatelessGate
from mec_moe_env import OffloadingConfig, Slot

# A rejection counts for ever, but later trainings heal much of the damage of one: on seeds kept
# apart from every evaluation, 3 did best or nearly so on digits, default, scarce and joint.
PATIENCE = 3.0


class OracleGate(StatelessGate):
    """Greedy on the true consequences, which no contender can see (our extension).

    Reads from the environment by how much the summed error E_t would grow if each server took
    the task and trained on it now, adds energy and delay as the reward weighs them, and takes the
    cheapest. It rejects a task when even a third of that growth, plus energy and delay, costs
    more than the error of a rejection. It does not plan: where servers are scarce a contender
    that keeps some in reserve can beat it. Choosing the idle server with the least true error,
    the other clairvoyant that we tried, does far worse, for it does not see what it destroys.

    The environment must stand at the slot that is being decided.

    Args:
        config: the environment's configuration.
        env: the environment whose observations `relevance` will be asked about.
    """

    def __init__(self, config: OffloadingConfig, env: Any) -> None:
        self._config = config
        self._env = env

    def relevance(self, state: int, slot: Slot) -> NDArray[np.float64]:
        """Return minus the true cost, (n, U, M), −inf where a rejection is cheaper."""
        config = self._config
        growth = call_batched(self._env, "error_increments", single_ndim=2)
        idle = np.isfinite(growth)
        increment = np.where(idle, growth, 0.0)  # 0 · inf would be NaN
        rejection = call_batched(self._env, "rejection_errors", single_ndim=1)[..., np.newaxis]
        costs = pick_costs(slot, config)
        price = config.energy_weight * costs.joules + config.delay_weight * costs.delay_slots
        pays = config.error_weight * (rejection - increment / PATIENCE) > price
        return np.where(idle & pays, -config.error_weight * increment - price, -np.inf)
