"""The section of a report on a training run: the learning curve."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mec_moe_agents.evaluation.columns import Column, return_column
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.report.content import (
    BEST,
    PLAIN,
    Cell,
    Figure,
    Heading,
    Row,
    Section,
    Table,
)
from mec_moe_env.files import blaming, read_csv

EVALUATIONS = "evaluations.csv"
"""The learning curve of a training run, `training.run_folder.EVALUATIONS`."""
STEPS, SECONDS = Column("Steps", 0), Column("Training s", 1)


def learning_section(folder: Path, figures: Mapping[str, Figure]) -> Section:
    """Return the evaluations of a training run, the best one marked, and their picture.

    Raises:
        ValueError: the file of evaluations is damaged.
    """
    path = folder / EVALUATIONS
    with blaming(path, "not the evaluations of a training run"):
        points = [_numbers(row) for row in read_csv(path)]
        best = max(points, key=lambda point: point["mean_return"])
        returns = return_column(abs(best["mean_return"]), "Mean return")
        rows = [_row(point, returns, BEST if point is best else PLAIN) for point in points]
    headings = [Heading(column.heading) for column in (STEPS, returns, SECONDS)]
    caption = "Every evaluation on the validation seeds, which chooses the best checkpoint."
    verdict = (
        f"The best checkpoint, {returns.number(best['mean_return'])} on the validation seeds, is "
        f"that of step {best['steps']:,.0f} of {points[-1]['steps']:,.0f}."
    )
    table = Table("evaluations", caption, headings, rows, folded=True)
    return Section("Training", verdict, tables=[table], figures=[figures["curves"]])


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    return {name: float(text) for name, text in row.items()}


def _row(point: Mapping[str, float], returns: Column, kind: str) -> Row:
    mean = Estimate(point["mean_return"], point["low"], point["high"])
    return Row(
        [
            Cell.of(STEPS, Estimate(point["steps"])),
            Cell.of(returns, mean),
            Cell.of(SECONDS, Estimate(point["train_seconds"])),
        ],
        kind,
    )
