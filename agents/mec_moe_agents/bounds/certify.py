"""Certified bounds by kind of environment."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mec_moe_agents.bounds.offloading import ROUNDS, certify_offloading
from mec_moe_env import OffloadingConfig
from mec_moe_env.core.buffers import Floats


def certified_bound(
    config: OffloadingConfig, seeds: Iterable[int], *, rounds: int = ROUNDS
) -> Floats:
    """Return for each seed a return that no policy exceeds, clairvoyant ones included.

    The same on every call; more rounds give a bound at least as tight.

    Args:
        config: what the episodes are of.
        seeds: of the episodes, as `reset(seed=...)` is given them.
        rounds: effort.

    Returns:
        (n,), undiscounted returns.

    Raises:
        ValueError: a seed is negative, or nothing is proved for an option of `config`: it is named.
    """
    return np.array([certify_offloading(config, seed, rounds) for seed in seeds])
