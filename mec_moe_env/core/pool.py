"""Threads that share the sub-environments of a compiled call, which leaves Python's lock alone."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from mec_moe_env.config import Whole, check

HAND_OVER_SECONDS = 200e-6
"""Calls expected to be shorter stay on the caller's thread: waking another one takes some 50 µs,
twice that on a busy machine, and so does the way back."""
CHUNKS_PER_THREAD = 4
MOST_ENVS = Whole(1, 10**7)
FORGETTING = 0.02
"""By how much of itself the estimate of a duration can grow from call to call."""

Work = Callable[[int, int, int], None]
"""Called with the first sub-environment, the one after the last, and the thread's number."""


class Pool:
    """Runs compiled work over all sub-environments on several threads, the caller among them."""

    def __init__(self, num_envs: int, num_threads: int) -> None:
        """Decide on the threads; they start when they are needed.

        Raises:
            ValueError: one of the numbers is not a positive integer.
        """
        check("num_envs", num_envs, MOST_ENVS)
        check("num_threads", num_threads, Whole(1))
        self._num_envs = num_envs = int(num_envs)
        self.count = min(int(num_threads), num_envs)
        parts = min(self.count * CHUNKS_PER_THREAD, num_envs)
        bounds = [num_envs * part // parts for part in range(parts + 1)]
        self._chunks = list(itertools.pairwise(bounds))
        self._seconds_each = 0.0
        """The quickest that a sub-environment of late took: noise only ever slows things down."""
        self._executor: ThreadPoolExecutor | None = None
        self._helpers: list[Future[None]] = []
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave the threads out of a pickle: they come back when needed."""
        self._settle()
        return {**self.__dict__, "_executor": None, "_helpers": []}

    def close(self) -> None:
        """End the threads; a later run starts them again."""
        self._settle()
        if self._executor is not None:
            self._executor.shutdown()
        self._executor = None

    def run(self, work: Work) -> None:
        """Call work(first, last, thread) until every sub-environment has been in one range.

        An error in a helper is raised here. Whatever happens, no helper is at work any more when
        the next run begins.
        """
        self._settle()
        if self.count == 1 or self._seconds_each * self._num_envs < HAND_OVER_SECONDS:
            self._timed(work, 0, self._num_envs)
            return
        # From both ends: each thread keeps to its own half, and to what its caches hold of it.
        chunks, threads = deque(self._chunks), self._threads()
        try:
            for n in range(1, self.count):
                self._helpers.append(threads.submit(help_out, work, chunks, n))
            self._drain(work, chunks)
        finally:
            chunks.clear()
            # Who has not begun never will; only the others are waited for.
            begun = self._helpers = [helper for helper in self._helpers if not helper.cancel()]
            self._settle()
        for helper in begun:
            helper.result()

    def _drain(self, work: Work, chunks: deque[tuple[int, int]]) -> None:
        while chunks:
            try:
                first, last = chunks.popleft()
            except IndexError:  # a helper was quicker
                return
            self._timed(work, first, last)

    def _timed(self, work: Work, first: int, last: int) -> None:
        start = time.perf_counter()
        work(first, last, 0)
        taken = (time.perf_counter() - start) / (last - first)
        known = self._seconds_each or taken
        self._seconds_each = min(taken, (1.0 + FORGETTING) * known)

    def _threads(self) -> ThreadPoolExecutor:
        if self._executor is None or self._process != os.getpid():
            # Threads do not survive a fork.
            self._executor = ThreadPoolExecutor(self.count - 1, "mec-moe")
            self._process = os.getpid()
        return self._executor

    def _settle(self) -> None:
        """Wait until no helper is at work; in a forked process there is none."""
        if self._helpers and self._process == os.getpid():
            wait(self._helpers)
        self._helpers = []


def help_out(work: Work, chunks: deque[tuple[int, int]], thread: int) -> None:
    """Do chunks from the far end while there are any."""
    while chunks:
        try:
            first, last = chunks.pop()
        except IndexError:
            return
        work(first, last, thread)
