"""The files and the table of a reproduction."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.report.columns import Column
from mec_moe_agents.report.figure import save_figure
from mec_moe_agents.reproduce.study import Answer, Headline
from mec_moe_env.config import Config
from mec_moe_env.files import replacing


def as_json(config: Config) -> str:
    """Write all fields of a configuration as JSON."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True, default=str)


def write_answer(folder: Path, name: str, answer: Answer, provenance: Provenance) -> None:
    """Write `name`.csv and `name`.png, each whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    source = {
        "version": provenance.version,
        "commit": provenance.commit or "",
        "code": provenance.fingerprint,
    }
    path = folder / f"{name}.csv"
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=[*answer.rows[0], *source])
        writer.writeheader()
        writer.writerows({**row, **source} for row in answer.rows)
    save_figure(answer.figure, folder / f"{name}.png")


def print_headlines(console: Console, headlines: Mapping[str, Sequence[Headline]]) -> None:
    """Print the figures of each study with their 95 % intervals and targets."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("Figure")
    for heading in ("Mean", "95 % interval", "Target", "Holds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for study, lines in headlines.items():
        table.add_row(Text(study, style="bold"))
        for line in lines:
            column = Column("", line.decimals)
            verdict = {None: "", True: "yes", False: "NO"}[line.holds]
            table.add_row(
                f"  {line.label}",
                column.number(line.estimate.mean),
                column.interval(line.estimate),
                line.target,
                Text(verdict, style="bold red" if line.holds is False else ""),
            )
        table.add_section()
    console.print(table)
