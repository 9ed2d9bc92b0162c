"""Results as tables: which columns they have, and how they look on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mec_moe_agents.evaluation.leaderboard import (
    Aggregate,
    AggregateLine,
    Leaderboard,
    Line,
    Standings,
)
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.evaluation.verdict import (
    COLUMNS,
    SCORE,
    SHARE,
    Column,
    ranking_verdict,
    return_column,
    verdict,
)

TableColumn = tuple[Column, Callable[[Line], Estimate | None]]
"""A column and where its values come from."""


def _return_columns(board: Leaderboard, gain: str, none: str = "") -> list[TableColumn]:
    column = return_column(board.largest_return)
    to_opponent = replace(column, heading=gain, signed=True, none=none)
    return [(column, attrgetter("mean_return")), (to_opponent, attrgetter("gain"))]


def _metric(name: str) -> TableColumn:
    return COLUMNS[name], lambda line: line.metrics[name]


def _score_columns(standings: Standings) -> list[TableColumn]:
    return [
        *_return_columns(standings, f"To {standings.opponent}"),
        (SCORE, attrgetter("score")),
    ]


def all_ranking_columns(standings: Standings) -> list[TableColumn]:
    """Return all columns of a ranking, more than fit a terminal."""
    better_on = f"Better than {standings.opponent} on seeds, %"
    return [
        *_score_columns(standings),
        (replace(SCORE, heading="IQM score"), attrgetter("iqm")),
        (replace(SHARE, heading=better_on), attrgetter("better_on")),
        (replace(SHARE, heading="P(improvement), %"), attrgetter("improvement")),
    ]


def print_comparison(console: Console, heading: str, board: Leaderboard, scenario: str) -> None:
    """Print a heading, the table and the verdict of a comparison."""
    measured = [_metric(name) for name in COLUMNS if name in board.lines[0].episodes.metrics]
    console.print(f"\n{heading}\n")
    _print_leaderboard(console, board, [*_return_columns(board, "To best", "best"), *measured])
    console.print(verdict(board, scenario), style="bold")


def print_ranking(
    console: Console, standings: Sequence[Standings], aggregates: Sequence[Aggregate]
) -> None:
    """Print a table and a verdict for each scenario, then the aggregates."""
    better_on = replace(SHARE, heading="Better on %"), attrgetter("better_on")
    for entry in standings:
        console.print(Text(f"\n{entry.scenario.name}, {entry.seeds} seeds", style="bold"))
        _print_leaderboard(console, entry, [*_score_columns(entry), better_on])
        console.print(Text(ranking_verdict(entry), style="bold"))
    for group in aggregates:
        title = f"\n{group.environment} over {', '.join(group.scenarios)}"
        console.print(Text(title, style="bold"))
        table = _agent_table(["IQM score", "95 % interval"])
        for line in group.lines:
            table.add_row(_name(line), *SCORE.cell(line.iqm))
        console.print(table)


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
    for line in board.lines:
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
    return Text(line.agent if line.contender else f"{line.agent}\n(yardstick)")
