"""Results in words: how numbers are written, which scheduler is best, and by how much."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from mec_moe_agents.evaluation.leaderboard import Leaderboard, Line, Standings
from mec_moe_agents.evaluation.scenarios import LEARNED
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean, estimate_ratio

MISSING = "–"
FEWEST_SEEDS = 8
"""With fewer, the bootstrap's intervals miss the truth too often."""


@dataclass(frozen=True)
class Column:
    """A measure with its heading, unit and precision."""

    heading: str
    decimals: int
    scale: float = 1.0
    """Factor from the stored unit to the one that is shown."""
    signed: bool = False
    none: str = ""
    """Written where there is no estimate: for the agent that the others are compared with."""
    achieved: str = ""
    """How a verdict names the value, if it does."""

    def number(self, value: float) -> str:
        """Write one number; a dash where there is none."""
        if math.isnan(value):
            return MISSING
        sign = "+" if self.signed else ""
        # Adding zero turns a rounded −0 into 0.
        return f"{round(value * self.scale, self.decimals) + 0.0:{sign}.{self.decimals}f}"

    def interval(self, estimate: Estimate) -> str:
        """Write the interval as [low, high]; nothing where there is none."""
        if math.isnan(estimate.low):
            return ""
        return f"[{self.number(estimate.low)}, {self.number(estimate.high)}]"

    def cell(self, estimate: Estimate | None) -> tuple[str, str]:
        """Write the mean, and its interval beside it."""
        if estimate is None:
            return self.none, ""
        return self.number(estimate.mean), self.interval(estimate)

    def text(self, estimate: Estimate | None) -> str:
        """Write the mean and its interval."""
        return " ".join(self.cell(estimate)).rstrip()

    def lead(self, estimate: Estimate) -> str:
        """Write a difference, with two significant digits where it would round to zero."""
        shown = abs(estimate.mean * self.scale)
        if not (shown > 0 and round(shown, self.decimals) == 0):
            return self.text(estimate)
        return dataclasses.replace(self, decimals=1 - math.floor(math.log10(shown))).text(estimate)


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "generalization_error": Column("Final error", 3, achieved="final error {}"),
        "accuracy": Column("Accuracy %", 1, 1e2, achieved="held-out accuracy {} %"),
        "energy_per_task_j": Column("Energy mJ/task", 1, 1e3, achieved="energy {} mJ a task"),
        "energy_per_token_j": Column("Energy mJ/token", 1, 1e3, achieved="energy {} mJ a token"),
        "relevance": Column("Relevance", 3),
        "violated": Column("Violated %", 1, 1e2, achieved="thresholds violated {} %"),
        "experts_per_token": Column("Experts/token", 2),
        "mean_delay_slots": Column("Delay slots", 2),
        "rejected_share": Column("Rejected %", 1, scale=100.0),
    }
)
SCORE = Column("Score", 3)
SHARE = Column("%", 0, scale=100.0)


def return_column(largest: float, heading: str = "Return", signed: bool = False) -> Column:
    """Return a column for returns up to `largest` in size: about four digits."""
    decimals = min(max(3 - math.floor(math.log10(max(largest, 1e-9))), 0), 3)
    return Column(heading, decimals, signed=signed)


def verdict(board: Leaderboard, scenario: str) -> str:
    """Return the answer of a comparison in a few sentences: who is best, and by how much."""
    best, column = board.best, return_column(board.largest_return)
    others = [line for line in board.contenders if line is not best]
    sentences = [_opening(board, others, scenario, column), _achievement(best)]
    beaten = [line for line in others if _is_beaten(line)]
    if board.seeds >= FEWEST_SEEDS and beaten and beaten[0] is not others[0]:
        sentences.insert(1, f"It beats {beaten[0].agent} by {_margin(beaten[0], column)}.")
    sentences += [_distance(line, column) for line in board.lines if not line.contender]
    return " ".join(filter(None, sentences))


def _opening(board: Leaderboard, others: Sequence[Line], scenario: str, column: Column) -> str:
    if not others:
        return f"{board.best.agent} ran alone on {scenario}: nothing to compare it with."
    best = f"Best on {scenario}: {board.best.agent}"
    margin, second = _margin(others[0], column), others[0].agent
    if board.seeds < FEWEST_SEEDS:
        doubt = f"too few seeds to tell it from chance: take {FEWEST_SEEDS} or more"
        return f"{best}, {margin} of return ahead of {second} ({doubt})."
    basis = f"paired 95 % interval, {board.seeds} seeds"
    if _is_beaten(others[0]):
        return f"{best}. Its return beats the next, {second}, by {margin} ({basis})."
    return f"{best}, but its lead of {margin} over {second} may be chance ({basis})."


