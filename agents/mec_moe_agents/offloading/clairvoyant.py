"""The agent that knows the whole episode beforehand, plans it, and plays the plan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mec_moe_agents.agent import BatchAgent, Observation
from mec_moe_agents.planning import plan
from mec_moe_agents.planning.planner import EFFORT
from mec_moe_env import OffloadingConfig, OffloadingForesight, Slot, foresight
from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Flags, Integers
from mec_moe_env.core.scalar import SimulatorEnv
from mec_moe_env.core.vector import SimulatorVectorEnv


class ClairvoyantAgent(BatchAgent):
    """Plans with full foresight, which no contender has (our extension).

    Args:
        config: the environment's configuration.
        env: the environment that it acts in, scalar or vector, wrapped or not.
        effort: changes that planning tries for each task of an episode.
        plans: (n, T, …), ready-made actions of the first episode of each row, which are played
            instead of planning it.

    Raises:
        ValueError: `plans` has another shape, or experts are not linear and it is None.
    """

    def __init__(
        self,
        config: OffloadingConfig,
        env: Any,
        *,
        effort: int = EFFORT,
        plans: ArrayLike | None = None,
    ) -> None:
        if plans is None and config.experts != "linear":
            raise reject("experts", config.experts, "'linear' for a clairvoyant without plans")
        self._config = config
        self._env = env
        self._effort = effort
        self._plans = None if plans is None else self._check(np.asarray(plans, np.int64))

    def _check(self, plans: Integers) -> Integers:
        size = int(np.prod(self._config.action_shape))
        if plans.ndim < 3 or plans.shape[1] != self._config.horizon or plans[0, 0].size != size:
            wanted = f"(n, {self._config.horizon}, {size})"
            raise ValueError(f"plans has shape {plans.shape}, must be {wanted}")
        return plans.reshape(len(plans), self._config.horizon, size)

    def start(self, batch: int) -> Integers:
        """Return the actions of the episodes that `batch` rows are at the start of, (n, T, A)."""
        if self._plans is None:
            return np.stack([self._plan(row) for row in range(batch)])
        if len(self._plans) != batch:
            raise ValueError(f"there are {len(self._plans)} plans, but the batch has {batch} rows")
        return self._plans.copy()

    def restart(self, memory: Integers, rows: Flags) -> None:
        """Plan the new episodes of `rows`, (n,)."""
        for row in np.flatnonzero(rows):
            memory[row] = self._plan(int(row))

    def act(self, observation: Observation, memory: Integers, deterministic: bool) -> Integers:
        """Return what was planned for the slot that `progress` tells, (n, A)."""
        progress = Slot.read(observation, self._config).progress.reshape(-1)
        slots = np.rint(progress.astype(np.float64) * self._config.horizon).astype(np.int64)
        last = self._config.horizon - 1
        return memory[np.arange(len(memory)), np.minimum(slots, last)]

    def _plan(self, row: int) -> Integers:
        future = foresee(self._env, row)
        if len(future.types) != self._config.horizon:
            raise ValueError("clairvoyant plans whole episodes, but one is under way: reset first")
        actions = plan(self._config, future, effort=self._effort).actions
        return actions.reshape(self._config.horizon, -1)


def foresee(env: Any, row: int) -> OffloadingForesight:
    """Return the rest of the episode of one row of an environment.

    Scalar or vector, wrapped or not, of Gymnasium or of Stable-Baselines3.
    """
    if isinstance(getattr(env, "unwrapped", None), SimulatorEnv | SimulatorVectorEnv):
        bases = [env.unwrapped]
    else:
        bases = list(env.get_attr("unwrapped"))
    native = isinstance(bases[0], SimulatorVectorEnv)
    future: OffloadingForesight = foresight(bases[0], row=row) if native else foresight(bases[row])
    return future
