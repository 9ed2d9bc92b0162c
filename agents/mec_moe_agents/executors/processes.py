"""Processes of this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from threading import Thread

from mec_moe_agents.executors import Work

SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Threads of BLAS in several processes wait for each other."""


class Processes:
    """An `Executor` of so many processes; they end with this one, however that ends."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        theirs, self._lifeline = context.Pipe(duplex=False)
        self.capacity = count
        """As many as there are processes: what waits in the pool could not be taken back."""
        self._pool = ProcessPoolExecutor(count, context, _end_with, (theirs,))

    def submit(self, work: Work) -> Future[bytes]:
        """Take work; starts a process if all are busy and there may be more."""
        with _as_workers_begin():
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


@contextlib.contextmanager
def _as_workers_begin() -> Iterator[None]:
    """Hand down what processes must have from the start.

    A terminal interrupts all of them: this one reports that, and ends the others.
    """
    added = {name: "1" for name in SINGLE_THREADED if name not in os.environ}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(lifeline: Connection) -> None:
    """Leave as soon as the other end of the line is closed, be it by the end of its process."""

    def hold() -> None:
        with contextlib.suppress(EOFError, OSError):
            lifeline.recv_bytes()
        os._exit(1)

    Thread(target=hold, daemon=True).start()
