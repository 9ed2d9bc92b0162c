"""Sections of a report on the papers' questions: the figures that answer each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mec_moe_agents.evaluation.columns import Column
from mec_moe_agents.report.content import Cell, Figure, Heading, Row, Section, Table
from mec_moe_agents.report.standings import estimate
from mec_moe_agents.reproduce import in_a_word

WORDS, MEAN = Heading("Figure", numeric=False), Heading("Mean")
TARGETS = (Heading("Target", numeric=False), Heading("Holds", numeric=False))


def study_section(study: Mapping[str, Any], figures: Mapping[str, Figure]) -> Section:
    """Return the figures of a study, with targets where there are any, and its picture."""
    name, question, lines = study["study"], study["question"], study["headlines"]
    held = [line["holds"] for line in lines if line["holds"] is not None]
    undecided = sum(bool(line["target"]) for line in lines) - len(held)
    headings = [WORDS, MEAN, *(TARGETS if held else ())]
    rows = [Row(_cells(line)[: len(headings)]) for line in lines]
    rest = f", {undecided} are undecided" if undecided else ""
    verdict = f"{question} {sum(held)} of {len(held)} targets hold{rest}." if held else question
    table = Table(name, "Means with 95 % intervals.", headings, rows)
    return Section(name, verdict, (), [table], [figures[name]])


def _cells(line: Mapping[str, Any]) -> list[Cell]:
    mean = Cell.of(Column("", line["decimals"]), estimate(line["estimate"]))
    met = in_a_word(line["target"], line["holds"])
    return [Cell(line["label"]), mean, Cell(line["target"].replace("-", "−")), Cell(met)]
