"""Training images that a classifier has not seen in this shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

Floats = NDArray[np.float64]

SIDE = 8
SHIFT, TURN, ZOOM = 0.9, 0.2, 0.15
"""Largest move in pixels, turn in radians and zoom: those under which the classifier learned."""


def distorted(images: Floats, rng: np.random.Generator) -> Floats:
    """Move, turn and zoom every image, (n, 64), a little; each by a strength of its own in [0, 1].

    The classifier has learned the images by heart: as they are, nothing that a scheduler saves
    costs accuracy (our extension).
    """
    # Every pixel is blank in some image.
    blank = images.min(axis=0)
    result = np.empty_like(images)
    for index, image in enumerate(images - blank):
        strength = rng.random()
        matrix, move = _draw_map(strength, rng)
        centre = np.full(2, (SIDE - 1) / 2)
        result[index] = affine_transform(
            image.reshape(SIDE, SIDE),
            matrix,
            offset=centre - matrix @ centre + move,
            order=1,
            mode="grid-constant",
        ).reshape(-1)
    shown: Floats = result + blank
    return shown


def _draw_map(strength: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    move = strength * SHIFT * rng.uniform(-1.0, 1.0, 2)
    turn = strength * TURN * rng.uniform(-1.0, 1.0)
    zoom = 1.0 + strength * ZOOM * rng.uniform(-1.0, 1.0, 2)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return zoom[:, np.newaxis] * rotation, move
