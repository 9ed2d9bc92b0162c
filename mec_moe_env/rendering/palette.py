"""Colours that people with any kind of colour vision tell apart (Okabe & Ito 2008).

A colour never stands alone: types also have letters, fates also have marks.
"""

from __future__ import annotations

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
INK: Colour = (33, 37, 41)
DIM: Colour = (105, 112, 119)
PALE: Colour = (173, 181, 189)
FAINT: Colour = (222, 226, 230)
PANEL: Colour = (247, 248, 249)
BLUE: Colour = (0, 114, 178)
VERMILION: Colour = (213, 94, 0)

ORANGE: Colour = (230, 159, 0)
GREEN: Colour = (0, 158, 115)

SEVERAL: tuple[Colour, ...] = (
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


def colour_of(index: int) -> Colour:
    """Return the colour of a task type, or of a source."""
    return SEVERAL[index % len(SEVERAL)]


def ink_on(colour: Colour) -> Colour:
    """Return the colour of text on a coloured ground: dark or white, whichever contrasts more."""
    red, green, blue = colour
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else WHITE


def mixed(colour: Colour, with_: Colour, share: float) -> Colour:
    """Return a colour with a share of another one in it."""
    red, green, blue = (
        round((1.0 - share) * one + share * other) for one, other in zip(colour, with_, strict=True)
    )
    return red, green, blue


def shade(score: float) -> Colour:
    """Return white for 0 and a dark blue for 1; lightness alone tells scores apart."""
    return mixed(WHITE, (8, 48, 107), float(min(max(score, 0.0), 1.0)))
