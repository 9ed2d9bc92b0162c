"""Where calls are carried out: here, in processes, or on a cluster.

Only bytes come back, and only who handed the calls out writes files: a worker needs no folder that
others can see, and the files are those of a run without workers, byte for byte.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Work = Callable[[], bytes]
"""Can be pickled, and writes nothing."""


class Executor(Protocol):
    """Carries out work, much of it at the same time."""

    @property
    def capacity(self) -> int:
        """How much work to hand over at a time."""

    def submit(self, work: Work) -> Hashable:
        """Take work, and return a handle of its result."""

    def wait(self, handles: Collection[Any]) -> tuple[Any, bytes]:
        """Return the first of these handles that is finished, with its result.

        Raises:
            OSError: the worker is lost, and so is whoever could take its place.
            Exception: what the work raised.
        """

    def cancel(self, handles: Collection[Any]) -> None:
        """Give up what was handed over, if that can be done without harm; `close` does at last."""

    def close(self) -> None:
        """End the workers, whatever they do."""


def completed(
    calls: Mapping[K, Callable[[], V]], executor: Executor | None = None
) -> Iterator[tuple[K, V, float]]:
    """Carry out calls; yield key, result and seconds of each, whichever is finished first.

    Without an executor they are carried out here, one after the other.

    Raises:
        OSError: workers are lost.
        Exception: what a call raised; those that have not begun are given up, at the latest when
            the executor is closed.
    """
    if executor is None:
        yield from ((key, *_timed(call)) for key, call in calls.items())
        return
    remaining = iter(calls.items())
    pending: dict[Hashable, K] = {}
    try:
        _hand_over(islice(remaining, executor.capacity), executor, pending)
        while pending:
            handle, content = executor.wait(pending)
            key = pending.pop(handle)
            _hand_over(islice(remaining, 1), executor, pending)
            # Bytes of our own workers, made by `_packed`.
            value, seconds = pickle.loads(content)
            yield key, value, seconds
    finally:
        executor.cancel(pending)


def gather(calls: Mapping[K, Callable[[], V]], executor: Executor | None = None) -> dict[K, V]:
    """Return the results of calls in their order.

    Raises:
        OSError: workers are lost.
        Exception: what a call raised.
    """
    found = {key: value for key, value, _ in completed(calls, executor)}
    return {key: found[key] for key in calls}


def _hand_over(
    calls: Iterable[tuple[K, Callable[[], object]]], executor: Executor, pending: dict[Hashable, K]
) -> None:
    for key, call in calls:
        pending[executor.submit(partial(_packed, call))] = key


def _timed(call: Callable[[], V]) -> tuple[V, float]:
    begin = time.perf_counter()
    value = call()
    return value, time.perf_counter() - begin


def _packed(call: Callable[[], object]) -> bytes:
    return pickle.dumps(_timed(call))
