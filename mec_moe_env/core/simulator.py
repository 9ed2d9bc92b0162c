"""What both environments' simulators share: generators, threads, one compiled call for all."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.config import Config, Whole, reject
from mec_moe_env.core.buffers import Actions, Flags, Integers, box_space, offsets_of
from mec_moe_env.core.kernels import Entry, lean_kernel
from mec_moe_env.core.pool import Pool
from mec_moe_env.core.rng import Randomness
from mec_moe_env.core.step_buffers import Buffers, BufferTable
from mec_moe_env.shown import shown

if TYPE_CHECKING:
    from mec_moe_env.rendering.watch import Watcher

IGNORE, LOOK, STEP, RESET = range(4)
"""Leave a sub-environment alone; observe it; carry out its action and observe; begin an episode
and observe. From STEP on it meets a new slot."""

Orders = NDArray[np.int8]
"""One for each sub-environment, (n,)."""


class Simulator(ABC):
    """A batch of sub-environments on one compiled call."""

    _advance: Entry
    """The kernel. After what an environment has of its own (`_own`) it takes the streams, the
    entries' offsets, orders, actions, buffers, a thread's workspace, and a range."""
    _own: tuple[Any, ...]
    _workspaces: Sequence[Any]
    """One for each thread."""

    def __init__(self, config: Config, num_envs: int, num_threads: int) -> None:
        self._pool = Pool(num_envs, num_threads)
        self.num_envs = int(num_envs)
        self.episode_steps = config.steps
        self._randomness = Randomness(num_envs)
        self._watchers: dict[int, Watcher] = {}

    def _lay_out(
        self,
        config: Config,
        nvec: Integers,
        *,
        has_accuracy: bool,
        **bounds: tuple[float, float],
    ) -> None:
        """Make spaces and buffers.

        Args:
            config: the scenario.
            nvec: sizes of the MultiDiscrete action space of one sub-environment.
            has_accuracy: whether there is a real model, or data, to be right about.
            bounds: of observation entries, where the table leaves them open.
        """
        shapes = config.observation_shapes
        self.nvec = nvec
        self.observation_space = box_space(shapes, {**config.observation_bounds, **bounds})
        self.table = BufferTable(
            config.outcomes, shapes, int(nvec.sum()), self.num_envs, has_accuracy
        )
        self._offsets = offsets_of(shapes)

    @property
    @abstractmethod
    def finished(self) -> Flags:
        """Whether the episode of each sub-environment is over, (n,)."""

    @abstractmethod
    def _make_watcher(self, row: int) -> Watcher:
        """Return what follows a sub-environment from now on."""

    @abstractmethod
    def _prepare(self, orders: Orders) -> None:
        """Let Python code do its part before the compiled call."""

    @abstractmethod
    def _write_masks(self, out: Flags) -> None:
        """Write the flat action masks, (n, sum(nvec))."""

    def masks(self) -> Flags:
        """Return the flat action masks, (n, sum(nvec))."""
        out = self.table.empty_masks()
        self._write_masks(out)
        return out

    def watch(self, row: int) -> Watcher:
        """Return what follows a sub-environment for pictures; from the first call on there is one.

        Raises:
            ValueError: there is no such sub-environment.
        """
        if not Whole(0, self.num_envs - 1).admits(row):
            raise reject("row", row, f"0..{self.num_envs - 1}")
        if row not in self._watchers:
            self._watchers[row] = self._make_watcher(int(row))
        return self._watchers[row]

    def close(self) -> None:
        """End the threads."""
        self._pool.close()

    def adopt(self, indices: Integers, generators: Sequence[np.random.Generator]) -> None:
        """Let these generators drive the sub-environments from their next episode on."""
        self._randomness.begin(indices, generators)

    def run(
        self, orders: Orders, actions: Actions | None = None, buffers: Buffers | None = None
    ) -> Buffers:
        """Reset, advance or observe each sub-environment as ordered; return what was written.

        Args:
            orders: IGNORE, LOOK, STEP or RESET for each, (n,).
            actions: (n, len(nvec)); may be left out where nobody steps.
            buffers: to write to; fresh ones if left out.
        """
        if buffers is None:
            buffers = self.table.empty()
        if actions is None:
            actions = np.zeros((self.num_envs, len(self.nvec)), np.int64)
        for watcher in self._watchers.values():
            watcher.before(orders, actions)
        self._prepare(orders)
        self._pool.run(functools.partial(self._call, orders, actions, buffers))
        for watcher in self._watchers.values():
            watcher.after(orders, buffers)
        return buffers

    def _call(
        self,
        orders: Orders,
        actions: Actions,
        buffers: Buffers,
        first: int,
        last: int,
        thread: int,
    ) -> None:
        """Make the compiled call for a range of sub-environments."""
        self._advance(
            *self._own,
            self._randomness.streams,
            self._offsets,
            orders,
            actions,
            buffers,
            self._workspaces[thread],
            first,
            last,
        )


Builder = Callable[[Any, int, int], Simulator]
"""Builds a simulator from a configuration, a number of sub-environments and one of threads."""


def build(builder: Builder, config: Config, num_envs: int, num_threads: int) -> Simulator:
    """Build a simulator, or say which numbers make it too large.

    Raises:
        ValueError: the arrays do not fit into memory, or a number or the scenario's data are bad.
    """
    try:
        return builder(config, num_envs, num_threads)
    except MemoryError as error:
        counts = {"num_envs": num_envs} | config.counts
        sizes = ", ".join(f"{name} = {count}" for name, count in counts.items())
        raise ValueError(f"the scenario does not fit into memory with {sizes}: {error}") from error


def check_options(options: Mapping[str, Any] | None, known: Collection[str] = ()) -> None:
    """See that `reset` was given no option that would be ignored.

    Raises:
        ValueError: an option is unknown.
    """
    for name in options or ():
        if name not in known:
            allowed = f"one of {tuple(known)}" if known else "none"
            raise ValueError(
                f"unknown option {shown(name)} of reset(): allowed is {allowed}; fields of the "
                "scenario are given when an environment is made"
            )


def check_actions(actions: Any, shape: tuple[int, ...], nvec: Integers) -> Actions:
    """Return the actions as int64, checked before anything is done with them.

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
def are_inside(actions: Actions, nvec: Integers) -> bool:
    """Return whether all choices of all actions, (n, len(nvec)), are among 0..nvec − 1."""
    inside = True
    for i in range(actions.shape[0]):
        for choice in range(nvec.shape[0]):
            inside &= (actions[i, choice] >= 0) & (actions[i, choice] < nvec[choice])
    return inside
