"""The global generators of NumPy and Python, which nobody's episodes may depend on or move."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def global_state() -> tuple[Any, ...]:
    """Return where the global generators are, in a form that can be compared."""
    state: Any = np.random.get_state()  # noqa: NPY002
    return state[1].tolist(), state[2], random.getstate()


@contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seed the global generators for a block, and set them back after it."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
