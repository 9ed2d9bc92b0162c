"""Whether learning or theory wins on a scenario, in words."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.ranking.reliability import share_of_gap
from mec_moe_agents.ranking.standings import Line, Standings
from mec_moe_agents.report.columns import Column, return_column
from mec_moe_agents.report.verdict import FEWEST_SEEDS


def verdict(standings: Standings) -> str:
    """Return who beats whom, by how much, and where the yardstick stands."""
    if standings.seeds < FEWEST_SEEDS:
        return f"Too few seeds to tell a difference from chance: take {FEWEST_SEEDS} or more."
    column = return_column(standings.largest_return)
    contenders = [line for line in standings.lines if line.contender]
    sentences = [_against_rival(standings, contenders, column)]
    sentences += [
        _yardstick(line, contenders[0], column)
        for line in standings.lines
        if contenders and not line.contender
    ]
    return " ".join(filter(None, sentences))


def _against_rival(standings: Standings, contenders: list[Line], column: Column) -> str:
    rival, learned = standings.line(standings.rival), standings.learned
    if learned is not None:
        return f"{_duel(learned, standings, column)}{_gap(learned, standings)}."
    if rival is None:
        return "".join(f"{_duel(line, standings, column)}." for line in contenders[:1])
    others = [line for line in contenders if line is not rival]
    if not others:
        return f"{rival.agent} ran alone."
    sentence = f"{_duel(others[0], standings, column)}."
    beaten = next((line for line in others[1:] if _loses(line)), None)
    if not _loses(others[0]) and beaten is not None:
        sentence += f" {_duel(beaten, standings, column)}."
    return sentence


def _duel(line: Line, standings: Standings, column: Column) -> str:
    """Compare an agent with the best baseline."""
    gain, rival = line.to_rival, standings.rival
    assert gain is not None
    if np.array_equal(line.returns, standings.rival_returns):
        return f"{line.agent} and {rival} are equal on every seed"
    if gain.low > 0:
        return f"{line.agent} beats {rival} by {_written(gain, column)}"
    if gain.high < 0:
        return f"{rival} beats {line.agent} by {_written(_negative(gain), column)}"
    signed = return_column(standings.largest_return, signed=True)
    return (
        f"no difference shown between {line.agent} and {rival}: "
        f"{line.agent} − {rival} = {_written(gain, signed)}"
    )


def _loses(line: Line) -> bool:
    return line.to_rival is not None and line.to_rival.high < 0


def _gap(learned: Line, standings: Standings) -> str:
    """Say how much of the way from the best baseline to the yardstick the learned agent goes."""
    contest = standings.contest
    yardstick = standings.line(contest.ceiling)
    if yardstick is None or yardstick.contender or learned.to_rival is None:
        return ""
    gap = yardstick.returns - standings.rival_returns
    if learned.to_rival.low <= 0 or estimate_mean(gap).low <= 0:
        return ""
    share = share_of_gap(learned.returns - standings.rival_returns, gap)
    written = _written(share, Column("", 0, scale=100.0))
    return f" and closes {written} % of the gap to {yardstick.agent}"


def _yardstick(line: Line, best: Line, column: Column) -> str:
    """Say where a yardstick stands from the best contender."""
    lead = estimate_mean(line.returns - best.returns)
    if lead.low > 0:
        return f"The yardstick {line.agent} is {_written(lead, column)} above {best.agent}."
    if lead.high < 0:
        behind = _written(_negative(lead), column)
        return f"The yardstick {line.agent} is beaten: {best.agent} is {behind} above it."
    return f"No difference shown between the yardstick {line.agent} and {best.agent}."


def _negative(estimate: Estimate) -> Estimate:
    return Estimate(-estimate.mean, -estimate.high, -estimate.low)


def _written(estimate: Estimate, column: Column) -> str:
    """Write an estimate, with two significant digits of a mean that would round to zero."""
    shown = abs(estimate.mean * column.scale)
    if shown > 0 and round(shown, column.decimals) == 0:
        column = dataclasses.replace(column, decimals=1 - math.floor(math.log10(shown)))
    return f"{column.number(estimate.mean)} {column.interval(estimate)}".rstrip()
