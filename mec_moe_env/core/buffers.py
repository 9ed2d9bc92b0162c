"""One ordered table of what an environment shows, and the types of arrays.

Each environment states its observation entries and its outcomes once (`offloading/table.py`,
`dmoe/table.py`). Spaces, buffers, offsets for compiled code, views in logical shapes, infos and
the sums of an episode all come from there.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Actions = Integers
Records = NDArray[Any]
"""Structured arrays: their entries are read and written by the names of their fields."""
Entries = dict[str, Singles]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Entry:
    """One observation entry: its axes, and the bounds of its values."""

    axes: str
    """A letter or digit for each axis, as in the papers: "UMS", "M2"."""
    high: float | Callable[[Any], float] = 1.0
    """Largest value, or how it follows from the configuration."""
    low: float = 0.0

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return the logical shape, where a letter stands for a size and a digit for itself."""
        return tuple(int(axis) if axis.isdigit() else sizes[axis] for axis in self.axes)

    def bounds(self, config: Any) -> tuple[float, float]:
        """Return the lowest and the highest value under a configuration."""
        return self.low, self.high(config) if callable(self.high) else self.high


def entries_of(view: type) -> dict[str, Entry]:
    """Return the entries with which the fields of a named tuple are annotated, in their order."""
    hints = get_type_hints(view, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def offsets_of(shapes: Shapes) -> Integers:
    """Return where each entry begins in the observation buffer, and where the last one ends."""
    return np.cumsum([0] + [math.prod(shape) for shape in shapes.values()])


def box_space(shapes: Shapes, bounds: Mapping[str, tuple[float, float]]) -> spaces.Dict:
    """Build the one-level Dict of flat float32 Boxes with the given (low, high) bounds."""
    entries: dict[str, spaces.Space[Any]] = {
        key: spaces.Box(*bounds[key], shape=(math.prod(shape),), dtype=np.float32)
        for key, shape in shapes.items()
    }
    return spaces.Dict(entries)


def unflatten(observation: Mapping[str, Singles], shapes: Shapes) -> dict[str, Singles]:
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


class Over(enum.Enum):
    """What an episode makes of the values of its steps."""

    SUM = enum.auto()
    MEAN = enum.auto()
    LAST = enum.auto()


@dataclass(frozen=True)
class Outcomes:
    """What a step brings beside the observation, in the order of the buffers and of `info`."""

    reward_terms: tuple[str, ...]
    """Their sum, weighted by the configuration, is the reward; `info` has them as `reward_…`."""
    scalars: Mapping[str, Over]
    counts: tuple[str, ...]
    """Whole numbers; an episode sums them."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the reward's terms in `info`."""
        return tuple(f"reward_{term}" for term in self.reward_terms)

    @property
    def measures(self) -> tuple[str, ...]:
        """All real-valued rows; the accuracy is shown only where there is a real model or data."""
        return ("reward", *self.terms, *self.scalars, "accuracy")

    def row(self, name: str) -> int:
        """Return the row of a measure, or of a count, in its buffer."""
        return (self.counts if name in self.counts else self.measures).index(name)

    def over_episode(self, over: Over) -> tuple[str, ...]:
        """Return the infos of which an episode makes the sum, the mean, or the last value."""
        scalars = tuple(name for name, how in self.scalars.items() if how is over)
        return scalars + {Over.SUM: self.counts, Over.LAST: ("accuracy",)}.get(over, ())
