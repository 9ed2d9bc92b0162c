"""Calls that a worker of another process can import."""

import os
import signal
import time
from pathlib import Path


def double(number: int) -> int:
    return 2 * number


def surroundings() -> tuple[int, str, str]:
    return os.getpid(), os.environ["OMP_NUM_THREADS"], os.getcwd()


def fail(number: int) -> int:
    raise ValueError(f"{number} is not allowed")


def leave() -> None:
    """Die as a process does that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)


def work_long(path: Path) -> bytes:
    """Write which process this is, then work for longer than any test."""
    path.write_text(str(os.getpid()))
    time.sleep(1000)
    return b""
