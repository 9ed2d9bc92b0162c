"""How worker processes begin and end."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from threading import Thread

SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Threads of BLAS in several processes wait for each other."""


@contextlib.contextmanager
def beginning() -> Iterator[None]:
    """Hand down what processes that are started in the block must have from the start.

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


def end_with(lifeline: Connection) -> None:
    """Leave as soon as the other end of the line is closed, be it by the end of its process."""

    def hold() -> None:
        with contextlib.suppress(EOFError, OSError):
            lifeline.recv_bytes()
        os._exit(1)

    Thread(target=hold, daemon=True).start()
