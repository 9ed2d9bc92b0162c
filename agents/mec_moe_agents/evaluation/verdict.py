"""Results in words: which scheduler is best, by how much, and how far below what is certified."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from mec_moe_agents.evaluation.bounds import BOUND
from mec_moe_agents.evaluation.columns import COLUMNS, Column, return_column
from mec_moe_agents.evaluation.hypotheses import SIGNIFICANT
from mec_moe_agents.evaluation.leaderboard import Leaderboard, Standings
from mec_moe_agents.evaluation.line import Line
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT
from mec_moe_agents.evaluation.statistics import estimate_mean
from mec_moe_env.core.buffers import Floats

FEWEST_SEEDS = 8
"""With fewer, the bootstrap's intervals miss the truth too often."""
REFERENCES: Mapping[str, str] = MappingProxyType(
    {
        CLAIRVOYANT: f"the {CLAIRVOYANT} plan",
        "optimal": "optimal, which solves the return itself,",
    }
)
"""What each agent that shows how much can be reached is called in a sentence."""
VIOLATED = "violated"
"""The measure of broken constraints, where an environment has one."""


def verdict(board: Leaderboard, scenario: str) -> str:
    """Return the answer of a comparison in a few sentences: who is best, and by how much."""
    best, column = board.best, return_column(board.largest_return)
    others = [line for line in board.contenders if line is not best]
    if not others:
        opening = f"{named(best)} ran alone on {scenario}: nothing to compare it with."
    elif board.seeds < FEWEST_SEEDS:
        return _too_few_seeds(board, f" on {scenario}")
    else:
        opening = _opening(board, others, scenario, column)
    return _joined(opening, _achievement(best), _below_bound(board, column), _no_scale(board))


def ranking_verdict(standings: Standings) -> str:
    """Return who beats the best baseline or is beaten, and how far the best is from the bound."""
    contenders = [line for line in standings.lines if line.contender]
    if not contenders:
        return ""
    if standings.seeds < FEWEST_SEEDS:
        return _too_few_seeds(standings)
    column = return_column(standings.largest_return)
    opening = _against_baseline(standings, contenders, column)
    return _joined(opening, _below_bound(standings, column), _no_scale(standings))


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def sentence(clause: str) -> str:
    """Make a sentence of a clause."""
    return f"{clause[:1].upper()}{clause[1:]}." if clause else ""


def _too_few_seeds(board: Leaderboard, where: str = "") -> str:
    return (
        f"No verdict{where} from {board.seeds} seeds: take {FEWEST_SEEDS} or more. "
        f"The highest mean return is that of {board.best.agent}."
    )


def _no_scale(board: Leaderboard) -> str:
    """Say so where the baseline is so near to the bound that there is nothing to gain."""
    return sentence(board.scale.why_none(board.baseline))


def named(line: Line) -> str:
    """Name an agent; of one that was trained say how often, since each run learns another."""
    if not line.training_runs:
        return line.agent
    return f"{line.agent} ({line.training_runs} training run{'s'[: line.training_runs > 1]})"


def _opening(board: Leaderboard, others: Sequence[Line], scenario: str, column: Column) -> str:
    best = board.best
    alike = _identical(others, best.returns)
    if alike:
        names = _listed([named(line) for line in (best, *alike)])
        opening = f"Best on {scenario}: {names}, identical on all {board.seeds} seeds."
    else:
        opening = _lead(board, others[0], scenario, column)
    beaten = next((line for line in others if board.outcome(line) < 0), None)
    if beaten is not None and beaten is not others[0]:
        opening += f" {best.agent} beats {named(beaten)} by {_margin(beaten, column)}."
    return opening + _violations(best, others[0] if beaten is None else beaten)


def _identical(lines: Sequence[Line], returns: Floats) -> list[Line]:
    """Return the agents whose returns are these on every seed."""
    return [line for line in lines if np.array_equal(line.returns, returns)]


def _lead(board: Leaderboard, second: Line, scenario: str, column: Column) -> str:
    best, margin = f"Best on {scenario}: {named(board.best)}", _margin(second, column)
    adjusted = f"Holm-adjusted p = {board.adjusted[second.agent]:.2g}"
    basis = f"paired 95 % interval, {board.seeds} seeds, {adjusted}"
    if board.outcome(second) < 0:
        return f"{best}. Its return beats the next, {named(second)}, by {margin} ({basis})."
    chance = f"{best}, but its lead of {margin} over {named(second)} may be chance ({basis})."
    return chance + _hopeless(board)


