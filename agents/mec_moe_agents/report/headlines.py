"""Sections of a report on the papers' questions: the figures that answer each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mec_moe_agents.evaluation.columns import Column
from mec_moe_agents.report.content import Cell, Figure, Heading, Row, Section, Table
from mec_moe_agents.report.standings import estimate

HEADINGS = (
    Heading("Figure", numeric=False),
    Heading("Mean"),
    Heading("Target", numeric=False),
    Heading("Holds", numeric=False),
)


def study_section(study: Mapping[str, Any], figures: Mapping[str, Figure]) -> Section:
    """Return the figures of a study, with targets where there are any, and its picture."""
    name, question = study["study"], study["question"]
    rows = [_row(headline) for headline in study["headlines"]]
    table = Table(name, f"{question} Means with 95 % intervals.", HEADINGS, rows)
    held = [headline["holds"] for headline in study["headlines"] if headline["holds"] is not None]
    verdict = f"{sum(held)} of {len(held)} targets hold." if held else ""
    return Section(name, verdict, [question], [table], [figures[name]])


def _row(headline: Mapping[str, Any]) -> Row:
    column = Column("", headline["decimals"])
    holds = {None: "", True: "yes", False: "no"}[headline["holds"]]
    mean = Cell.of(column, estimate(headline["estimate"]))
    return Row([Cell(headline["label"]), mean, Cell(headline["target"]), Cell(holds)])
