"""Checks of what enters the solvers: nothing malformed reaches compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Shape = tuple[int, ...]


def numbers(name: str, value: ArrayLike, least_dimensions: int = 0) -> Floats:
    """Return `value` as a float64 array without NaN, of at least that many dimensions.

    Raises:
        ValueError: not numeric, NaN, or too few dimensions.
    """
    array = _as_floats(name, value, least_dimensions)
    _refuse_nan(name, array)
    return array


def nonnegative(
    name: str, value: ArrayLike, least_dimensions: int = 0, *, infinite: bool = False
) -> Floats:
    """Return `value` as an array of numbers ≥ 0; +inf only where `infinite` says so.

    Raises:
        ValueError: as `numbers`, or a value below 0 or infinite.
    """
    array = _as_floats(name, value, least_dimensions)
    # One or two passes settle the usual case: the least of an array with NaN is NaN.
    if array.size == 0 or (array.min() >= 0 and (infinite or array.max() < np.inf)):
        return array
    _refuse_nan(name, array)
    if array.min() < 0:
        raise ValueError(f"{name} is {array.min()}{_where(array < 0)}; it must be ≥ 0")
    raise ValueError(f"{name} is inf{_where(array == np.inf)}; it must be finite")


def positive(name: str, value: float) -> float:
    """Return a finite scalar above 0.

    Raises:
        ValueError: anything else.
    """
    array = nonnegative(name, value)
    if array.ndim != 0 or array == 0:
        raise ValueError(f"{name} is {value!r}; it must be one number > 0")
    return float(array)


def whole(name: str, value: Any, least: int) -> int:
    """Return an integer of at least `least`.

    Raises:
        ValueError: not an integer, or below.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} is {value!r}; it must be an integer ≥ {least}")
    if value < least:
        raise ValueError(f"{name} is {value}; it must be ≥ {least}")
    return min(int(value), 2**62)  # compiled code counts in 64 bits


def flags(name: str, value: ArrayLike) -> NDArray[np.bool_]:
    """Return `value` as an array of booleans.

    Raises:
        ValueError: values other than booleans, or 0 and 1.
    """
    array = np.asarray(value)
    if array.dtype == np.bool_:
        return array
    if array.dtype.kind in "iuf" and np.isin(array, (0, 1)).all():
        return array.astype(np.bool_)
    raise ValueError(f"{name} has values of type {array.dtype}; it must hold only True or False")


def spread(name: str, array: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Broadcast `array` to `shape`, as C-ordered memory.

    Raises:
        ValueError: the shapes do not fit.
    """
    if array.shape == shape:
        return np.ascontiguousarray(array)
    try:
        return np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(shape)
    except ValueError:
        raise ValueError(f"{name} has shape {array.shape}; it must broadcast to {shape}") from None


def _as_floats(name: str, value: ArrayLike, least_dimensions: int) -> Floats:
    """Convert to float64 and check the number of dimensions."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    if array.ndim < least_dimensions:
        raise ValueError(
            f"{name} has shape {array.shape}; it must have at least {least_dimensions} dimensions"
        )
    return array


def _refuse_nan(name: str, array: Floats) -> None:
    """Raise if there is a NaN."""
    missing = np.isnan(array)
    if missing.any():
        raise ValueError(f"{name} contains NaN{_where(missing)}; it must be numbers")


def _where(bad: NDArray[np.bool_]) -> str:
    """Name the first bad entry of an array; a scalar needs no place."""
    if bad.ndim == 0:
        return ""
    return f" at index {tuple(int(i) for i in np.argwhere(bad)[0])}"
