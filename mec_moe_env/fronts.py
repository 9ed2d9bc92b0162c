"""Fronts of vector returns: who is on one, and how much of the space it dominates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Floats

DECIMALS = 12
"""Points that agree in so many are one: sums of the same terms in another order."""


def nondominated(points: ArrayLike) -> Floats:
    """Return the points, (n, k), than which no other is better in one respect and worse in none.

    Larger is better. Each is returned once, in ascending order of the first component.

    Raises:
        ValueError: they are no table of numbers, or one is not finite; the point is named.
    """
    points = _finite("points", points)
    if points.ndim != 2:
        raise ValueError(f"points has shape {points.shape}: it must be (n, k)")
    rounded, first = np.unique(np.round(points, DECIMALS), axis=0, return_index=True)
    kept = [
        index
        for point, index in zip(rounded, first.tolist(), strict=True)
        if not ((rounded >= point).all(axis=1) & (rounded > point).any(axis=1)).any()
    ]
    return points[kept]


def hypervolume(points: ArrayLike, reference: ArrayLike) -> Floats:
    """Return the volume that points dominate above a reference point, exactly.

    Slice by slice along the last component, as in "hypervolume by slicing objectives" (While et
    al. 2006); in the plane it is the area below a staircase. Larger is better.

    Args:
        points: (..., n, k); of those that do not exceed the reference in every component, nothing
            counts.
        reference: (..., k), or (k,) for all.

    Returns:
        The volumes, (...); in the product of the components' units.

    Example:
        >>> import numpy as np
        >>> from mec_moe_env.fronts import hypervolume
        >>> float(hypervolume(np.array([[2.0, 1.0], [1.0, 3.0]]), np.zeros(2)))
        4.0

    Raises:
        ValueError: the reference has another number of components than the points, or a number
            is not finite; the point is named.
    """
    points, reference = _finite("points", points), _finite("reference", reference)
    if points.ndim < 2 or reference.shape[-1:] != points.shape[-1:]:
        raise ValueError(
            f"points {points.shape} and reference {reference.shape} do not fit: "
            "expected (..., n, k) and (..., k)"
        )
    return _volume(np.maximum(points - reference[..., np.newaxis, :], 0.0))


def _finite(name: str, given: ArrayLike) -> Floats:
    """Return numbers as an array, each of them finite."""
    try:
        array = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise reject(name, given, "an array of numbers") from None
    if not array.ndim:
        raise reject(name, given, "an array of numbers")
    wrong = ~np.isfinite(array)
    if wrong.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
        raise reject(f"{name}{list(place)}", float(array[place]), "finite")
    return array


def _volume(heights: Floats) -> Floats:
    """Return the volume between the origin and points (..., n, k), none of which is negative."""
    falling = np.argsort(-heights[..., -1], axis=-1, kind="stable")[..., np.newaxis]
    heights = np.take_along_axis(heights, falling, axis=-2)
    last = heights[..., -1]
    thickness = -np.diff(last, axis=-1, append=0.0)
    if heights.shape[-1] == 1:
        return np.asarray(last.max(axis=-1, initial=0.0))
    if heights.shape[-1] == 2:
        widths = np.maximum.accumulate(heights[..., 0], axis=-1)
        return np.asarray((thickness * widths).sum(axis=-1))
    below = [_volume(heights[..., : end + 1, :-1]) for end in range(heights.shape[-2])]
    return np.asarray(sum(thickness[..., end] * each for end, each in enumerate(below)))
