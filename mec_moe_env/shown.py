"""Values in messages, shortened: what is refused may be an array of a million numbers."""

from __future__ import annotations

import reprlib

MOST = 200
"""Characters of a value."""


def shown(value: object) -> str:
    """Return a value as `repr` does, in at most `MOST` characters; what is left out is marked."""
    writer = reprlib.Repr()
    writer.maxstring = writer.maxother = writer.maxlong = MOST
    writer.maxtuple = writer.maxlist = writer.maxdict = 6
    try:
        text = writer.repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return f"<{type(value).__name__} that is too long to be written>"
    return text if len(text) <= MOST else f"{text[: MOST - 4]} ..."
