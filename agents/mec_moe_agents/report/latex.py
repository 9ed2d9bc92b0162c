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
    tables = [table for table in report.tables if not table.folded and table.rows]
    return comments + "".join("\n" + _table(table) for table in tables)


def _table(table: Table) -> str:
    words = sum(not heading.numeric for heading in table.headings)
    wide = words > 1 and not any(heading.numeric for heading in table.headings)
    columns = "".join("r" if heading.numeric else "l" for heading in table.headings)
    columns = "lp{0.7\\linewidth}" if wide else columns
    headings = _line([_escape(heading.text) for heading in table.headings])
    label = re.sub(r"[^a-z0-9-]+", "-", table.name.lower())
    body = "".join(_row(row) for row in table.rows)
    tabular = f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{headings}\\midrule\n{body}"
    tabular += "\\bottomrule\n\\end{tabular}\n"
    if not wide:
        tabular = f"\\begin{{adjustbox}}{{max width=\\linewidth}}\n{tabular}\\end{{adjustbox}}\n"
    return (
        f"\\begin{{table}}\n\\centering\n\\caption{{{_escape(table.caption)}}}\n"
        f"\\label{{tab:{label}}}\n{tabular}\\end{{table}}\n"
    )


def _row(row: Row) -> str:
    return _line([_cell(cell, STYLES.get(row.kind, "")) for cell in row.cells])


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\" + "\n"


def _cell(cell: Cell, style: str) -> str:
    text = _number(cell.text) if cell.estimate is not None else _escape(cell.text)
    text = f"{style}{{{text}}}" if style and text else text
    if not cell.interval:
        return text
    return rf"{text} {{\scriptsize {_number(cell.interval)}}}"


def _number(text: str) -> str:
    """Write the numbers of a text with real minus signs; a bracket of an interval needs braces."""
    signed = re.sub(r"-(?=\d)", "$-$", _escape(text))
    return f"{{{signed}}}" if signed.startswith("[") else signed


def _escape(text: str) -> str:
    return "".join(SPECIAL.get(sign, sign) for sign in text)
