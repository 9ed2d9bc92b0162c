"""Colours that people with any kind of colour vision tell apart (Okabe & Ito 2008).

A colour never stands alone: types also have letters, fates also have marks.
"""

from __future__ import annotations

Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
INK: Color = (33, 37, 41)
DIM: Color = (105, 112, 119)
PALE: Color = (173, 181, 189)
FAINT: Color = (222, 226, 230)
PANEL: Color = (247, 248, 249)
BLUE: Color = (0, 114, 178)
VERMILION: Color = (213, 94, 0)

ORANGE: Color = (230, 159, 0)
GREEN: Color = (0, 158, 115)

SEVERAL: tuple[Color, ...] = (
    ORANGE,
    (86, 180, 233),
    GREEN,
    (240, 228, 66),
    BLUE,
    (204, 121, 167),
    (130, 80, 40),
    (90, 96, 102),
)
"""Of types and sources by turns."""


def color_of(index: int) -> Color:
    """Return the colour of a task type, or of a source."""
    return SEVERAL[index % len(SEVERAL)]


def ink_on(color: Color) -> Color:
    """Return the colour of text on a coloured ground: dark or white, whichever contrasts more."""
    red, green, blue = color
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else WHITE


def mixed(color: Color, with_: Color, share: float) -> Color:
    """Return a colour with a share of another one in it."""
    red, green, blue = (
        round((1.0 - share) * one + share * other) for one, other in zip(color, with_, strict=True)
    )
    return red, green, blue


def shade(score: float) -> Color:
    """Return white for 0 and a dark blue for 1; lightness alone tells scores apart."""
    return mixed(WHITE, (8, 48, 107), float(min(max(score, 0.0), 1.0)))
