"""Threads that share the sub-environments of compiled calls."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np

from mec_moe_env.claims import ALL, CALL, Crew, all_done, make_claims

PATIENCE = 20_000
"""Looks at a word that another thread is to change, 100 to 200 µs, before sleeping."""
NAP_SECONDS = 50e-6

Work = Callable[[Crew, int, int], None]
Inbox = SimpleQueue["Job | None"]


@dataclass
class Job:
    """Work that the threads share, and what became of it in helpers."""

    work: Work
    crew: Crew
    entered: list[int] = field(default_factory=list)
    """Helpers that have begun."""
    left: list[int] = field(default_factory=list)
    """Helpers that are through."""
    errors: list[BaseException] = field(default_factory=list)
    over: bool = False
    """Whether nobody may begin any more."""


def nothing() -> None:
    """Do nothing meanwhile."""


class Threads:
    """Runs compiled work over all sub-environments on several threads, the caller among them."""

    def __init__(self, num_envs: int, num_threads: int) -> None:
        """Decide on the threads; they start when they are needed.

        Raises:
            ValueError: one of the numbers is not a positive integer.
        """
        for name, value in (("num_envs", num_envs), ("num_threads", num_threads)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} = {value!r} is not allowed: it must be an integer ≥ 1")
        self.count = min(num_threads, num_envs)
        self._num_envs = num_envs
        # Who waits awake must not keep another thread from a processor.
        self._patience = PATIENCE if self.count <= processors() else 1
        self._claims = make_claims(num_envs, self.count, self._patience)
        self._bell = np.zeros((1, 1), np.int64)
        self._calls = 0
        self._job: Job | None = None
        self._inboxes: list[Inbox] = []
        self._endings: list[Callable[[], object]] = []
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave the threads out of a pickle: they come back when needed."""
        self._settle()
        return {**self.__dict__, "_inboxes": [], "_endings": [], "_process": 0}

    def close(self) -> None:
        """End the threads; a later run starts them again."""
        self._settle()
        for end in self._endings:
            end()
        self._forget()

    def run(self, work: Work, meanwhile: Callable[[], None] = nothing) -> None:
        """Call work(crew, thread, claims at most) on every thread until all claims are done.

        A helper that has not begun by then is not waited for: it will find nothing to claim.
        An error that a helper has met by then is raised here. After an error or an interrupt no
        helper is at work any more when the next run begins.

        Args:
            work: compiled code, which leaves Python's lock to others.
            meanwhile: what Python code does while helpers are at work.
        """
        claims = self._claims.copy()
        if self.count == 1:
            work(Crew(claims, self._bell), 0, ALL)
            meanwhile()
            return
        self._settle()
        self._calls += 1
        claims[:, CALL] = self._calls
        self._job = job = Job(work, Crew(claims, self._bell))
        try:
            self._hand_out(job)
            work(job.crew, 0, 1)
            meanwhile()
            work(job.crew, 0, ALL)
            self._wait(job)
        except BaseException:
            self._settle()
            raise
        self._job = None

    def _hand_out(self, job: Job) -> None:
        if self._process != os.getpid():
            # Threads do not survive a fork, nor do they travel in a pickle.
            self._forget()
            self._process = os.getpid()
        for thread in range(1 + len(self._inboxes), self.count):
            self._hire(thread)
        for inbox in self._inboxes:
            inbox.put(job)

    def _hire(self, thread: int) -> None:
        inbox: Inbox = SimpleQueue()
        threading.Thread(target=help_out, args=(inbox, thread), daemon=True).start()
        self._inboxes.append(inbox)
        self._endings.append(weakref.finalize(self, inbox.put, None))

    def _forget(self) -> None:
        self._inboxes.clear()
        self._endings.clear()

    def _wait(self, job: Job) -> None:
        while not all_done(job.crew.claims, self._num_envs, self._patience) and not job.errors:
            time.sleep(NAP_SECONDS)
        if job.errors:
            raise job.errors[0]

    def _settle(self) -> None:
        """Wait until no helper is at work on a call that broke off."""
        if self._job is not None:
            self._job.over = True
            # In a forked process there are no helpers that could leave.
            here = self._process == os.getpid()
            while here and len(self._job.left) < len(self._job.entered):
                time.sleep(NAP_SECONDS)
            self._job = None


def help_out(inbox: Inbox, thread: int) -> None:
    """Do the jobs that come in until told to stop."""
    while (job := inbox.get()) is not None:
        # Who looks at `over` has entered before: the caller waits for it, or it turns back.
        job.entered.append(thread)
        try:
            if not job.over:
                job.work(job.crew, thread, ALL)
        except BaseException as error:  # raised where the caller waits
            job.errors.append(error)
        finally:
            job.left.append(thread)
        del job  # so that an environment out of use is not kept


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
