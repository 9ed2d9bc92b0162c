"""Bounds and plans as the suite ships them, from whatever of the theory is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mec_moe_agents
from mec_moe_agents.suite.actions import compact
from mec_moe_env import OffloadingConfig, OffloadingVectorEnv, foresight
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats


def certify(config: Config, seeds: Sequence[int]) -> Floats | None:
    """Return certified bounds on the return, (n,); None where nothing is proved."""
    certified_bound = getattr(mec_moe_agents, "certified_bound", None)
    if certified_bound is None:
        return None
    try:
        return np.asarray(certified_bound(config, list(seeds)), dtype=np.float64)
    except ValueError:
        return None


def plan_actions(config: Config, seeds: Sequence[int]) -> NDArray[Any] | None:
    """Return the clairvoyant's flat actions, (n, T, A); None where it has no plan."""
    if not isinstance(config, OffloadingConfig) or find_spec("mec_moe_agents.planning") is None:
        return None
    planning = import_module("mec_moe_agents.planning")
    nvec = OffloadingVectorEnv(1, config).single_action_space.nvec
    plans = []
    for seed in seeds:
        actions = np.asarray(planning.plan(config, foresight(config, seed))[0])
        plans.append(compact(actions.reshape(config.steps, -1), nvec))
    return np.stack(plans)
