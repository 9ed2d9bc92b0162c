"""Where the nodes stand on a map, and what is drawn of them in every picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.rendering.canvas import Box, Canvas, Point, between
from mec_moe_env.rendering.palette import DIM, FAINT, PALE, PANEL, Color

MOST_LABELLED = 64
"""With more nodes than that they are dots without labels."""
ROUNDS = 30
"""Of pushing apart what would cover each other."""
LABEL_BELOW = 13.0
"""From the edge of a node down to its label."""
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

    @property
    def edge(self) -> Color:
        """Color of the edge of a node."""
        return DIM if self.labelled else PALE

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

    def draw_link(self, canvas: Canvas, start: int, end: int, color: Color, width: float) -> None:
        """Draw a link with a head, bent to the right of its way."""
        curve = self._curve(start, end)
        canvas.line([_quadratic(*curve, step / 12) for step in range(13)], color, width)
        length = max(math.dist(curve[0], curve[2]), 1e-9)
        edge = min((self.radius + 5.0) / length, 0.5)
        head = width + (2.0 if self.labelled else 1.0)
        canvas.disc(_quadratic(*curve, 1.0 - edge), head, color)

    def label_place(self, start: int, end: int) -> Point:
        """Return where a link's label hides least."""
        curve = self._curve(start, end)
        return max((_quadratic(*curve, share) for share in LABEL_SHARES), key=self._clearance)

    def _curve(self, start: int, end: int) -> tuple[Point, Point, Point]:
        """Return start, control point and end of a link's way."""
        (x0, y0), (x1, y1) = self.points[start], self.points[end]
        length = max(math.hypot(x1 - x0, y1 - y0), 1e-9)
        bend = min(0.12 * length, 16.0) / length
        middle = (x0 + x1) / 2 + bend * (y0 - y1), (y0 + y1) / 2 + bend * (x1 - x0)
        return (x0, y0), middle, (x1, y1)

    def _clearance(self, place: Point) -> float:
        """Return how far the next node is; beyond a label's length it does not matter."""
        below = self.radius + LABEL_BELOW
        nodes = (math.dist(place, point) - self.radius for point in self.points)
        labels = (math.dist(place, (x, y + below)) for x, y in self.points)
        return min(20.0, *nodes, *labels)


def make_plan(box: Box, positions: Floats | None, count: int, area_m: float) -> Plan:
    """Place nodes in a box, apart from each other where they are few; on a circle without sites."""
    left, top, right, bottom = box
    side = right - left
    radius = float(np.clip(0.13 * side / math.sqrt(count), 2.0, 0.045 * side))
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