def _achievement(best: Line) -> str:
    parts = [
        column.achieved.format(column.number(best.metrics[name].mean))
        for name, column in COLUMNS.items()
        if column.achieved and name in best.metrics
    ]
    return f"It reaches {', '.join(parts)}."


def _distance(reference: Line, column: Column) -> str:
    """Say where an agent that is no contender stands from the best one."""
    if reference.gain is None:
        return ""
    side = "above" if reference.gain.mean > 0 else "below"
    gap = column.number(abs(reference.gain.mean))
    return f"The {reference.agent}, which sees what no scheduler can, stands {gap} {side} it."


def ranking_verdict(standings: Standings) -> str:
    """Return who beats the best baseline or is beaten, and where the reference stands."""
    if standings.seeds < FEWEST_SEEDS:
        return f"Too few seeds to tell a difference from chance: take {FEWEST_SEEDS} or more."
    contenders = [line for line in standings.lines if line.contender]
    sentences = [_against_baseline(standings, contenders)]
    sentences += [
        _lead_of_reference(line, contenders[0], return_column(standings.largest_return))
        for line in standings.lines
        if contenders and not line.contender
    ]
    return " ".join(filter(None, sentences))


def _against_baseline(standings: Standings, contenders: Sequence[Line]) -> str:
    baseline, learned = standings.line(standings.opponent), standings.line(LEARNED)
    if learned is not None:
        return f"{_duel(learned, standings)}{_share_of_gap(learned, standings)}."
    if baseline is None:
        return "".join(f"{_duel(line, standings)}." for line in contenders[:1])
    others = [line for line in contenders if line is not baseline]
    if not others:
        return f"{baseline.agent} ran alone."
    sentence = f"{_duel(others[0], standings)}."
    beaten = next((line for line in others[1:] if _is_beaten(line)), None)
    if not _is_beaten(others[0]) and beaten is not None:
        sentence += f" {_duel(beaten, standings)}."
    return sentence


def _duel(line: Line, standings: Standings) -> str:
    agent, baseline, gain = line.agent, standings.opponent, line.gain
    assert gain is not None
    if np.array_equal(line.returns, standings.opponent_returns):
        return f"{agent} and {baseline} are equal on every seed"
    column = return_column(standings.largest_return)
    if gain.low > 0:
        return f"{agent} beats {baseline} by {column.lead(gain)}"
    if gain.high < 0:
        return f"{baseline} beats {agent} by {column.lead(gain.negative)}"
    signed = dataclasses.replace(column, signed=True)
    return (
        f"no difference shown between {agent} and {baseline}: "
        f"{agent} − {baseline} = {signed.lead(gain)}"
    )


def _share_of_gap(learned: Line, standings: Standings) -> str:
    """Say how much of the way from the best baseline to the reference the learned agent goes."""
    reference = standings.line(standings.scenario.traits.ceiling)
    if reference is None or reference.contender or learned.gain is None:
        return ""
    gap = reference.returns - standings.opponent_returns
    if learned.gain.low <= 0 or estimate_mean(gap).low <= 0:
        return ""
    share = estimate_ratio(learned.returns - standings.opponent_returns, gap)
    return f" and closes {SHARE.lead(share)} % of the gap to {reference.agent}"


def _lead_of_reference(reference: Line, best: Line, column: Column) -> str:
    name = f"yardstick {reference.agent}"
    lead = estimate_mean(reference.returns - best.returns)
    if lead.low > 0:
        return f"The {name} is {column.lead(lead)} above {best.agent}."
    if lead.high < 0:
        return f"The {name} is beaten: {best.agent} is {column.lead(lead.negative)} above it."
    return f"No difference shown between the {name} and {best.agent}."


def _is_beaten(line: Line) -> bool:
    return line.gain is not None and line.gain.high < 0


def _margin(line: Line, column: Column) -> str:
    """Write how far the best is ahead of this line."""
    return "" if line.gain is None else column.lead(line.gain.negative)
