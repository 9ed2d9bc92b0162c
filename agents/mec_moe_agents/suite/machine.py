"""On what a result was computed, as far as its last bits depend on it."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version

import numpy as np

from mec_moe_env.core.kernels import compiled_for

PACKAGES = ("numpy", "numba")


def processor() -> dict[str, str]:
    """Return the kind of processor: on equal ones the same code computes the same bits."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    target = compiled_for()
    return {
        "machine": platform.machine(),
        "name": target.name,
        "features": hashlib.sha256(f"{target.features} {found}".encode()).hexdigest()[:16],
    }


def versions() -> dict[str, str]:
    """Return the versions that a result's last bits may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
