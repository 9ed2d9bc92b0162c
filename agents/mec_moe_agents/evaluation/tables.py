"""Results as tables: which columns they have, and how they look on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mec_moe_agents.evaluation.leaderboard import Aggregate, Leaderboard, Line, Standings
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


class TableColumn(NamedTuple):
    """A column and where its values come from."""

    column: Column
    value: Callable[[Line], Estimate | None]
    none: str = ""
    """Written where an agent has no value: the one that the others are compared with."""

    def cell(self, line: Line) -> tuple[str, str]:
        """Write the mean and its interval."""
        estimate = self.value(line)
        if estimate is None:
            return self.none, ""
        return self.column.number(estimate.mean), self.column.interval(estimate)


def comparison_columns(board: Leaderboard) -> list[TableColumn]:
    """Return the columns of a comparison: returns, and what was measured."""
    measured = board.lines[0].episodes.metrics
    return [
        *_return_columns(board, "To best", "best"),
        *(_metric(name) for name in COLUMNS if name in measured),
    ]


def _return_columns(board: Leaderboard, gain: str, none: str = "") -> list[TableColumn]:
    column = return_column(board.largest_return)
    return [
        TableColumn(column, attrgetter("mean_return")),
        TableColumn(replace(column, heading=gain, signed=True), attrgetter("gain"), none),
    ]


def _metric(name: str) -> TableColumn:
    return TableColumn(COLUMNS[name], lambda line: line.metrics[name])


def ranking_columns(standings: Standings) -> list[TableColumn]:
    """Return the columns of a ranking that fit a terminal."""
    return [
        *_return_columns(standings, f"To {standings.opponent}"),
        TableColumn(SCORE, attrgetter("score")),
        TableColumn(replace(SHARE, heading="Better on %"), attrgetter("better_on")),
    ]


def all_ranking_columns(standings: Standings) -> list[TableColumn]:
    """Return all columns of a ranking."""
    *most, better_on = ranking_columns(standings)
    heading = f"Better than {standings.opponent} on seeds, %"
    return [
        *most,
        TableColumn(replace(SCORE, heading="IQM score"), attrgetter("iqm")),
        better_on._replace(column=replace(SHARE, heading=heading)),
        TableColumn(replace(SHARE, heading="P(improvement), %"), attrgetter("improvement")),
    ]


def print_comparison(console: Console, heading: str, board: Leaderboard, scenario: str) -> None:
    """Print a heading, the table and the verdict of a comparison."""
    console.print(f"\n{heading}\n")
    print_leaderboard(console, board, comparison_columns(board))
    console.print(verdict(board, scenario), style="bold")


def print_ranking(
    console: Console, standings: Sequence[Standings], aggregates: Sequence[Aggregate]
) -> None:
    """Print a table and a verdict for each scenario, then the aggregates."""
    for entry in standings:
        console.print(Text(f"\n{entry.scenario.name}, {entry.seeds} seeds", style="bold"))
        print_leaderboard(console, entry, ranking_columns(entry))
        console.print(Text(ranking_verdict(entry), style="bold"))
    for group in aggregates:
        title = f"\n{group.environment} over {', '.join(group.scenarios)}"
        console.print(Text(title, style="bold"))
        console.print(_aggregate_table(group))


def print_leaderboard(console: Console, board: Leaderboard, columns: Sequence[TableColumn]) -> None:
    """Print the agents, best return first: means, and 95 % intervals beneath them.

    One table where the terminal is wide enough, otherwise as many as it takes.
    """
    page: list[TableColumn] = []
    for column in columns:
        if page and not _fits(console, _leaderboard_table(board, [*page, column])):
            console.print(_leaderboard_table(board, page))
            page = []
        page.append(column)
    console.print(_leaderboard_table(board, page))


def _fits(console: Console, table: Table) -> bool:
    unlimited = console.options.update_width(1000)
    return console.measure(table, options=unlimited).maximum <= console.width


def _leaderboard_table(board: Leaderboard, columns: Sequence[TableColumn]) -> Table:
    table = _agent_table(entry.column.heading for entry in columns)
    for line in board.lines:
        cells = [_cell(*entry.cell(line)) for entry in columns]
        style = "" if line.contender else "italic"
        style = "bold green" if line is board.best else style
        table.add_row(_name(line.agent, line.contender), *cells, style=style)
    return table


def _aggregate_table(group: Aggregate) -> Table:
    table = _agent_table(["IQM score", "95 % interval"])
    for line in group.lines:
        number, interval = SCORE.number(line.iqm.mean), SCORE.interval(line.iqm)
        table.add_row(_name(line.agent, line.contender), number, interval)
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


def _name(agent: str, contender: bool) -> Text:
    return Text(agent if contender else f"{agent}\n(yardstick)")
