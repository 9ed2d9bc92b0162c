"""Our native vector environment in the place of Gymnasium's `SyncVectorEnv`, for its tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.vector import SyncVectorEnv as Theirs

import mec_moe_env  # noqa: F401, registers the environments


def SyncVectorEnv(  # noqa: N802
    env_fns: Sequence[Callable[[], gym.Env[Any, Any]]], **options: Any
) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Build as many sub-environments of the first one's kind, natively where it is ours."""
    first = env_fns[0]()
    spec = first.spec
    if spec is None or spec.vector_entry_point is None or "mec_moe/" not in spec.id:
        return Theirs(env_fns, **options)
    kwargs = {key: value for key, value in spec.kwargs.items() if value is not None}
    return gym.make_vec(
        spec.id, len(env_fns), vectorization_mode="vector_entry_point", **kwargs, **options
    )
