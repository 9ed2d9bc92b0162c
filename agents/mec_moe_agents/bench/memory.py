"""Bytes that an environment takes."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

from mec_moe_agents.bench.case import Case

SAMPLE = 3


def bytes_per_env(case: Case) -> int:
    """Return what one more sub-environment takes: state, world, channel memory, generator.

    What all share, such as images, and what a step hands out are not counted.
    """
    case.vector(1).reset(seed=0)  # what is compiled or loaded once does not count
    return max(_allocated(case, SAMPLE) - _allocated(case, 1), 0) // (SAMPLE - 1)


def _allocated(case: Case, num_envs: int) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        env: Any = case.vector(num_envs)
        env.reset(seed=0)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
