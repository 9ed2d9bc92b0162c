"""Golden trajectories on every instruction set that this processor has, value by value.

    python -m tests.targets            prints a line for each
    python -m tests.targets --record   notes them in docs/trust.md

numba compiles for the processor that it finds. NUMBA_CPU_NAME and NUMBA_CPU_FEATURES name another,
and each set gets a process and a cache of machine code of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.environments.catalogue import VECTOR
from tests.environments.test_golden import NUM_ENVS, VARIANTS, looks_at, play
from tests.record import record

TARGETS: Mapping[str, tuple[str, str]] = {
    "SSE2": ("x86-64", "sse2"),
    "AVX2": ("haswell", "avx2"),
    "AVX-512": ("skylake-avx512", "avx512f"),
}
"""A processor to compile for, and the flag by which Linux tells that this one can run it."""
CHOSEN = (
    "Offloading-v0-default",
    "Offloading-v0-joint",
    "Offloading-v0-digits",
    "Offloading networks",
    "DMoE-v0-paper",
    "DMoE-v0-digits-moe",
    "DMoE delayed",
)
TOLERANCE = 1e-6
"""Share of the largest number of an array by which a trajectory may differ between sets."""


def trajectory(variant: str) -> dict[str, list[float]]:
    """Return everything that a variant gives, by name, one number after the other."""
    id_, scenario, options = VARIANTS[variant]
    found: dict[str, list[float]] = {}
    for snapshot in play(VECTOR[id_](NUM_ENVS, scenario, **options), looks_at(scenario)):
        for name, array in snapshot.items():
            found.setdefault(name, []).extend(array.ravel().astype(float).tolist())
    return found


def computed_on(processor: str) -> dict[str, dict[str, list[float]]]:
    """Return the trajectories of a process that compiles for a processor."""
    with tempfile.TemporaryDirectory() as cache:
        variables = {**os.environ, "NUMBA_CACHE_DIR": cache, "NUMBA_CPU_NAME": processor}
        # Those of the processor named, not of the one that is there.
        variables["NUMBA_CPU_FEATURES"] = ""
        command = [sys.executable, "-m", "tests.targets", "--compute"]
        done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, check=True)
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    return found


def furthest(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the largest difference of two trajectories, as a share of its array's largest number.

    Raises:
        ValueError: they do not hold the same arrays.
    """
    if one.keys() != other.keys():
        raise ValueError(f"other arrays: {sorted(one.keys() ^ other.keys())}")
    shares = [0.0]
    for name in one:
        here, there = np.array(one[name]), np.array(other[name])
        finite = np.isfinite(here)
        if (here[~finite] != there[~finite]).any():
            return float(np.inf)
        scale = np.abs(here[finite]).max(initial=0.0)
        apart = np.abs(here[finite] - there[finite]).max(initial=0.0)
        shares.append(apart / scale if scale > 0.0 else apart)
    return float(max(shares))


def available() -> dict[str, str]:
    """Return processors to compile for by the instruction sets that this one has."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        flags = set(next(line for line in lines if line.startswith("flags")).split())
    return {name: processor for name, (processor, flag) in TARGETS.items() if flag in flags}


def main() -> int:
    """Compare all instruction sets with the first; return 1 if one is too far off."""
    parser = argparse.ArgumentParser(prog="python -m tests.targets", description=__doc__)
    parser.add_argument("--record", action="store_true", help="note the result in docs/trust.md")
    parser.add_argument("--compute", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.compute:
        json.dump({variant: trajectory(variant) for variant in CHOSEN}, sys.stdout)
        return 0
    found = {name: computed_on(processor) for name, processor in available().items()}
    first, *others = found
    worst = {
        other: max(furthest(found[first][each], found[other][each]) for each in CHOSEN)
        for other in others
    }
    missing = ", ".join(name for name in TARGETS if name not in found)
    result = "; ".join(
        f"{other} and {first} " + (f"differ by {far:.2g} at most" if far else "agree bit for bit")
        for other, far in worst.items()
    )
    result += f" ({len(CHOSEN)} trajectories)." + (
        f" Not on this machine: {missing}." * bool(missing)
    )
    print(result)
    if options.record:
        record("targets", "python -m tests.targets", result)
    return int(any(far > TOLERANCE for far in worst.values()))


if __name__ == "__main__":
    sys.exit(main())
