"""Gymnasium's vector environment beside ours, in each version that is allowed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.vector import SyncVectorEnv

from mec_moe_env.core.autoreset import AutoresetMode

RESETS_SOME = "autoreset_mode" in inspect.signature(SyncVectorEnv.__init__).parameters
"""Whether Gymnasium's resets some sub-environments alone, and in other modes: not in 1.0."""


def sync_vector(makes: Sequence[Callable[[], gym.Env[Any, Any]]], mode: AutoresetMode) -> Any:
    """Return a SyncVectorEnv; skip the test where Gymnasium's has no such mode, in 1.0."""
    if RESETS_SOME:
        return SyncVectorEnv(makes, autoreset_mode=mode)
    if mode is not AutoresetMode.NEXT_STEP:
        pytest.skip("Gymnasium 1.0 resets in the next step alone")
    return SyncVectorEnv(makes)
