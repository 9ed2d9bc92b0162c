"""Notes what a long run came to on the page of `docs/trust.md`, between two comments."""

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
