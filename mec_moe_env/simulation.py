"""What the scalar and the vector environments ask of a batch of sub-environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_moe_env.compilation import lean
from mec_moe_env.orders import Orders
from mec_moe_env.rows import Flags, RowFactory, Rows

Actions = NDArray[np.int64]
Description = TypeVar("Description")


class Simulator(Protocol):
    """A batch of sub-environments on one compiled step."""

    num_envs: int
    observation_space: spaces.Dict
    """Of one sub-environment."""
    nvec: NDArray[np.int64]
    """Sizes of the MultiDiscrete action space of one sub-environment."""

    episode_steps: int
    """Steps of an episode, the same in all sub-environments."""
    rows: RowFactory
    """Names what the steps write."""

    @property
    def finished(self) -> Flags:
        """Whether the episode of each sub-environment is over, (n,)."""

    def adopt(self, indices: NDArray[np.int64], generators: Sequence[np.random.Generator]) -> None:
        """Let these generators drive the sub-environments from their next episode on."""

    def run(
        self,
        orders: Orders,
        describe: Callable[[Rows], Description],
        actions: Actions | None = None,
        rows: Rows | None = None,
    ) -> Description:
        """Start, advance or observe each sub-environment as ordered; measures are of steps only.

        `describe` names the rows while they are being written.
        """

    def masks(self) -> Flags:
        """Return the flat action masks, (n, sum(nvec))."""

    def close(self) -> None:
        """End the threads."""


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


@lean
def are_inside(actions: Actions, nvec: NDArray[np.int64]) -> bool:
    """Return whether all choices of all actions, (n, len(nvec)), are among 0..nvec − 1."""
    inside = True
    for i in range(actions.shape[0]):
        for choice in range(nvec.shape[0]):
            inside &= (actions[i, choice] >= 0) & (actions[i, choice] < nvec[choice])
    return inside


def blanked(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    """Return infos with zeros in the rows that are not present."""
    if present.all():
        return dict(infos)
    result: dict[str, Any] = {}
    for key, value in infos.items():
        if isinstance(value, dict):
            result[key] = blanked(value, present)
        else:
            rows = present.reshape((-1,) + (1,) * (value.ndim - 1))
            result[key] = np.where(rows, value, np.zeros((), value.dtype))
    return result


def presented(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    """Return infos as Gymnasium's vector environments do: absent rows zero, and `_key` masks."""
    return _with_masks(blanked(infos, present), present)


def _with_masks(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    result: dict[str, Any] = {}
    copies = np.repeat(present[np.newaxis], len(infos), axis=0)
    for (key, value), copy in zip(infos.items(), copies, strict=True):
        result[key] = _with_masks(value, present) if isinstance(value, dict) else value
        result[f"_{key}"] = copy
    return result
