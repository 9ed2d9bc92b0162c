"""Reading an environment from outside: scalar or vector, wrapped or not, Gymnasium's or SB3's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.configuration import Config


def config_of(env: Any) -> Config:
    """Return the configuration of an environment of this project.

    Raises:
        TypeError: the environment has none.
    """
    config = getattr(getattr(env, "unwrapped", env), "config", None)
    if config is None and hasattr(env, "get_attr"):
        config = env.get_attr("config")[0]
    if not isinstance(config, Config):
        raise TypeError(f"expected an environment of mec_moe_env, got {env!r}")
    return config


def call_batched(env: Any, method: str, single_ndim: int) -> NDArray[np.float64]:
    """Call a method of the environment and give its array a leading batch axis.

    Args:
        env: environment whose `method` takes no arguments.
        method: name of the method.
        single_ndim: number of axes of the array of one sub-environment.

    Returns:
        Array with `single_ndim` + 1 axes.
    """
    base = getattr(env, "unwrapped", env)
    if hasattr(base, method):
        values = np.asarray(getattr(base, method)(), dtype=np.float64)
    else:
        call = env.env_method if hasattr(env, "env_method") else env.call
        values = np.stack([np.asarray(value, dtype=np.float64) for value in call(method)])
    return values[np.newaxis] if values.ndim == single_ndim else values
