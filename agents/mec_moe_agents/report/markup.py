"""Words as HTML: escaped, with the little Markdown that verdicts and explanations hold."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

SPANS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*]+)\*"), r"<em>\1</em>"),
    (re.compile(r"\[([^]]+)\]\((https://[^)\s]+)\)"), r'<a href="\2">\1</a>'),
)
MINUS = re.compile(r"`[^`]*`|(?<=[\s\[(])-(?=\d)")
"""A hyphen before a number, as Python writes a minus; or code, where it stays."""


def inline(text: str) -> str:
    """Return a sentence as HTML; code, emphasis and links are Markdown's."""
    escaped = MINUS.sub(lambda found: "−" if found[0] == "-" else found[0], html.escape(text))
    for pattern, replacement in SPANS:
        escaped = pattern.sub(replacement, escaped)
    return escaped


def plain(text: str) -> str:
    """Return words as HTML, nothing in them being markup."""
    return html.escape(text)


def command(text: str) -> str:
    """Return a command line as HTML that is broken between its words only."""
    words = " ".join(f"<span>{html.escape(word)}</span>" for word in text.split(" "))
    return f'<pre class="command">{words}</pre>'


def blocks(text: str) -> str:
    """Return paragraphs and bullet points as HTML, which a blank line or a dash begins."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        first, *points = re.split(r"(?:^|\n)- ", paragraph)
        parts += [f"<p>{inline(_unwrapped(first))}</p>"] if first else []
        parts += [_list(points)] if points else []
    return "\n".join(parts)


def _list(points: Sequence[str]) -> str:
    items = "".join(f"<li>{inline(_unwrapped(point))}</li>" for point in points)
    return f"<ul>{items}</ul>"


def _unwrapped(text: str) -> str:
    return " ".join(text.split())
