"""Results as tables: which columns they have, and how they look on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mec_moe_agents.evaluation.aggregate import Aggregate, AggregateLine, by_reason
from mec_moe_agents.evaluation.bounds import BOUND
from mec_moe_agents.evaluation.columns import (
    COLUMNS,
    FEASIBILITY,
    P_VALUE,
    RARE,
    SCORE,
    SHARE,
    Column,
    return_column,
)
from mec_moe_agents.evaluation.leaderboard import Leaderboard, Standings
from mec_moe_agents.evaluation.line import Line
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.evaluation.verdict import ranking_verdict, sentence, verdict

TableColumn = tuple[Column, Callable[[Line], Estimate | None]]
"""A column and where its values come from."""


def _return_columns(board: Leaderboard, gain: str, none: str = "") -> list[TableColumn]:
    column = return_column(board.largest_return)
    to_opponent = replace(column, heading=gain, signed=True, none=none)
    columns: list[TableColumn] = [
        (column, attrgetter("mean_return")),
        (to_opponent, attrgetter("gain")),
        (P_VALUE, partial(_adjusted, board)),
    ]
    return [*columns, (SCORE, attrgetter("score"))] if board.scale.is_defined else columns


def _adjusted(board: Leaderboard, line: Line) -> Estimate | None:
    value = board.adjusted.get(line.agent)
    return None if value is None else Estimate(value)


def _metrics(board: Leaderboard, names: Iterable[str]) -> list[TableColumn]:
    """Return columns of what was measured; rare events only where there are any."""
    measured = [line.metrics for line in board.lines]
    kept = [
        name
        for name in names
        if name in measured[0] and (name not in RARE or any(each[name].mean for each in measured))
    ]
    return [(COLUMNS[name], partial(_metric, name)) for name in kept]


def _metric(name: str, line: Line) -> Estimate | None:
    return line.metrics.get(name)


def all_ranking_columns(standings: Standings) -> list[TableColumn]:
    """Return all columns of a ranking, more than fit a terminal."""
    better_on = f"Better than {standings.opponent} on seeds, %"
    iqm: TableColumn = (replace(SCORE, heading="IQM score"), attrgetter("iqm"))
    return [
        *_return_columns(standings, f"To {standings.opponent}"),
        *([iqm] if standings.scale.is_defined else []),
        (replace(SHARE, heading=better_on), attrgetter("better_on")),
        (replace(SHARE, heading="P(improvement), %"), attrgetter("improvement")),
        *_metrics(standings, FEASIBILITY),
    ]


def print_comparison(console: Console, heading: str, board: Leaderboard, scenario: str) -> None:
    """Print a heading, the table and the verdict of a comparison."""
    columns = [*_return_columns(board, "To best", "best"), *_metrics(board, COLUMNS)]
    console.print(f"\n{heading}\n")
    _print_leaderboard(console, board, columns)
    if board.scale.is_defined:
        console.print(f"Score 0 is {board.baseline}, 1 the {BOUND} ({board.bounds.source}).\n")
    elif why := board.scale.why_none(board.baseline):
        console.print(f"{sentence(why)}\n")
    console.print(verdict(board, scenario), style="bold")


def print_ranking(
    console: Console, standings: Sequence[Standings], aggregates: Sequence[Aggregate]
) -> None:
    """Print a table and a verdict for each scenario, then the aggregates."""
    better_on = replace(SHARE, heading="Better on %"), attrgetter("better_on")
    for entry in standings:
        console.print(Text(f"\n{entry.scenario.name}, {entry.seeds} seeds", style="bold"))
        columns = _return_columns(entry, f"To {entry.opponent}")
        _print_leaderboard(console, entry, [*columns, better_on])
        console.print(Text(ranking_verdict(entry), style="bold"))
    for group in aggregates:
        title = f"\n{group.environment} over {', '.join(group.scenarios)}"
        console.print(Text(title, style="bold"))
        table = _agent_table(["IQM score"])
        for line in group.lines:
            table.add_row(_name(line), _cell(*SCORE.cell(line.iqm)))
        console.print(table)
        if group.left_out:
            console.print(f"Left out, without a score ({by_reason(group.left_out)}).")


def _print_leaderboard(
    console: Console, board: Leaderboard, columns: Sequence[TableColumn]
) -> None:
    """Print one table where the terminal is wide enough, otherwise as many as it takes."""
    page: list[TableColumn] = []
    unlimited = console.options.update_width(1000)
    for column in columns:
        wider = _leaderboard_table(board, [*page, column])
        if page and console.measure(wider, options=unlimited).maximum > console.width:
            console.print(_leaderboard_table(board, page))
            page = []
        page.append(column)
    console.print(_leaderboard_table(board, page))


def _leaderboard_table(board: Leaderboard, columns: Sequence[TableColumn]) -> Table:
    table = _agent_table(column.heading for column, _ in columns)
    for line in board.shown:
        cells = [_cell(*column.cell(value(line))) for column, value in columns]
        style = "" if line.contender else "italic"
        style = "bold green" if line is board.best else style
        table.add_row(_name(line), *cells, style=style)
    return table


def _agent_table(headings: Iterable[str]) -> Table:
    table = plain_table()
    table.add_column("Agent", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def plain_table() -> Table:
    """Return an empty table with a line under its headings, and no other."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))


def _cell(number: str, interval: str) -> Text:
    text = Text(number)
    return text.append(f"\n{interval}", style="dim") if interval else text


def _name(line: Line | AggregateLine) -> Text:
    """Write references in italics, and say what they are unless the name does."""
    told = line.contender or line.agent == BOUND
    return Text(
        line.agent if told else f"{line.agent}\n(reference)",
        style="" if line.contender else "italic",
    )
