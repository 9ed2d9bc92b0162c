"""The actions of many sub-environments, checked before anything is done with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import lean_kernel

Actions = NDArray[np.int64]


def check_actions(actions: Any, shape: tuple[int, ...], nvec: NDArray[np.int64]) -> Actions:
    """Return the actions as int64.

    Raises:
        ValueError: they are not integers, have another shape, or lie outside the space.
    """
    array = np.asarray(actions)
    if array.dtype.kind not in "iu" or array.shape != shape:
        raise ValueError(
            f"action must be an integer array of shape {shape}, "
            f"got dtype {array.dtype} and shape {array.shape}"
        )
    # A copy, always of the same type and memory layout: compiled code relies on them unasked.
    whole = np.array(array, np.int64, order="C")
    if not are_inside(whole.reshape(-1, len(nvec)), nvec):
        wrong = (array < 0) | (array >= nvec)
        where = tuple(int(axis[0]) for axis in np.nonzero(wrong))
        raise ValueError(
            f"action{list(where)} = {array[where]} lies outside the space: "
            f"allowed 0..{nvec[where[-1]] - 1}"
        )
    return whole


@lean_kernel
def are_inside(actions: Actions, nvec: NDArray[np.int64]) -> bool:
    """Return whether all choices of all actions, (n, len(nvec)), are among 0..nvec − 1."""
    inside = True
    for i in range(actions.shape[0]):
        for choice in range(nvec.shape[0]):
            inside &= (actions[i, choice] >= 0) & (actions[i, choice] < nvec[choice])
    return inside
