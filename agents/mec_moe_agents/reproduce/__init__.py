"""The papers' questions: each study has rows, a picture and the figures that answer it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.text import Text

from mec_moe_agents.evaluation.columns import Column
from mec_moe_agents.evaluation.drawing import save_drawings
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.evaluation.tables import plain_table
from mec_moe_agents.executors import Executor
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats
from mec_moe_env.files import write_csv

Row = dict[str, object]


@dataclass(frozen=True)
class Headline:
    """One figure that a reader takes away."""

    label: str
    estimate: Estimate
    """In the unit of the label."""
    target: str = ""
    holds: bool | None = None
    """Whether the target is met; None where there is none."""
    decimals: int = 1


@dataclass(frozen=True)
class Answer:
    """What a study leaves behind."""

    rows: Sequence[Row]
    """One per condition and seed (or instance)."""
    figure: Figure
    headlines: Sequence[Headline]


@dataclass(frozen=True)
class Study:
    """A question; its answer is drawn from episodes with these seeds."""

    name: str
    question: str
    run: Callable[[Sequence[int], Executor | None], Answer]
    """Answers from seeds; an executor carries out the conditions at the same time."""


def at_least(label: str, estimate: Estimate, target: float, decimals: int = 1) -> Headline:
    """Return a headline whose mean should reach a target."""
    return Headline(label, estimate, f"≥ {target:g}", estimate.mean >= target, decimals)


def at_most(label: str, estimate: Estimate, target: float, decimals: int = 1) -> Headline:
    """Return a headline whose mean should not exceed a target."""
    return Headline(label, estimate, f"≤ {target:g}", estimate.mean <= target, decimals)


def verdict(estimate: Estimate) -> bool | None:
    """Tell whether a difference is positive; None where its interval does not decide."""
    return estimate.mean > 0 if estimate.excludes_zero else None


def positive(label: str, estimate: Estimate, decimals: int = 1) -> Headline:
    """Return a headline whose difference should be positive, beyond doubt either way."""
    return Headline(label, estimate, "> 0", verdict(estimate), decimals)


def percent_below(values: Floats, others: Floats) -> Estimate:
    """Estimate by how many percent values (n,) are below others (n,), seed by seed."""
    return estimate_mean(100.0 * (1.0 - values / others))


def percent_above(values: Floats, others: Floats) -> Estimate:
    """Estimate by how many percent values (n,) are above others (n,), seed by seed."""
    return estimate_mean(100.0 * (values / others - 1.0))


def rows_of(
    labels: Mapping[str, object],
    seeds: Sequence[int],
    columns: Mapping[str, Floats | float],
    config: Config,
) -> list[Row]:
    """Return a row per seed: what the rows have in common, the seed, measures, configuration.

    Args:
        labels: the condition, first in every row.
        seeds: n of them.
        columns: each (n,), or one number for all.
        config: of the environment.
    """
    spread = {name: np.broadcast_to(column, len(seeds)) for name, column in columns.items()}
    text = as_json(config)
    rows = []
    for row, seed in enumerate(seeds):
        measures = {name: column[row] for name, column in spread.items()}
        rows.append({**labels, "seed": seed, **measures, "config": text})
    return rows


def as_json(config: Config) -> str:
    """Write all fields of a configuration as JSON."""
    return json.dumps(config.to_dict(), sort_keys=True, default=str)


def write_answer(folder: Path, name: str, answer: Answer, provenance: Provenance) -> None:
    """Write `name`.csv, and `name`.png with its .svg and .pdf; each whole or not at all."""
    write_csv(folder / f"{name}.csv", [{**row, **provenance.columns} for row in answer.rows])
    save_drawings(answer.figure, folder / f"{name}.png")


def in_a_word(target: str, holds: bool | None) -> str:
    """Return in a word whether a target is met: nothing where there is none."""
    return {None: "undecided" if target else "", True: "yes", False: "no"}[holds]


def print_headlines(headlines: Mapping[str, Sequence[Headline]]) -> None:
    """Print the figures of each study with their 95 % intervals and targets."""
    table = plain_table()
    table.add_column("Figure")
    for heading in ("Mean", "95 % interval", "Target", "Holds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for study, lines in headlines.items():
        table.add_row(Text(study, style="bold"))
        for line in lines:
            column = Column("", line.decimals)
            met = in_a_word(line.target, line.holds)
            table.add_row(
                f"  {line.label}",
                column.number(line.estimate.mean),
                column.interval(line.estimate),
                line.target,
                Text(met.upper(), style="bold red") if line.holds is False else Text(met),
            )
        table.add_section()
    Console(highlight=False).print(table)
