"""One process at a time trains in a folder; the others are told so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep every other process out of the folder of a run while the block runs.

    The lock is the operating system's, on the folder itself: it leaves no file behind, and ends
    with a process that is killed. Windows, and file systems without locks, know none.

    Raises:
        BlockingIOError: another process is at work there.
        OSError: there is no such folder.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"another process trains in {folder}: wait until it is done, or take another --out"
            ) from error
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(descriptor)
