"""From the folder of a run to its report; whatever is missing or damaged is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mec_moe_agents.evaluation.markdown import EXPLANATION
from mec_moe_agents.report.comparison import RANKING
from mec_moe_agents.report.content import Cell, Figure, Heading, Report, Row, Section, Table
from mec_moe_agents.report.headlines import study_section
from mec_moe_agents.report.learning import EVALUATIONS, learning_section
from mec_moe_agents.report.record import NAME, Record
from mec_moe_agents.report.standings import aggregate_section, scenario_section
from mec_moe_env.files import blaming, read_json

SAME = ("version", "code", "first_seed", "seeds")
"""In which the summary of a run equals its record."""
Figures = Mapping[str, Figure]


def read_report(folder: Path) -> Report:
    """Read the report of a finished run of `compare`, `evaluate`, `rank`, `train`, `reproduce`.

    Raises:
        FileNotFoundError: the folder holds no finished run, or a file of it is missing.
        ValueError: a file is damaged, of another version or of another run.
    """
    record = Record.read(folder)
    path = folder / record.summary
    summary = read_json(path)
    with blaming(path, "not the summary of a run"):
        differing = [name for name in SAME if summary[name] != getattr(record, name)]
    if differing:
        raise ValueError(f"{path} and {NAME} are of two runs: {', '.join(differing)} differ")
    figures = {
        each.name: Figure(each.caption, folder / f"{each.name}.svg") for each in record.drawings
    }
    for figure in figures.values():
        _check_there(figure)
    with blaming(path, "not the summary of a run"):
        sections = _sections(summary, record, figures)
    if (folder / EVALUATIONS).exists():
        sections = [*sections, learning_section(folder, figures)]
    title = f"{record.command} · {_listed([setup.label for setup in record.setups])}"
    explanation = EXPLANATION if "scenarios" in summary else ""
    return Report(folder, record, title, sections, explanation)


def _check_there(figure: Figure) -> None:
    for path in (figure.svg, figure.pdf):
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: run the command of {NAME} again")


def _listed(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _sections(summary: Any, record: Record, figures: Figures) -> list[Section]:
    if "studies" in summary:
        return [study_section(each, figures) for each in summary["studies"]]
    entries = summary["scenarios"]
    if record.command == "rank":
        return [
            _overview(entries, figures[RANKING.name]),
            *(aggregate_section(group) for group in summary["aggregates"]),
            *(scenario_section(entry, duels=True) for entry in entries),
        ]
    standing = scenario_section(entries[0], duels=False)
    return [replace(standing, figures=[figures["comparison"]])]


def _overview(entries: Sequence[Mapping[str, Any]], picture: Figure) -> Section:
    headings = [Heading("Scenario", numeric=False), Heading("Verdict", numeric=False)]
    rows = [Row([Cell(entry["scenario"]), Cell(entry["verdict"])]) for entry in entries]
    table = Table("verdicts", "Who wins, scenario by scenario.", headings, rows)
    return Section("Overview", tables=[table], figures=[picture])
