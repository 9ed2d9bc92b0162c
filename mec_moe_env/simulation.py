"""What the scalar and the vector environments ask of a batch of sub-environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_moe_env.rows import Flags, RowFactory, Rows

Actions = NDArray[np.int64]


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

    def start(self, indices: NDArray[np.int64], generators: Sequence[np.random.Generator]) -> None:
        """Begin episodes of sub-environments, driven by these generators from now on."""

    def advance(self, actions: Actions, active: Flags) -> Rows:
        """Advance the active sub-environments by one step; the others report zeros."""

    def look(self, rows: Rows, which: Flags) -> None:
        """Write the observations and masks of now of some sub-environments."""

    def masks(self) -> Flags:
        """Return the flat action masks, (n, sum(nvec))."""

    def close(self) -> None:
        """End the threads."""


class Slices:
    """Runs a function over the sub-environments, in one slice per thread, this one among them."""

    def __init__(self, num_envs: int, num_threads: int) -> None:
        for name, value in (("num_envs", num_envs), ("num_threads", num_threads)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} = {value!r} is not allowed: it must be an integer ≥ 1")
        threads = min(num_threads, num_envs)
        self._bounds = np.linspace(0, num_envs, threads + 1).astype(int).tolist()
        self._executor: ThreadPoolExecutor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the threads out of a pickle: they come back when needed."""
        return {**self.__dict__, "_executor": None}

    def close(self) -> None:
        """End the threads; a later run starts them again."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def run(self, work: Callable[[int, int], None]) -> None:
        """Call work(first, last) on every slice and wait; an error in a thread is raised here."""
        starts, ends = self._bounds[:-1], self._bounds[1:]
        if len(starts) == 1:
            work(starts[0], ends[0])
            return
        if self._executor is None:
            self._executor = ThreadPoolExecutor(len(starts) - 1)
        others = [
            self._executor.submit(work, start, end)
            for start, end in zip(starts[1:], ends[1:], strict=True)
        ]
        try:
            work(starts[0], ends[0])
        finally:
            wait(others)
        for other in others:
            other.result()


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
    # One memory layout, so that compiled code is compiled once.
    whole = np.ascontiguousarray(array, np.int64)
    # As unsigned numbers, negative ones are the largest.
    if (whole.view(np.uint64) >= nvec.view(np.uint64)).any():
        wrong = (array < 0) | (array >= nvec)
        where = tuple(int(axis[0]) for axis in np.nonzero(wrong))
        raise ValueError(
            f"action{list(where)} = {array[where]} lies outside the space: "
            f"allowed 0..{nvec[where[-1]] - 1}"
        )
    return whole


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
    for key, value in infos.items():
        result[key] = _with_masks(value, present) if isinstance(value, dict) else value
        result[f"_{key}"] = present.copy()
    return result
