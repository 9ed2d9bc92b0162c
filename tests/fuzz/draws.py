"""Values of configuration fields, drawn over all that each field admits."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from mec_moe_env.config import Config, Interval, OneOf, Real, Recorded, Whole

TINY, HUGE = 1e-12, 1e15
"""Between these, numbers are drawn by their logarithm where a range has no end of its own."""
NEARBY = 0.7
"""Standard deviation of the logarithm of what is drawn about a default."""


def whole(rng: np.random.Generator, low: int, high: int) -> int:
    """Draw an integer of [low, high], small ones as often as large ones."""
    return int(min(high, low - 1 + math.exp(rng.uniform(0.0, math.log(high - low + 2)))))


def extreme(rng: np.random.Generator, allowed: Real) -> float:
    """Return an end of a range, or what is next to one that is left out."""
    low = math.nextafter(allowed.low, math.inf) if allowed.open_low else allowed.low
    high = math.inf if allowed.infinite else float(np.finfo(np.float64).max)
    return float(rng.choice([low, min(allowed.high, high)]))


def anywhere(rng: np.random.Generator, allowed: Real) -> float:
    """Draw from a whole range, by the logarithm where it spans powers of ten."""
    if allowed.low < 0.0 or allowed.high <= 1.0:
        return float(rng.uniform(math.nextafter(allowed.low, math.inf), allowed.high))
    low, high = max(allowed.low, TINY), min(allowed.high, HUGE)
    value = math.exp(rng.uniform(math.log(low), math.log(high)))
    return float(min(max(value, low), high))


def real(rng: np.random.Generator, allowed: Real, default: float) -> float:
    """Draw from a range: about the default, anywhere, or an end of it."""
    kind = rng.choice(3, p=[0.5, 0.35, 0.15])
    if kind == 1:
        return anywhere(rng, allowed)
    if kind == 2:
        return extreme(rng, allowed)
    if default in (0.0, math.inf) or not allowed.admits(default):
        return anywhere(rng, Real(max(allowed.low, 0.0), min(allowed.high, 1.0)))
    value = default * math.exp(NEARBY * rng.standard_normal())
    return value if allowed.admits(value) else default


def value(rng: np.random.Generator, allowed: Any, default: Any) -> Any:
    """Draw a value of a field that is no size.

    Raises:
        TypeError: nobody said how to draw from such a range.
    """
    if isinstance(allowed, OneOf):
        return str(rng.choice(allowed.words))
    if isinstance(allowed, Interval):
        one, other = (real(rng, allowed.element, float(bound)) for bound in default)
        return (min(one, other), max(one, other))
    if isinstance(allowed, Real):
        return real(rng, allowed, float(default))
    raise TypeError(f"{allowed!r} is no range that a value is drawn from")


def fields(rng: np.random.Generator, base: Config, share: float) -> dict[str, Any]:
    """Draw new values for a share of the fields with a range, sizes and records left out."""
    drawn = {}
    for field in dataclasses.fields(base):
        allowed = field.metadata.get("allowed")
        if allowed is None or isinstance(allowed, Whole | Recorded) or rng.random() >= share:
            continue
        drawn[field.name] = value(rng, allowed, getattr(base, field.name))
    low, high = (f"{end}_spectral_efficiency" for end in ("min", "max"))
    least, most = sorted(drawn.get(name, getattr(base, name)) for name in (low, high))
    if most == least:
        # Towards the middle of the range, which ends on either side.
        least, most = sorted((least, math.nextafter(least, 1.0 if least > 1.0 else math.inf)))
    return drawn | {low: least, high: most}
