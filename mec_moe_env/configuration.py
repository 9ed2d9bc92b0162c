"""Frozen configuration objects whose fields know their allowed range."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Whole:
    """An integer in [low, high]."""

    low: int
    high: float = math.inf

    def __str__(self) -> str:
        return f"an integer in [{self.low}, {self.high}{')' if math.isinf(self.high) else ']'}"

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed."""
        return (
            isinstance(value, Integral)
            and not isinstance(value, bool)
            and self.low <= int(value) <= self.high
        )


@dataclass(frozen=True)
class Real:
    """A real number between low and high; `open_low` leaves out low itself."""

    low: float
    high: float = math.inf
    open_low: bool = False
    infinite: bool = False

    def __str__(self) -> str:
        left = "(" if self.open_low else "["
        right = "]" if math.isfinite(self.high) or self.infinite else ")"
        return f"a number in {left}{self.low}, {self.high}{right}"

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed."""
        if isinstance(value, bool) or not isinstance(value, RealNumber):
            return False
        number = float(value)
        if math.isnan(number):
            return False
        if math.isinf(number) and not self.infinite:
            return False
        return (number > self.low if self.open_low else number >= self.low) and number <= self.high


@dataclass(frozen=True)
class Interval:
    """A pair (low, high) of numbers in a range, low ≤ high: a uniform distribution."""

    element: Real

    def __str__(self) -> str:
        return f"a pair (low, high), low ≤ high, each {self.element}"

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed."""
        return (
            isinstance(value, tuple)
            and len(value) == 2
            and all(self.element.admits(bound) for bound in value)
            and value[0] <= value[1]
        )


def setting(default: Any, allowed: Whole | Real | Interval) -> Any:
    """Declare a dataclass field with a default and a checked range."""
    return dataclasses.field(default=default, metadata={"allowed": allowed})


def plain(value: Any) -> Any:
    """Turn NumPy scalars into Python numbers, and lists (as JSON has them) into tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    return value


def reject(field: str, value: object, allowed: object) -> ValueError:
    """Build the error for a bad value: it names the field, the value and what is allowed."""
    return ValueError(f"{field} = {value!r} is not allowed: {field} must be {allowed}")


def suggest(word: str, known: Collection[str]) -> str:
    """Name the nearest known word, or all of them when nothing is near."""
    nearest = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(sorted(known))}"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Base of the environments' configurations: immutable, checked when built."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            allowed = field.metadata.get("allowed")
            value = plain(getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            if allowed is not None and not allowed.admits(value):
                raise reject(field.name, value, allowed)

    def override(self, **fields: Any) -> Self:
        """Return a copy with some fields replaced.

        Raises:
            ValueError: a field is unknown (the nearest name is given) or out of range.
        """
        known = {field.name for field in dataclasses.fields(self)}
        for name in fields:
            if name not in known:
                raise ValueError(
                    f"unknown {type(self).__name__} field {name!r}: {suggest(name, known)}"
                )
        return dataclasses.replace(self, **fields)
