"""Tables of a report as HTML; `page.js` sorts them by what stands in `data-value`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mec_moe_agents.report.content import Cell, Heading, Row, Table
from mec_moe_agents.report.markup import plain

LONG_NAME = 24
"""Characters from which on a name is words, which keep a width to be read at."""


def table_html(table: Table) -> str:
    """Return a table that sorts by mouse and keyboard, and scrolls where it is too wide."""
    heads = "".join(map(_head, table.headings))
    rows = "".join(_row(row, table.headings) for row in table.rows)
    caption = plain(table.caption)
    # Who uses a keyboard reaches what is out of sight, too.
    shown = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}">'
        f'<table class="sortable" data-name="{plain(table.name)}"><caption>{caption}</caption>'
        f'<thead><tr class="named">{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
    if not table.folded:
        return shown
    return f"<details><summary>{caption}</summary>{shown}</details>"


def pairs_html(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a small table of names and values, in their order."""
    heads = "".join(f'<th scope="col">{plain(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row"><code>{plain(name)}</code></th>'
        + "".join(f"<td>{plain(written(value))}</td>" for value in values)
        + "</tr>"
        for name, *values in rows
    )
    return (
        '<div class="scroll" tabindex="0"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def written(value: Any) -> str:
    """Write a value of a configuration as `--set` takes it."""
    if isinstance(value, list | tuple):
        return ",".join(map(written, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def facts_html(facts: Mapping[str, str]) -> str:
    """Return facts by what they are about; the values are HTML."""
    lines = "".join(f"<dt>{plain(name)}</dt><dd>{value}</dd>" for name, value in facts.items())
    return f'<dl class="facts">{lines}</dl>'


def _head(heading: Heading) -> str:
    kind = ' class="number"' if heading.numeric else ""
    group = f"<small>{plain(heading.group)}</small>" if heading.group else ""
    return (
        f'<th scope="col"{kind} aria-sort="{heading.order}">'
        f'{group}<button type="button">{plain(heading.text)}</button></th>'
    )


def _row(row: Row, headings: Sequence[Heading]) -> str:
    kind = f" {row.kind}" if row.kind else ""
    first, *others = zip(row.cells, headings, strict=True)
    name = _cell("th", ' scope="row"', *first)
    return (
        f'<tr class="named{kind}">{name}{"".join(_cell("td", "", *each) for each in others)}</tr>'
    )


def _cell(tag: str, scope: str, cell: Cell, heading: Heading) -> str:
    words = ' class="words"' if tag == "th" and len(cell.text) > LONG_NAME else ""
    kind = ' class="number"' if heading.numeric else words
    value = math.nan if cell.estimate is None else cell.estimate.mean
    data = "" if math.isnan(value) else f' data-value="{value!r}"'
    interval = f"<small>{_minus(plain(cell.interval))}</small>" if cell.interval else ""
    text = plain(cell.text) if cell.estimate is None else _minus(cell.text)
    return f"<{tag}{scope}{kind}{data}>{text}{interval}</{tag}>"


def _minus(text: str) -> str:
    """Write numbers with real minus signs."""
    return text.replace("-", "−")
