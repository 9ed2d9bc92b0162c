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


def has_bounds(config: Config) -> bool:
    """Tell whether there is a certified bound to ask for; it may yet prove nothing."""
    return hasattr(mec_moe_agents, "certified_bound")


def has_plans(config: Config) -> bool:
    """Tell whether the clairvoyant plans here; in DMoE no layer touches a later one."""
    planning = find_spec("mec_moe_agents.planning")
    return isinstance(config, OffloadingConfig) and planning is not None


def certify(config: Config, seeds: Sequence[int]) -> Floats | None:
    """Return certified bounds on the return, (n,); None where nothing is proved."""
    if not has_bounds(config):
        return None
    certified_bound = getattr(mec_moe_agents, "certified_bound")  # noqa: B009
    try:
        return np.asarray(certified_bound(config, list(seeds)), dtype=np.float64)
    except ValueError:
        return None


def plan_actions(config: Config, seeds: Sequence[int]) -> NDArray[Any] | None:
    """Return the clairvoyant's flat actions, (n, T, A); None where it has no plan."""
    if not has_plans(config) or not isinstance(config, OffloadingConfig):
        return None
    planning = import_module("mec_moe_agents.planning")
    nvec = OffloadingVectorEnv(1, config).single_action_space.nvec
    plans = []
    for seed in seeds:
        actions = np.asarray(planning.plan(config, foresight(config, seed))[0])
        plans.append(compact(actions.reshape(config.steps, -1), nvec))
    return np.stack(plans)
