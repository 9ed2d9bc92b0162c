"""Processes of this machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from mec_moe_agents.executors import Work
from mec_moe_agents.executors.workers import beginning, end_with


class Processes:
    """An `Executor` of so many processes; they end with this one, however that ends."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        theirs, self._lifeline = context.Pipe(duplex=False)
        self.capacity = count
        """As many as there are processes: what waits in the pool could not be taken back."""
        self._pool = ProcessPoolExecutor(count, context, end_with, (theirs,))

    def submit(self, work: Work) -> Future[bytes]:
        """Take work; starts a process if all are busy and there may be more."""
        with beginning():
            return self._pool.submit(work)

    def wait(self, handles: Collection[Future[bytes]]) -> tuple[Future[bytes], bytes]:
        """Return the first that is finished, with its result.

        Raises:
            ChildProcessError: a process was killed, by want of memory perhaps.
            Exception: what the work raised.
        """
        first = next(iter(wait(handles, return_when=FIRST_COMPLETED).done))
        try:
            return first, first.result()
        except BrokenProcessPool:
            raise ChildProcessError("a worker process was killed; out of memory?") from None

    def cancel(self, handles: Collection[Future[bytes]]) -> None:
        """Do nothing: all has begun, and a process ends with its work or with all others."""

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=False)
        self._lifeline.close()
