"""Which scheduler is best, and by how much, in words."""

from __future__ import annotations

from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.evaluation.summary import Standing, Summary
from mec_moe_agents.report.columns import COLUMNS, Column, return_column

FEWEST_SEEDS = 8
"""With fewer, the bootstrap's intervals miss the truth too often."""


def verdict(summary: Summary, scenario: str) -> str:
    """Return the answer of a comparison in a few sentences."""
    best, column = summary.best, return_column(summary.largest_return)
    rivals = [line for line in summary.contenders if line is not best]
    sentences = [_lead(summary, rivals, scenario, column), _achievement(best)]
    beaten = [line for line in rivals if _clearly_behind(line)]
    if summary.seeds >= FEWEST_SEEDS and beaten and beaten[0] is not rivals[0]:
        sentences.insert(1, f"It beats {beaten[0].agent} by {_margin(beaten[0], column)}.")
    sentences += [_yardstick(line, column) for line in summary.standings if not line.contender]
    return " ".join(filter(None, sentences))


def _lead(summary: Summary, rivals: list[Standing], scenario: str, column: Column) -> str:
    best = summary.best.agent
    if not rivals:
        return f"{best} ran alone on {scenario}: nothing to compare it with."
    next_best = rivals[0]
    margin = _margin(next_best, column)
    if summary.seeds < FEWEST_SEEDS:
        return (
            f"Best on {scenario}: {best}, {margin} of return ahead of {next_best.agent} "
            f"(too few seeds to tell it from chance: take {FEWEST_SEEDS} or more)."
        )
    basis = f"paired 95 % interval, {summary.seeds} seeds"
    if _clearly_behind(next_best):
        return (
            f"Best on {scenario}: {best}. Its return beats the next, {next_best.agent}, "
            f"by {margin} ({basis})."
        )
    return (
        f"Best on {scenario}: {best}, but its lead of {margin} over {next_best.agent} may be "
        f"chance ({basis})."
    )


def _achievement(best: Standing) -> str:
    parts = [
        f"{label} {COLUMNS[name].number(best.metrics[name].mean)}{unit}"
        for name, label, unit in (
            ("generalization_error", "final error", ""),
            ("accuracy", "held-out accuracy", " %"),
            ("energy_per_task_j", "energy", " mJ a task"),
            ("energy_per_token_j", "energy", " mJ a token"),
            ("violated", "thresholds violated", " %"),
        )
        if name in best.metrics
    ]
    return f"It reaches {', '.join(parts)}."


def _clearly_behind(line: Standing) -> bool:
    return line.to_best is not None and line.to_best.high < 0


def _margin(line: Standing, column: Column) -> str:
    """Write how far the best is ahead of this line."""
    behind = line.to_best or Estimate(0.0, 0.0, 0.0)
    ahead = Estimate(-behind.mean, -behind.high, -behind.low)
    return f"{column.number(ahead.mean)} {column.interval(ahead)}".rstrip()


def _yardstick(line: Standing, column: Column) -> str:
    if line.to_best is None:
        return ""
    side = "above" if line.to_best.mean > 0 else "below"
    gap = column.number(abs(line.to_best.mean))
    return f"The {line.agent}, which sees what no scheduler can, stands {gap} {side} it."
