"""What a report says, whatever it is written as: sections with sentences, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mec_moe_agents.evaluation.columns import Column
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.report.record import Record

BEST, REFERENCE, BOUND_ROW, PLAIN = "best", "reference", "bound", ""
"""What a row may be; a reference shows what can be reached, and competes with nobody."""


@dataclass(frozen=True)
class Cell:
    """A number as it is written, with its interval, or words; nothing where nothing is known."""

    text: str = ""
    interval: str = ""
    estimate: Estimate | None = None
    """In the unit of the column; None for words."""

    @classmethod
    def of(cls, column: Column, estimate: Estimate | None) -> Cell:
        """Write an estimate in the unit and precision of a column."""
        number, interval = column.cell(estimate)
        known = None if estimate is None else estimate.times(column.scale)
        return cls(number, interval, known)


@dataclass(frozen=True)
class Heading:
    """The head of a column."""

    text: str
    numeric: bool = True
    group: str = ""
    """Written over the first column of a group, such as `feasibility`."""
    order: str = "none"
    """How the rows are sorted by it, as `aria-sort` has it."""


@dataclass(frozen=True)
class Row:
    """A row of a table; its first cell names it."""

    cells: Sequence[Cell]
    kind: str = PLAIN


@dataclass(frozen=True)
class Table:
    """A table with a caption; `name` is no other table's of the report."""

    name: str
    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Row]
    folded: bool = False
    """Whether a page shows it only on demand."""


@dataclass(frozen=True)
class Figure:
    """A drawing, there as SVG and PDF."""

    caption: str
    svg: Path

    @property
    def pdf(self) -> Path:
        """The same for LaTeX."""
        return self.svg.with_suffix(".pdf")


@dataclass(frozen=True)
class Section:
    """A part of a report; its sentences may hold Markdown's `code`, *emphasis* and **more**."""

    title: str
    verdict: str = ""
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()


@dataclass(frozen=True)
class Report:
    """A whole report."""

    folder: Path
    record: Record
    title: str
    sections: Sequence[Section]
    explanation: str = ""
    """How to read it, in Markdown's paragraphs and bullet points."""

    @property
    def tables(self) -> list[Table]:
        """All tables, in their order."""
        return [table for section in self.sections for table in section.tables]
