"""A drawing that Matplotlib wrote as SVG, as part of a page."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from mec_moe_agents.report.markup import plain
from mec_moe_env.files import blaming, read_bytes

SVG = "{http://www.w3.org/2000/svg}"
FORBIDDEN = frozenset(f"{SVG}{name}" for name in ("script", "foreignObject", "a", "iframe"))
COORDINATE = re.compile(r"(\.\d\d)\d+")


def embedded(path: Path, label: str) -> str:
    """Return a drawing as an element of HTML that scales with the page.

    Identifiers begin with the drawing's name, as those of all drawings of a page must differ;
    coordinates have a hundredth of a point.

    Raises:
        ValueError: the file is no whole SVG, or holds more than a drawing.
    """
    text = read_bytes(path).decode("utf-8", errors="replace")
    with blaming(path, "not a whole SVG file"):
        root = ElementTree.fromstring(text)
    if root.tag != f"{SVG}svg" or any(each.tag in FORBIDDEN for each in root.iter()):
        raise ValueError(f"{path}: expected a drawing in SVG as the commands write it")
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"\sd=\"[^\"]*\"", lambda found: COORDINATE.sub(r"\1", found[0]), body)
    body = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{path.stem}-", body)
    view = f'viewBox="{plain(root.attrib["viewBox"])}"'
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} role="img" aria-label="{plain(label)}">'
    )
    return opening + re.sub(r"^<svg[^>]*>", "", body)
