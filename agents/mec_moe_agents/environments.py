"""The environments of this project, and how to read one from outside.

The one place that knows which environments there are: whatever differs between them elsewhere is
kept in a mapping by `Environment.name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mec_moe_env
from mec_moe_env.config import Config
from mec_moe_env.scenarios import DMOE_SCENARIOS, OFFLOADING_SCENARIOS, ScenarioTable


@dataclass(frozen=True)
class Environment:
    """What the commands and the evaluation need to know of an environment."""

    name: str
    """As the command line has it."""
    id: str
    """As Gymnasium has it."""
    config: type[Config]
    presets: Mapping[str, Any]
    """That are shipped."""
    scenarios: ScenarioTable[Any]
    """All that have a name, those that users registered too."""
    scalar: type[mec_moe_env.OffloadingEnv] | type[mec_moe_env.DMoEEnv]
    vector: type[mec_moe_env.OffloadingVectorEnv] | type[mec_moe_env.DMoEVectorEnv]


OFFLOADING = Environment(
    name=OFFLOADING_SCENARIOS.name,
    id=OFFLOADING_SCENARIOS.id,
    config=mec_moe_env.OffloadingConfig,
    presets=mec_moe_env.OFFLOADING_PRESETS,
    scenarios=OFFLOADING_SCENARIOS,
    scalar=mec_moe_env.OffloadingEnv,
    vector=mec_moe_env.OffloadingVectorEnv,
)
DMOE = Environment(
    name=DMOE_SCENARIOS.name,
    id=DMOE_SCENARIOS.id,
    config=mec_moe_env.DMoEConfig,
    presets=mec_moe_env.DMOE_PRESETS,
    scenarios=DMOE_SCENARIOS,
    scalar=mec_moe_env.DMoEEnv,
    vector=mec_moe_env.DMoEVectorEnv,
)
ENVIRONMENTS: tuple[Environment, ...] = (OFFLOADING, DMOE)


def environment_of(config: Config) -> Environment:
    """Return the environment that a configuration is for.

    Raises:
        TypeError: there is none.
    """
    for environment in ENVIRONMENTS:
        if isinstance(config, environment.config):
            return environment
    raise TypeError(f"no environment for a {type(config).__name__}")


def config_of(env: Any) -> Config:
    """Return the configuration of an environment of this project, wrapped or not, or SB3's.

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

    The array has `single_ndim` axes for one sub-environment; the method takes no arguments.
    """
    base = getattr(env, "unwrapped", env)
    if hasattr(base, method):
        values = np.asarray(getattr(base, method)(), dtype=np.float64)
    else:
        call = env.env_method if hasattr(env, "env_method") else env.call
        values = np.stack([np.asarray(value, dtype=np.float64) for value in call(method)])
    return values[np.newaxis] if values.ndim == single_ndim else values
