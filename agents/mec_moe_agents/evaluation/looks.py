"""How an agent looks in every picture: its colour, line and marker, told apart by all readers."""

from __future__ import annotations

import colorsys
import itertools
import zlib
from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mec_moe_agents.evaluation.color import contrast, distance

if TYPE_CHECKING:
    from matplotlib.typing import LineStyleType


class Look(NamedTuple):
    """How an agent is drawn, the same in every picture."""

    color: str
    line: LineStyleType
    marker: str

    @property
    def style(self) -> dict[str, Any]:
        """Its line and markers, as Matplotlib's `plot` takes them."""
        return {"color": self.color, "ls": self.line, "marker": self.marker}

    @property
    def edge(self) -> str:
        """Colour around a marker; a cross and a star have too little inside for white."""
        return self.color if self.marker in "x*X" else "white"


# Okabe and Ito's palette as far as it goes; lines and markers differ too. Agents that never meet
# in one environment may share a look.
LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "random": Look("#B3B3B3", ":", "v"),
        "nearest": Look("#E69F00", "--", "s"),
        "most-powerful": Look("#6A3D00", "-.", "^"),
        "reject-all": Look("#5B5B5B", (0, (1, 3)), "x"),
        "gating": Look("#E377C2", "-", "D"),
        "profile": Look("#009E73", "-", "P"),
        "guard": Look("#0072B2", "-", "o"),
        "topk": Look("#56B4E9", "--", "p"),
        "des": Look("#7900F2", "--", "<"),
        "jesa": Look("#332288", "-", ">"),
        "learned": Look("#CC3311", "-", "*"),
        "greedy-oracle": Look("#163859", "--", "h"),
        "clairvoyant": Look("#000000", "--", "X"),
        "homogeneous": Look("#E69F00", "--", "s"),
        "jesa-plus": Look("#009E73", ":", "P"),
        "exact": Look("#000000", "--", "h"),
        "optimal": Look("#6A3D00", "-", "X"),
        "no-expert": Look("#5B5B5B", (0, (1, 3)), "x"),
    }
)
BOUND = Look("#000000", (0, (1, 1)), "")
"""How a bound or a formula is drawn."""
OWN_LINES: tuple[LineStyleType, ...] = ("-.", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))
OWN_MARKERS = ("d", "8", "H", "<", "^", "s")
FAR_APART = 20.0
"""Colours at this distance are told apart at a glance, lines of different agents too."""
LEAST_CONTRAST = 2.2
"""Of a line to white paper, as WCAG has it."""


def look_of(agent: str) -> Look:
    """Return how an agent is drawn where nobody but agents of the catalogue is beside it."""
    return looks_of([agent])[agent]


def looks_of(agents: Collection[str]) -> dict[str, Look]:
    """Return how the agents of one picture are drawn.

    An agent of one's own gets a colour that its name begins the choice of, far from those of all
    others in the picture: the same whenever the same agents meet.
    """
    looks = {agent: LOOKS[agent] for agent in agents if agent in LOOKS}
    for agent in sorted(set(agents) - looks.keys()):
        number = zlib.crc32(agent.encode())
        color = _free_color(number, [look.color for look in looks.values()])
        line = OWN_LINES[number % len(OWN_LINES)]
        looks[agent] = Look(color, line, OWN_MARKERS[len(looks) % len(OWN_MARKERS)])
    return {agent: looks[agent] for agent in agents}


@cache
def _palette() -> tuple[str, ...]:
    """Return colours for agents of one's own, dark enough for a line on white."""
    grid = itertools.product(range(24), (1.0, 0.75, 0.5), (0.95, 0.8, 0.65, 0.5, 0.35))
    mixed = (colorsys.hsv_to_rgb(hue / 24, saturation, value) for hue, saturation, value in grid)
    colors = ("#" + "".join(f"{round(255 * part):02X}" for part in rgb) for rgb in mixed)
    return tuple(color for color in colors if contrast(color) >= LEAST_CONTRAST)


def _free_color(number: int, taken: Collection[str]) -> str:
    """Choose the first colour from a place in the palette that is far from all, or the farthest."""
    palette = _palette()
    start = number % len(palette)
    best, widest = palette[start], -1.0
    for color in (*palette[start:], *palette[:start]):
        room = min((distance(color, other) for other in taken), default=FAR_APART)
        if room >= FAR_APART:
            return color
        best, widest = (color, room) if room > widest else (best, widest)
    return best
