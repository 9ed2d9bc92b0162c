"""Where the nodes stand on a map, and what is drawn of them in every picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.rendering.canvas import Box, Canvas, Point, between
from mec_moe_env.rendering.palette import DIM, FAINT, PANEL, Colour

MOST_LABELLED = 64
"""With more nodes than that they are dots without labels."""
ROUNDS = 30
"""Of pushing apart what would cover each other."""

LABEL_SHARES = (0.5, 0.4, 0.6, 0.3, 0.7)
"""Of a link's way, where its label may stand, the best first."""


@dataclass(frozen=True)
class Plan:
    """A map of nodes."""

    box: Box
    points: tuple[Point, ...]
    radius: float
    """Of a node."""

    @property
    def labelled(self) -> bool:
        """Whether there is room for words."""
        return len(self.points) <= MOST_LABELLED

    def draw_ground(self, canvas: Canvas) -> None:
        """Draw the area."""
        canvas.rectangle(self.box, PANEL, FAINT)

    def draw_scale(self, canvas: Canvas, area_m: float | None) -> None:
        """Draw what a distance is in metres, if there are any."""
        left, _, right, bottom = self.box
        if area_m is not None:
            metres = _round_length(area_m / 5)
            length = metres / area_m * (right - left)
            at = right - 10 - length, bottom - 10
            canvas.line([at, (at[0] + length, at[1])], DIM, 2)
            middle = at[0] + length / 2, at[1] - 4
            canvas.text(middle, f"{metres:g} m", 10, DIM, "ms", halo=True)

    def draw_link(
        self, canvas: Canvas, start: int, end: int, colour: Colour, width: float
    ) -> Point:
        """Draw a link with a head, bent to the right of its way; return where a label fits."""
        (x0, y0), (x1, y1) = self.points[start], self.points[end]
        length = max(math.hypot(x1 - x0, y1 - y0), 1e-9)
        across = (y0 - y1) / length, (x1 - x0) / length
        bend = min(0.12 * length, 16.0)
        middle = (x0 + x1) / 2 + bend * across[0], (y0 + y1) / 2 + bend * across[1]
        curve = [_quadratic((x0, y0), middle, (x1, y1), step / 12) for step in range(13)]
        canvas.line(curve, colour, width)
        edge = min((self.radius + 5.0) / length, 0.5)
        canvas.disc(_quadratic((x0, y0), middle, (x1, y1), 1.0 - edge), width + 2.0, colour)
        places = [_quadratic((x0, y0), middle, (x1, y1), share) for share in LABEL_SHARES]
        return max(places, key=self._clearance)

    def _clearance(self, place: Point) -> float:
        """Return how far the next node is; beyond a label's length it does not matter."""
        return min(20.0, *(math.dist(place, point) - self.radius for point in self.points))


def make_plan(box: Box, positions: Floats | None, count: int, area_m: float) -> Plan:
    """Place nodes in a box, apart from each other where they are few; on a circle without sites."""
    left, top, right, bottom = box
    side = right - left
    radius = float(np.clip(0.13 * side / math.sqrt(count), 3.0, 0.045 * side))
    margin = radius + 12.0
    if positions is None:
        turns = 2.0 * math.pi * np.arange(count) / count - math.pi
        shares = 0.5 + 0.3 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    else:
        shares = positions / area_m
    room = np.array([side, bottom - top]) - 2.0 * margin
    places = np.array([left, top]) + margin + shares * room
    if count <= MOST_LABELLED:
        lowest = np.array([left, top]) + margin
        places = spread(places, 2.0 * radius + 14.0, lowest, lowest + room)
    return Plan(box, tuple((float(x), float(y)) for x, y in places), radius)


def spread(places: Floats, apart: float, lowest: Floats, highest: Floats) -> Floats:
    """Push points, (K, 2), away from others nearer than `apart`, within bounds; a few rounds."""
    for _ in range(ROUNDS):
        offsets = places[:, None] - places[None]
        distance = np.hypot(offsets[..., 0], offsets[..., 1])
        overlap = np.maximum(apart - distance, 0.0)
        np.fill_diagonal(overlap, 0.0)
        if not overlap.any():
            break
        push = (overlap / np.maximum(distance, 1e-9))[..., None] * offsets
        places = np.clip(places + 0.5 * push.sum(axis=1), lowest, highest)
    return places


def _round_length(metres: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at most so long."""
    power = 10.0 ** math.floor(math.log10(metres))
    return power * max(step for step in (1, 2, 5) if step * power <= metres)


def _quadratic(start: Point, control: Point, end: Point, share: float) -> Point:
    """Return a point of a quadratic Bézier curve."""
    first, second = between(start, control, share), between(control, end, share)
    return between(first, second, share)
