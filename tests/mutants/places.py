"""The mutants of a source file, made by cosmic-ray's operators, and a fixed draw of some.

A place is a piece of a line that operators can change: an operator, a number, a condition. Of a
place's mutants one is drawn, so that no line counts more because there are more ways to spoil it.
An arithmetic operator becomes another arithmetic one, not a bitwise one that no float64 has, and a
comparison of numbers none of identity; annotations are never run, and decorators here say how
numba compiles. What is left is a program that could have been written by mistake.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Span = tuple[tuple[int, int], tuple[int, int]]
"""Line and column of begin and end, lines from 1."""

FAMILIES = (
    frozenset(("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow")),
    frozenset(("RShift", "LShift", "BitOr", "BitAnd", "BitXor")),
    frozenset(("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")),
    frozenset(("Is", "IsNot")),
    frozenset(("In", "NotIn")),
)
"""Operators that replace one another."""
REPLACING = ("ReplaceBinaryOperator", "ReplaceComparisonOperator")
LEFT_OUT = ("RemoveDecorator",)


@dataclass(frozen=True)
class Mutant:
    """A file with one place changed."""

    file: str
    """From the root of the repository."""
    operator: str
    """cosmic-ray's name."""
    occurrence: int
    """Which of the operator's mutants of the file."""
    line: int
    old: str
    """The text of the line, without indentation."""
    new: str
    place: str
    """See `Place.name`."""

    @property
    def name(self) -> str:
        """What stays the same while other lines of the file change."""
        return f"{self.place}|{self.operator}|{self.new}"


@dataclass(frozen=True)
class Place:
    """What operators can change: which of them, and which of their mutants of the file."""

    name: str
    """File, text of the line, column in it, and which of the file's lines of that text."""
    line: int
    ways: tuple[tuple[str, int], ...]


def is_wanted(operator: str) -> bool:
    """Return whether an operator, by cosmic-ray's name, makes what counts here."""
    kind, *exchanged = operator.rpartition("/")[2].split("_")
    if kind not in REPLACING:
        return kind not in LEFT_OUT
    return any(family.issuperset(exchanged) for family in FAMILIES)


def annotation_spans(source: str) -> list[Span]:
    """Return where a source has annotations."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            held = getattr(node, name, None)
            if held is not None:
                found.append(
                    ((held.lineno, held.col_offset), (held.end_lineno, held.end_col_offset))
                )
    return found


def places_of(root: Path, file: str) -> list[Place]:
    """Return all places of a file, from its beginning to its end."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    source = (root / file).read_text("utf-8")
    nodes, spared = list(ast_nodes(get_ast(source))), annotation_spans(source)
    ways: dict[Span, list[tuple[str, int]]] = {}
    for operator in filter(is_wanted, operator_names()):
        made: Any = get_operator(operator)
        if made.arguments():
            continue
        spans = (span for node in nodes for span in made().mutation_positions(node))
        for occurrence, span in enumerate(spans):
            if not any(first <= span[0] and span[1] <= last for first, last in spared):
                ways.setdefault(span, []).append((operator, occurrence))
    lines, seen, places = source.splitlines(), Counter[str](), []
    for span in sorted(ways):
        (line, column), text = span[0], lines[span[0][0] - 1]
        words = f"{text.strip()}|{column - len(text) + len(text.lstrip())}|{span[1][1]}"
        places.append(Place(f"{file}|{words}|{seen[words]}", line, tuple(ways[span])))
        seen[words] += 1
    return places


def mutated(source: str, operator: str, occurrence: int) -> str:
    """Return a source with one place changed."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    changed = mutate_code(source, get_operator(operator)(), occurrence)
    if changed is None:
        raise ValueError(f"{operator} changes fewer than {occurrence + 1} places")
    return str(changed)


def draw(root: Path, places: Sequence[Place], count: int, seed: int) -> list[Mutant]:
    """Draw places, and one mutant of each that is a program, and another one."""
    drawn = list[Mutant]()
    for place in in_order(places, seed):
        made = (_mutant(root, place, *way) for way in place.ways)
        mutant = next((each for each in made if each is not None), None)
        if mutant is not None:
            drawn.append(mutant)
        if len(drawn) == count:
            break
    return drawn


def in_order(places: Sequence[Place], seed: int) -> list[Place]:
    """Return the places as a seed shuffles them, and so the ways of each.

    By hashes of what they read, so that a change elsewhere in the code leaves most drawn as they
    were, and a longer draw begins with a shorter one.
    """

    def order(*words: str) -> bytes:
        return hashlib.sha256("|".join((str(seed), *words)).encode()).digest()

    def shuffled(place: Place) -> Place:
        # A way by its operator, and by its rank among that operator's in the place.
        ranks = Counter[str]()
        keyed = []
        for operator, occurrence in place.ways:
            keyed.append((order(place.name, operator, str(ranks[operator])), operator, occurrence))
            ranks[operator] += 1
        ways = tuple((operator, occurrence) for _, operator, occurrence in sorted(keyed))
        return dataclasses.replace(place, ways=ways)

    return [shuffled(each) for each in sorted(places, key=lambda each: order("place", each.name))]


def _mutant(root: Path, place: Place, operator: str, occurrence: int) -> Mutant | None:
    """Return a mutant, or None where it is no program or the same one."""
    file = place.name.partition("|")[0]
    source = (root / file).read_text("utf-8")
    changed = mutated(source, operator, occurrence)
    try:
        if ast.dump(ast.parse(changed)) == _dump(source):
            return None
    except SyntaxError:
        return None
    old, new = (text.splitlines()[place.line - 1].strip() for text in (source, changed))
    return Mutant(file, operator, occurrence, place.line, old, new, place.name)


@functools.lru_cache
def _dump(source: str) -> str:
    return ast.dump(ast.parse(source))
