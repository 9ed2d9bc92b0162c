"""Docstrings are Markdown of a small kind; autodoc wants reStructuredText."""

from __future__ import annotations

import re
from typing import Any

CODE = re.compile(r"(`+[^`]+`+)")
"""Also where it runs on into the next line."""
FENCE = "```"
EXAMPLE = re.compile(
    rf"((?:^|(?<=\n))[ ]*>>>.*?(?:\n[ ]*(?=\n)|$)|{FENCE}python\n.*?\n{FENCE})", re.DOTALL
)
SPECIAL = re.compile(r"([*|\\])|(?<=\w)(_)(?!\w)")
"""What reStructuredText would take for markup: emphasis, substitutions, references."""
ARRAY = re.compile(
    r"~?(?:numpy\.)?ndarray\[tuple\[~?(?:typing\.)?Any, \.\.\.\], "
    r"~?(?:numpy\.)?dtype\[~?(?:numpy\.)?([^\]]+)\]\]"
)
"""How `NDArray` looks once Python has evaluated it."""
PAGES = {"OffloadingEnv": "offloading", "DMoEEnv": "dmoe"}
"""Classes whose docstring is a page of its own."""


def to_rst(text: str) -> str:
    """Return text as reStructuredText: code stays code, nothing else is markup."""
    pieces = CODE.split(text)
    for position, piece in enumerate(pieces):
        if position % 2:
            pieces[position] = f"``{piece.strip('`')}``"
        else:
            pieces[position] = SPECIAL.sub(r"\\\1\2", piece)
    return "".join(pieces)


def as_directive(example: str) -> str:
    """Return fenced code as reStructuredText, and any other example as it is."""
    if not example.startswith(FENCE):
        return example
    _, *code, _ = example.split("\n")
    return "\n".join([".. code-block:: python", "", *(f"    {line}".rstrip() for line in code), ""])


def rewrite(app: Any, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Rewrite a docstring in place; Sphinx's `autodoc-process-docstring` calls it."""
    page = PAGES.get(name.rpartition(".")[2]) if what == "class" else None
    if page is not None:
        lines[1:] = ["", f"All of it stands on a page of its own: :doc:`/generated/{page}`."]
        return
    # Examples at a prompt, which end at an empty line, stay as they are.
    pieces = EXAMPLE.split("\n".join(lines))
    pieces[::2] = map(to_rst, pieces[::2])
    pieces[1::2] = map(as_directive, pieces[1::2])
    lines[:] = "".join(pieces).split("\n")
    if what in ("attribute", "data", "property"):
        # Napoleon takes what precedes the first colon of an attribute for its type: nothing here.
        lines[0] = f": {lines[0]}"


def shorten(
    app: Any,
    what: str,
    name: str,
    obj: object,
    options: Any,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Write arrays as they are annotated; Sphinx's `autodoc-process-signature` calls it."""
    return _shortened(signature), _shortened(returned)


def _shortened(text: str | None) -> str | None:
    return None if text is None else ARRAY.sub(r"NDArray[\1]", text)
