"""One number for the only pick of a slot: which numbers there are, and which are possible."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Actions, Flags
from mec_moe_env.core.kernels import lean_kernel
from mec_moe_env.offloading.config import OffloadingConfig

CANONICAL_SUBCARRIER = 0
"""Stands for "none needed" where a task is served in-situ."""


class FlatChoices:
    """The M·S + 1 choices of a slot with one task and one expert: m·S + s, or none, the last."""

    def __init__(self, config: Any) -> None:
        """Number the choices of a scenario.

        Raises:
            TypeError: `config` is not of an offloading environment.
            ValueError: a slot has more than one pick.
        """
        if not isinstance(config, OffloadingConfig):
            raise TypeError(
                f"FlatAction needs an environment of mec_moe/Offloading-v0, got {config!r}"
            )
        for field in ("num_tasks", "max_experts"):
            value = getattr(config, field)
            if value != 1:
                raise ValueError(f"FlatAction needs {field} = 1, got {value}: a slot has one pick")
        M, S = config.num_servers, config.num_subcarriers
        self.count = M * S + 1
        self._servers = M
        self._picks = np.empty((self.count, 2), np.int64)
        self._picks[:, 0], self._picks[:, 1] = np.divmod(np.arange(self.count), S)

    def picks(self, choices: Any, shape: tuple[int, ...]) -> Actions:
        """Return the server and subcarrier of each choice, (*shape, 2).

        Raises:
            ValueError: the choices are not integers, have another shape, or lie outside the space.
        """
        array = np.asarray(choices)
        if array.dtype.kind not in "iu" or array.shape != shape:
            raise ValueError(
                f"action must be an integer array of shape {shape}, "
                f"got dtype {array.dtype} and shape {array.shape}"
            )
        if array.size and (array.min() < 0 or array.max() >= self.count):
            raise ValueError(
                f"action {choices} lies outside the space: allowed 0..{self.count - 1}"
            )
        picks: Actions = self._picks[array]
        return picks

    def masks(self, pick_masks: Flags, origins: NDArray[np.float32]) -> Flags:
        """Return which choices are possible, (n, M·S + 1).

        Args:
            pick_masks: of servers, none and subcarriers, (n, M + 1 + S).
            origins: one-hot of the server where the task arrived, (n, M).
        """
        out = np.empty((len(pick_masks), self.count), np.bool_)
        write_choice_masks(self._servers, pick_masks, origins, out)
        return out


@lean_kernel
def write_choice_masks(M: int, pick_masks: Flags, origins: NDArray[np.float32], out: Flags) -> None:
    """Write the masks of n sub-environments: every distinct outcome is possible exactly once.

    Served in-situ a task needs no subcarrier: the canonical one stands for all, free or not.
    """
    S = pick_masks.shape[1] - M - 1
    for i in range(out.shape[0]):
        for m in range(M):
            in_situ = origins[i, m] > 0.0
            for s in range(S):
                fits = s == CANONICAL_SUBCARRIER if in_situ else pick_masks[i, M + 1 + s]
                out[i, m * S + s] = pick_masks[i, m] and fits
        out[i, M * S] = True
