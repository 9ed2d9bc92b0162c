"""How agents are named in text: `guard`, `des[quality=0.7]`, `mine.py:Scheduler`, with commas.

Needs nothing but the standard library: the command line reads settings by it before anything else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

MOST_CHARACTERS = 10_000
OPENING, CLOSING, QUOTES = "[(", "])", "'\""


class Reference(NamedTuple):
    """An agent as it is named."""

    target: str
    """A name of the catalogue, or where the agent is to be found."""
    options: dict[str, Any]
    """Keyword arguments, those in brackets."""


def split_references(text: str) -> list[str]:
    """Split at commas outside of brackets and quotes, without blanks and empty names.

    Raises:
        ValueError: a bracket or a quote is not closed, or the text is too long.
    """
    return [name for part in _parts(text, within=0) if (name := part.strip())]


def parse_reference(text: str) -> Reference:
    """Part a name from the options in brackets behind it.

    Raises:
        ValueError: an option has no `=`, stands twice, or a bracket is not closed.
    """
    target, bracket, rest = text.partition("[")
    if not bracket:
        return Reference(text, {})
    if not target or not rest.endswith("]"):
        raise ValueError(f"agent {text!r}: expected NAME[OPTION=VALUE, …]")
    options: dict[str, Any] = {}
    for setting in filter(None, map(str.strip, _parts(rest[:-1], within=1))):
        name, separator, value = (part.strip() for part in setting.partition("="))
        if not separator or not name.isidentifier():
            raise ValueError(f"agent {text!r}: expected OPTION=VALUE in brackets, got {setting!r}")
        if name in options:
            raise ValueError(f"agent {text!r}: option {name} stands twice")
        options[name] = read_value(value)
    return Reference(target, options)


def read_value(text: str) -> Any:
    """Read a number, a tuple of numbers, None, a truth, inf, or plain text, quoted or not."""
    if text in ("inf", "-inf"):
        return float(text)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return tuple(value) if isinstance(value, list) else value


def _parts(text: str, *, within: int) -> Iterator[str]:
    """Yield what stands between commas; a quote is one where `within` and open brackets are > 0."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{len(text):,} characters are too many, allowed are {MOST_CHARACTERS:,}")
    depth, quote, start = 0, "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES and depth + within > 0:
            quote = letter
        elif letter in OPENING:
            depth += 1
        elif letter in CLOSING:
            depth -= 1
        elif letter == "," and depth == 0:
            yield text[start:place]
            start = place + 1
        if depth < 0:
            break
    if depth or quote:
        raise ValueError(f"{text!r}: brackets or quotes do not match")
    yield text[start:]
