"""Flat observation entries and their logical shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


def unflatten(
    observation: Mapping[str, NDArray[np.float32]], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """View the flat entries of an observation in their logical shapes, without copying.

    The environments hand out one-dimensional entries, the form that Stable-Baselines3 expects;
    row-major order makes the reshape exact.

    Args:
        observation: entries of shape (size,) or, batched, (n, size).
        shapes: logical shape of each entry, `config.observation_shapes`.

    Returns:
        The same entries with shape `shapes[key]`, or (n, *shapes[key]) when batched.

    Raises:
        ValueError: an entry is missing or its size does not match.
    """
    views = {}
    for key, shape in shapes.items():
        if key not in observation:
            raise ValueError(f"observation has no entry {key!r}; it has {sorted(observation)}")
        entry = observation[key]
        if entry.shape[-1] != math.prod(shape):
            raise ValueError(
                f"observation[{key!r}] has {entry.shape[-1]} values, expected {math.prod(shape)}"
            )
        views[key] = entry.reshape(entry.shape[:-1] + shape)
    return views


def box_space(
    shapes: Mapping[str, tuple[int, ...]], bounds: Mapping[str, tuple[float, float]]
) -> spaces.Dict:
    """Build the one-level Dict of flat float32 Boxes with the given (low, high) bounds."""
    entries: dict[str, spaces.Space[Any]] = {
        key: spaces.Box(*bounds[key], shape=(math.prod(shape),), dtype=np.float32)
        for key, shape in shapes.items()
    }
    return spaces.Dict(entries)
