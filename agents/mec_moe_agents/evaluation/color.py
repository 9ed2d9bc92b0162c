"""How far colours are apart to those who look at them."""

from __future__ import annotations

from functools import cache

import numpy as np

from mec_moe_env.core.buffers import Floats

LINEAR_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.119192, 0.9503041],
    ]
)
"""IEC 61966-2-1, white D65."""
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
"""On linear RGB, Machado et al. 2009, severity 1."""


def distance(one: str, other: str) -> float:
    """Return how far two colours `#RRGGBB` are apart: ΔE*ab of CIE 1976.

    To a reader who sees them as most do or with deuteranopia, whichever is less.
    """
    return float(np.linalg.norm(_seen(one) - _seen(other), axis=1).min())


def lab(linear: Floats) -> Floats:
    """Turn linear RGB (3,) into CIE L*a*b*, (3,)."""
    share = LINEAR_TO_XYZ @ linear / LINEAR_TO_XYZ.sum(axis=1)
    low = share * (29 / 6) ** 2 / 3 + 4 / 29
    f = np.where(share > (6 / 29) ** 3, np.cbrt(share), low)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def linear_of(color: str) -> Floats:
    """Turn a colour `#RRGGBB` into linear RGB, (3,), each in [0, 1]."""
    encoded = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    high = ((encoded + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, high)


@cache
def _seen(color: str) -> Floats:
    """Return a colour in CIE L*a*b* as most readers see it and with deuteranopia, (2, 3)."""
    linear = linear_of(color)
    return np.stack([lab(linear), lab(np.clip(DEUTERANOPIA @ linear, 0.0, 1.0))])


def contrast(color: str) -> float:
    """Return the contrast of a colour `#RRGGBB` to white paper, 1 to 21 (WCAG 2)."""
    luminance = float(LINEAR_TO_XYZ[1] @ linear_of(color))
    return 1.05 / (luminance + 0.05)
