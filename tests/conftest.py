"""Fixtures that several parts share."""

import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from mec_moe_env.tasks.mnist import IDX_NAMES

# What the tests read on a terminal does not depend on the one that started them.
for name in (
    *("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    *("COLUMNS", "LINES", "TERMINAL_WIDTH", "GITHUB_ACTIONS", "PYTHONIOENCODING"),
):
    os.environ.pop(name, None)
os.environ["PYTHONUTF8"] = "1"
# Windows open nowhere: most machines that run tests have no display.
os.environ["SDL_VIDEODRIVER"] = "dummy"

# The first example of a property may have to compile: no wall time is asserted in a test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Let child processes be interrupted even where the shell started the tests in the background.

    Such a shell ignores SIGINT, and what is ignored is inherited; a handler is not.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, before)


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def fake_mnist(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw blurry images whose class is visible: a bright stripe at the class's row."""
    classes = np.arange(count) % 10
    images = rng.integers(0, 60, (count, 12, 12))
    images[np.arange(count), classes + 1] += 180
    return images, classes


@pytest.fixture(scope="session")
def mnist_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a small MNIST in IDX form and return its folder."""
    folder = tmp_path_factory.mktemp("mnist")
    rng = np.random.default_rng(0)
    arrays = [*fake_mnist(rng, 400), *fake_mnist(rng, 200)]
    for name, array in zip(IDX_NAMES, arrays, strict=True):
        write_idx(folder / name, array)
    return str(folder)
