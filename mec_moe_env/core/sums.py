"""Sums of millions of numbers that stay as good as one of a few, compiled.

A float64 that a million equal numbers are added to is off by up to 10⁻¹⁰ of itself, and models
that have learned their tasks well are judged by differences of such sums. So each sum has a rest:
what rounding has taken from it so far, worked out exactly at every addition (D. E. Knuth, The Art
of Computer Programming, vol. 2, 4.2.2, theorem B). Sum and rest together are off by about 10⁻¹⁶
of the sum, however long it is.
"""

from __future__ import annotations

from mec_moe_env.core.kernels import inline


@inline
def rounding_of(total: float, summand: float) -> float:
    """Return total + summand less what float64 makes of it, exactly."""
    rounded = total + summand
    added = rounded - total
    return (total - (rounded - added)) + (summand - added)
