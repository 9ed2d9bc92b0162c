"""`ImportanceAction` for Stable-Baselines3; importing this module needs it (the extra `rl`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RescaleAction

from mec_moe_agents.importance.action_vector import ImportanceActionVector
from mec_moe_env import DMoEVectorEnv
from mec_moe_env.sb3 import SB3VecEnv


def make_importance_vec_env(
    scenario: str = "digits-moe", n_envs: int = 1, seed: int | None = None, **overrides: Any
) -> SB3VecEnv:
    """Build `n_envs` wrapped sub-environments on one compiled step for Stable-Baselines3.

    The action is rescaled to [−1, 1], where its Gaussian policies begin: −1 is importance 0.

    Args:
        scenario: a preset of `mec_moe/DMoE-v0`.
        n_envs: number of sub-environments.
        seed: sub-environment i begins its first episode with seed + i; None is random.
        overrides: `num_threads`, and config fields to override.

    Raises:
        ValueError: an argument is unknown or out of range.
    """
    # An array: Gymnasium warns of a plain number's precision.
    one = np.ones(1, np.float32)
    env = DMoEVectorEnv(n_envs, scenario, autoreset_mode=AutoresetMode.SAME_STEP, **overrides)
    vec_env = SB3VecEnv(RescaleAction(ImportanceActionVector(env), -one, one))
    if seed is not None:
        vec_env.seed(seed)
    return vec_env
