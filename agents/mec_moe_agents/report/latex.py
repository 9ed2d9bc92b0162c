"""The tables of a report for papers: LaTeX in booktabs' style."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mec_moe_agents.report.content import BEST, BOUND_ROW, REFERENCE, Cell, Report, Row, Table

PACKAGES = ("booktabs", "adjustbox")
SPECIAL: Mapping[str, str] = MappingProxyType(
    {
        "\\": r"\textbackslash{}",
        **{sign: rf"\{sign}" for sign in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        '"': "''",
        "−": "$-$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "±": r"$\pm$",
        "×": r"$\times$",
        "·": r"$\cdot$",
        "→": r"$\rightarrow$",
        "τ": r"$\tau$",
        "γ": r"$\gamma$",
        "α": r"$\alpha$",
        "–": "--",
        "—": "---",
        "…": r"\dots{}",
        "’": "'",
    }
)
STYLES: Mapping[str, str] = MappingProxyType(
    {BEST: r"\textbf", REFERENCE: r"\textit", BOUND_ROW: r"\textit"}
)


def as_latex(report: Report) -> str:
    """Write every table that a page shows at once, to be included as it is."""
    record = report.record
    drawings = [figure.pdf.name for section in report.sections for figure in section.figures]
    head = [
        f"mec-moe-env {record.version}, code {record.code}",
        *record.reproduce,
        "Into the preamble: " + "".join(rf"\usepackage{{{name}}}" for name in PACKAGES),
        f"Pictures, as PDF and SVG in the folder of the run: {', '.join(drawings)}",
    ]
    comments = "".join(f"% {line}\n" for text in head for line in text.splitlines())
    return comments + "".join(
        f"\n{_float(table, section.title)}"
        for section in report.sections
        for table in section.tables
        if not table.folded
    )


def _float(table: Table, title: str) -> str:
    """Write a table with its caption; `title` is of its section."""
    caption = table.caption if title in table.caption else f"{title}: {table.caption}"
    label = re.sub(r"[^a-z0-9-]+", "-", table.name.lower())
    return (
        f"\\begin{{table}}\n\\centering\n\\caption{{{_escape(caption)}}}\n"
        f"\\label{{tab:{label}}}\n{_tabular(table)}\\end{{table}}\n"
    )


def _tabular(table: Table) -> str:
    """Write numbers as wide as they are, shrunk to the page if they must be; words are broken."""
    wordy = not any(heading.numeric for heading in table.headings)
    kinds = "".join("r" if heading.numeric else "l" for heading in table.headings)
    columns = r"lp{0.7\linewidth}" if wordy else kinds
    headings = _line([_escape(heading.text) for heading in table.headings])
    rows = "".join(map(_row, table.rows))
    tabular = (
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{headings}\\midrule\n{rows}"
        "\\bottomrule\n\\end{tabular}\n"
    )
    if wordy:
        return tabular
    return f"\\begin{{adjustbox}}{{max width=\\linewidth}}\n{tabular}\\end{{adjustbox}}\n"


def _row(row: Row) -> str:
    """Write a row, and its intervals in small print beneath."""
    style = STYLES.get(row.kind, "")
    numbers = _line([_cell(cell, style) for cell in row.cells])
    if not any(cell.interval for cell in row.cells):
        return numbers
    return numbers + _line([_interval(cell) for cell in row.cells])


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\" + "\n"


def _cell(cell: Cell, style: str) -> str:
    text = _escape(cell.text) if cell.estimate is None else _number(cell.text)
    return f"{style}{{{text}}}" if style and text else text


def _interval(cell: Cell) -> str:
    # In braces: LaTeX would take a bracket after the end of a line for an option of it.
    return rf"{{\scriptsize {_number(cell.interval)}}}" if cell.interval else ""


def _number(text: str) -> str:
    """Write numbers with real minus signs."""
    return _escape(text).replace("-", "$-$")


def _escape(text: str) -> str:
    return "".join(SPECIAL.get(sign, sign) for sign in text)
