"""Bytes that an environment takes."""

from __future__ import annotations

import gc
import os
import tracemalloc
from pathlib import Path
from typing import Any

from mec_moe_agents.bench.case import Case

SAMPLE = 3


def bytes_per_env(case: Case) -> int:
    """Return what one more sub-environment takes: state, world, channel memory, generator.

    What all share, such as images, and what a step hands out are not counted.
    """
    case.vector(1).reset(seed=0)  # what is compiled or loaded once does not count
    return max(reserved_bytes(case, SAMPLE) - reserved_bytes(case, 1), 0) // (SAMPLE - 1)


def reserved_bytes(case: Case, num_envs: int) -> int:
    """Return what a vector environment asks for; pages that it never touches are counted too."""
    gc.collect()
    tracemalloc.start()
    try:
        env: Any = case.vector(num_envs)
        env.reset(seed=0)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def resident_bytes() -> int | None:
    """Return the memory that this process has touched, None where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
