"""Which bounds and plans the suite ships, and plans as it ships them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.bounds.certify import certified_bound
from mec_moe_agents.planning import plan
from mec_moe_agents.suite.actions import compact
from mec_moe_env import OffloadingConfig, OffloadingVectorEnv, foresight
from mec_moe_env.config import Config


def has_bounds(config: Config) -> bool:
    """Tell whether anything is proved of the returns in a scenario."""
    try:
        certified_bound(config, [])
    except ValueError:
        return False
    return True


def has_plans(config: Config) -> bool:
    """Tell whether the clairvoyant plans here; in DMoE no layer touches a later one."""
    return isinstance(config, OffloadingConfig)


def plan_actions(config: Config, seeds: Sequence[int]) -> NDArray[Any]:
    """Return the clairvoyant's flat actions, (n, T, A).

    Raises:
        ValueError: it plans none in this kind of scenario.
    """
    if not isinstance(config, OffloadingConfig):
        raise ValueError("a clairvoyant plan is of an episode of Offloading")
    nvec = OffloadingVectorEnv(1, config).single_action_space.nvec
    return np.stack(
        [
            compact(plan(config, foresight(config, seed)).actions.reshape(config.steps, -1), nvec)
            for seed in seeds
        ]
    )
