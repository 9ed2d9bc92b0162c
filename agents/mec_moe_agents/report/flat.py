"""The numbers of a report for other programs: one CSV file, or one JSON document."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mec_moe_agents.report.content import Cell, Report, Table
from mec_moe_env.files import write_csv, write_text

Entry = dict[str, object]


def write_report_csv(report: Report, path: Path) -> None:
    """Write a line per number of every table, and per cell of words; in the columns' units."""
    write_csv(path, [entry for table in report.tables for entry in _entries(table)])


def write_report_json(report: Report, path: Path) -> None:
    """Write the record, and every section with its sentences, tables and names of figures."""
    document = {
        "title": report.title,
        "run": dataclasses.asdict(report.record),
        "sections": [
            {
                "title": section.title,
                "verdict": section.verdict,
                "sentences": list(section.sentences),
                "tables": [_table(table) for table in section.tables],
                "figures": [figure.svg.name for figure in section.figures],
            }
            for section in report.sections
        ],
    }
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _entries(table: Table) -> Iterator[Entry]:
    for row in table.rows:
        name = row.cells[0].text
        for heading, cell in zip(table.headings[1:], row.cells[1:], strict=True):
            if cell.text:
                head = {"table": table.name, "row": name, "column": heading.text}
                yield {**head, **_numbers(cell), "text": cell.text}


def _table(table: Table) -> dict[str, Any]:
    headings = [heading.text for heading in table.headings]
    return {
        "name": table.name,
        "caption": table.caption,
        "columns": headings,
        "rows": [
            {
                "kind": row.kind,
                **{
                    heading: cell.text
                    if cell.estimate is None
                    else {**_numbers(cell, None), "text": cell.text}
                    for heading, cell in zip(headings, row.cells, strict=True)
                },
            }
            for row in table.rows
        ],
    }


def _numbers(cell: Cell, missing: object = "") -> Entry:
    """Return mean and interval; `missing` where there is none."""
    numbers = (math.nan,) * 3 if cell.estimate is None else cell.estimate
    return {
        name: missing if math.isnan(number) else number
        for name, number in zip(("mean", "low", "high"), numbers, strict=True)
    }
