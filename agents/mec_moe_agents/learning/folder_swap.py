"""Folders that are replaced as a whole: at any moment the old one or the new one is complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a new empty folder that takes the place of `folder` when the block succeeds.

    A process killed in between leaves what `recover_folder` puts in order.

    Raises:
        OSError: the parent folder cannot be written.
    """
    recover_folder(folder)
    fresh, old = _fresh(folder), _old(folder)
    fresh.mkdir(parents=True)
    try:
        yield fresh
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Bring `folder` back to the last complete state after a process was killed.

    Raises:
        OSError: the parent folder cannot be written.
    """
    fresh, old = _fresh(folder), _old(folder)
    if not folder.exists() and old.exists():
        # The old one steps aside only once the new one is complete.
        os.replace(fresh if fresh.exists() else old, folder)
    for leftover in (fresh, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _fresh(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.tmp")


def _old(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.old")
