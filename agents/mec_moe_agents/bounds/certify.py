"""Certified bounds by kind of environment."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mec_moe_agents.bounds.layers import certify_layers
from mec_moe_agents.bounds.offloading import ROUNDS, certify_offloading
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats


def certified_bound(config: Config, seeds: Iterable[int], *, rounds: int = ROUNDS) -> Floats:
    """Return for each seed a return that no policy exceeds, clairvoyant ones included.

    The same on every call; more rounds tend to give a tighter one.

    Args:
        config: what the episodes are of.
        seeds: of the episodes, as `reset(seed=...)` is given them.
        rounds: effort in Offloading; in DMoE there is nothing to iterate.

    Returns:
        (n,), undiscounted returns.

    Example:
        >>> from mec_moe_agents import certified_bound
        >>> from mec_moe_env import OFFLOADING_PRESETS
        >>> certified_bound(OFFLOADING_PRESETS["toy"], [0]).round(3)  # the optimum is -3.8
        array([-3.8])

    Raises:
        TypeError: `config` is of no environment of this project.
        ValueError: a seed is negative, or nothing is proved for an option of `config`: it is named.
    """
    if isinstance(config, DMoEConfig):
        return certify_layers(config, list(seeds))
    if not isinstance(config, OffloadingConfig):
        raise TypeError(f"no bound for a {type(config).__name__}")
    return np.array([certify_offloading(config, seed, rounds) for seed in seeds])
