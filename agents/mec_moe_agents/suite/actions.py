"""Actions of many episodes as the smallest unsigned integers that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_env.core.buffers import Actions, Integers

KINDS = (np.uint8, np.uint16, np.uint32)


def compact(actions: ArrayLike, nvec: Integers) -> NDArray[Any]:
    """Return actions, (…, A), in the smallest type that holds all choices, nvec (A,).

    Raises:
        ValueError: an action lies outside the space; its place is named.
    """
    given = np.asarray(actions)
    fault = find_fault(given, nvec)
    if fault is not None:
        raise ValueError(fault)
    kind = next(kind for kind in KINDS if int(nvec.max()) - 1 <= np.iinfo(kind).max)
    return given.astype(kind)


def find_fault(actions: NDArray[Any], nvec: Integers) -> str | None:
    """Say which action, of (…, A), lies outside the space; None if all lie within."""
    if not np.issubdtype(actions.dtype, np.integer):
        return f"actions must be integers, got {actions.dtype}"
    if actions.ndim == 0 or actions.shape[-1] != len(nvec):
        return f"actions must have {len(nvec)} entries each, got the shape {actions.shape}"
    outside = np.argwhere((actions < 0) | (actions >= nvec))
    if not len(outside):
        return None
    place = tuple(outside[0].tolist())
    return (
        f"action entry {place[-1]} = {int(actions[place])} is not allowed: it must be an integer "
        f"in [0, {int(nvec[place[-1]]) - 1}]"
    )


def widened(actions: NDArray[Any]) -> Actions:
    """Return actions as the environments take them."""
    return actions.astype(np.int64)
