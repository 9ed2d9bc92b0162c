"""Waiting for what other processes do."""

import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 300.0


def await_that(condition: Callable[[], bool]) -> None:
    """Return once a condition holds; it fails the test if that takes far too long."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def runs(process: int) -> bool:
    """Tell whether a process has not ended yet."""
    try:
        os.kill(process, 0)
        # One that ended waits as a zombie until its parent asks.
        return not Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].startswith(" Z")
    except (ProcessLookupError, FileNotFoundError):
        return False
