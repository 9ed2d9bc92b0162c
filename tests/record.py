"""Notes what a long run came to on the page of `docs/trust.md`, between two comments.

    python -m tests.record    tells which notes are of the code as it is, and which of another

A note of other code still says what was tried; what has changed since is in the repository's log.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from mec_moe_agents.evaluation.provenance import current_provenance

PAGE = Path(__file__).parents[1] / "docs" / "trust.md"


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with another text between `<!-- name -->` and `<!-- end of name -->`.

    Raises:
        ValueError: the page has no such comments.
    """
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no place for {name!r}")
    return pattern.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page)


def record(name: str, command: str, result: str) -> None:
    """Write command, result, date and code to the page."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    code = current_provenance().fingerprint
    text = f"`{command}`, {day}, code `{code}`: {result}"
    PAGE.write_text(replaced(PAGE.read_text("utf-8"), name, text), "utf-8")


def told(page: str, code: str) -> list[str]:
    """Return a line for each note of a page: its command, and whether its code is this one."""
    notes = re.findall(r"^`(python -m [^`]+)`, ([\d-]+), code `(\w+)`", page, re.MULTILINE)
    return [
        f"{command}, {day}: {'this code' if of == code else f'of {of}, now {code}'}"
        for command, day, of in notes
    ]


if __name__ == "__main__":
    print("\n".join(told(PAGE.read_text("utf-8"), current_provenance().fingerprint)))