def _hopeless(board: Leaderboard) -> str:
    """Say so where no outcome on so few seeds could be told from chance."""
    # The least p of a sign-flip test is 2 / 2ⁿ, and Holm multiplies it by the size of the family.
    if len(board.adjusted) * 2.0 ** (1 - board.seeds) < SIGNIFICANT:
        return ""
    return f" So few seeds can show no difference among {len(board.adjusted) + 1} agents."


def _achievement(best: Line) -> str:
    parts = [
        column.achieved.format(column.number(best.metrics[name].mean))
        for name, column in COLUMNS.items()
        if column.achieved and name in best.metrics and np.isfinite(best.metrics[name].mean)
    ]
    return f"It reaches {', '.join(parts)}." if parts else ""


def _against_baseline(standings: Standings, contenders: Sequence[Line], column: Column) -> str:
    baseline = standings.line(standings.opponent)
    trained = next((line for line in contenders if line.training_runs), None)
    if trained is not None:
        return _duel(trained, standings, column)
    if baseline is None:
        return _duel(contenders[0], standings, column)
    others = [line for line in contenders if line is not baseline]
    if not others:
        return f"{baseline.agent} ran alone."
    beaten = next((line for line in others if standings.outcome(line) < 0), None)
    duels = [others[0]] if beaten in (None, others[0]) else [others[0], beaten]
    return " ".join(_duel(line, standings, column) for line in duels if line is not None)


def _duel(line: Line, standings: Standings, column: Column) -> str:
    """Say how an agent stands beside the baseline, and whether the winner violates more."""
    agent, baseline, gain = named(line), standings.opponent, line.gain
    assert gain is not None
    rivals = [each for each in standings.lines if each.contender and each.agent != baseline]
    alike = _identical(rivals, standings.opponent_returns)
    if line in alike:
        names = _listed([*map(named, alike), baseline])
        return f"{names} are identical on all {standings.seeds} seeds."
    rival, outcome = standings.line(baseline), standings.outcome(line)
    if outcome > 0:
        violations = "" if rival is None else _violations(line, rival)
        return f"{agent} beats {baseline} by {column.lead(gain)}.{violations}"
    if outcome < 0:
        violations = "" if rival is None else _violations(rival, line)
        return f"{baseline} beats {agent} by {column.lead(gain.negative)}.{violations}"
    signed = dataclasses.replace(column, signed=True)
    return (
        f"No difference shown between {agent} and {baseline}: "
        f"{line.agent} − {baseline} = {signed.lead(gain)}, "
        f"Holm-adjusted p = {standings.adjusted[line.agent]:.2g}.{_hopeless(standings)}"
    )


def _violations(winner: Line, loser: Line) -> str:
    """Say so where the higher return is had by breaking more constraints."""
    if VIOLATED not in winner.metrics or VIOLATED not in loser.metrics:
        return ""
    ours, theirs = (line.metrics[VIOLATED].mean for line in (winner, loser))
    if ours <= theirs:
        return ""
    column = COLUMNS[VIOLATED]
    return (
        f" But {winner.agent} violates {column.lead_number(ours)} % of the thresholds, "
        f"{loser.agent} {column.lead_number(theirs)} %."
    )


def _below_bound(board: Leaderboard, column: Column) -> str:
    """Say how far the best is from what no policy exceeds, and how much of that is reachable."""
    best, bounds = board.best, board.bounds
    if bounds.values is None:
        return f"How far from the optimum that is, is not known: {bounds.source}."
    gap = column.lead(estimate_mean(bounds.values - best.returns))
    distance = f"{best.agent} stands {gap} below the {BOUND}"
    lines = map(board.line, REFERENCES)
    references = [line for line in lines if line is not None and line is not best]
    if not references:
        return f"{distance}."
    reference = max(references, key=lambda line: line.mean_return.mean)
    lead = estimate_mean(reference.returns - best.returns)
    shows = f"{distance}; {REFERENCES[reference.agent]}"
    if lead.low > 0:
        return f"{shows} shows that {column.lead_number(lead.mean)} of it can be reached."
    return f"{shows} does not show that more can be reached."


def _margin(line: Line, column: Column) -> str:
    """Write how far the best is ahead of this line."""
    return "" if line.gain is None else column.lead(line.gain.negative)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
