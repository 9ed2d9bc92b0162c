"""A picture to draw on: Pillow, at twice the size and then reduced, which smooths all edges."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mec_moe_env.rendering.palette import INK, WHITE, Color

WIDTH, HEIGHT = 960, 640
"""Pixels of a picture at scale 1; all lengths below are in these."""
OVERSAMPLING = 2

Frame = NDArray[np.uint8]
"""(H, W, 3), red, green, blue."""
Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@functools.cache
def font_of(size: int) -> Any:
    """Return Pillow's own typeface in a size: nothing has to be installed."""
    return ImageFont.load_default(size)


class Canvas:
    """A white picture of WIDTH times HEIGHT; (0, 0) is its upper left corner."""

    def __init__(self, scale: float = 1.0) -> None:
        self._factor = scale * OVERSAMPLING
        size = round(WIDTH * scale) * OVERSAMPLING, round(HEIGHT * scale) * OVERSAMPLING
        self._image = Image.new("RGB", size, WHITE)
        self._draw = ImageDraw.Draw(self._image)

    def frame(self) -> Frame:
        """Return the picture, (HEIGHT·scale, WIDTH·scale, 3)."""
        return np.array(self._image.reduce(OVERSAMPLING))

    def rectangle(
        self,
        box: Box,
        fill: Color | None = None,
        outline: Color | None = None,
        width: float = 1.0,
    ) -> None:
        """Draw a rectangle."""
        left, top, right, bottom = self._scaled(box)
        corners = left, top, max(right - 1, left), max(bottom - 1, top)
        self._draw.rectangle(corners, fill, outline, self._thick(width))

    def disc(
        self,
        centre: Point,
        radius: float,
        fill: Color | None = None,
        outline: Color | None = None,
        width: float = 1.0,
    ) -> None:
        """Draw a disc, or a circle if it is not filled."""
        self._draw.ellipse(self._around(centre, radius), fill, outline, self._thick(width))

    def slice(self, centre: Point, radius: float, start: float, end: float, fill: Color) -> None:
        """Draw a slice of a disc, between shares of a turn clockwise from the top."""
        angles = 360.0 * start - 90.0, 360.0 * end - 90.0
        self._draw.pieslice(self._around(centre, radius), *angles, fill)

    def ring(self, centre: Point, radius: float, share: float, color: Color, width: float) -> None:
        """Draw the share of a circle, clockwise from the top."""
        box = self._around(centre, radius)
        self._draw.arc(box, -90.0, 360.0 * share - 90.0, color, self._thick(width))

    def line(self, points: Sequence[Point], color: Color, width: float = 1.0) -> None:
        """Draw a line through points."""
        flat = [coordinate for point in points for coordinate in self._scaled(point)]
        self._draw.line(flat, color, self._thick(width), joint="curve")

    def dashes(self, start: Point, end: Point, color: Color, width: float = 1.0) -> None:
        """Draw a dashed line."""
        for piece in _pieces(start, end, dash=6.0):
            self.line(piece, color, width)

    def cross(self, centre: Point, radius: float, color: Color, width: float = 2.0) -> None:
        """Draw an x."""
        x, y = centre
        self.line([(x - radius, y - radius), (x + radius, y + radius)], color, width)
        self.line([(x - radius, y + radius), (x + radius, y - radius)], color, width)

    def text(
        self,
        at: Point,
        text: str,
        size: float = 12.0,
        color: Color = INK,
        anchor: str = "lm",
        halo: bool = False,
    ) -> None:
        """Write a line; `anchor` is Pillow's: l, m, r across and a, m, s down. Halos set it off."""
        font = font_of(max(round(size * self._factor), 1))
        edge = self._thick(2.0) if halo else 0
        place = self._factor * at[0], self._factor * at[1]
        self._draw.text(place, text, color, font, anchor, stroke_width=edge, stroke_fill=WHITE)

    def fitted(self, text: str, room: float, size: float = 12.0) -> str:
        """Return as much of a text as fits into a width."""
        font = font_of(max(round(size * self._factor), 1))
        if font.getlength(text) <= room * self._factor:
            return text
        while text and font.getlength(text + "…") > room * self._factor:
            text = text[:-1]
        return text.rstrip() + "…"

    def _thick(self, width: float) -> int:
        return max(round(width * self._factor), 1)

    def _scaled(self, lengths: Sequence[float]) -> list[float]:
        return [self._factor * length for length in lengths]

    def _around(self, centre: Point, radius: float) -> list[float]:
        x, y = centre
        return self._scaled((x - radius, y - radius, x + radius, y + radius))


def _pieces(start: Point, end: Point, dash: float) -> Iterator[tuple[Point, Point]]:
    """Yield the dashes of a line, as long as the gaps between them."""
    length = math.dist(start, end)
    for place in range(0, math.ceil(length / dash), 2):
        first, last = (min(k * dash / length, 1.0) for k in (place, place + 1))
        yield between(start, end, first), between(start, end, last)


def between(start: Point, end: Point, share: float) -> Point:
    """Return the point at a share of the way."""
    return (
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
    )
