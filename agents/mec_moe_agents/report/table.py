"""The ranking as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.evaluation.summary import Standing, Summary
from mec_moe_agents.report.columns import COLUMNS, Column, return_column


@dataclass(frozen=True)
class TableColumn:
    """A column and where its values come from."""

    column: Column
    value: Callable[[Standing], Estimate | None]


def print_ranking(console: Console, summary: Summary) -> None:
    """Print the agents, best return first: means, and 95 % intervals beneath them.

    One table where the terminal is wide enough, otherwise as many as it takes.
    """
    page: list[TableColumn] = []
    for column in _columns(summary):
        if page and not _fits(console, ranking_table(summary, [*page, column])):
            console.print(ranking_table(summary, page))
            page = []
        page.append(column)
    console.print(ranking_table(summary, page))


def _fits(console: Console, table: Table) -> bool:
    unlimited = console.options.update_width(1000)
    return console.measure(table, options=unlimited).maximum <= console.width


def ranking_table(summary: Summary, columns: Sequence[TableColumn]) -> Table:
    """Return a table with one line per agent."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("Agent", no_wrap=True)
    for entry in columns:
        table.add_column(entry.column.heading, justify="right", no_wrap=True)
    for standing in summary.standings:
        cells = [_cell(entry, standing) for entry in columns]
        table.add_row(_name(standing), *cells, style=_style(standing, summary))
    return table


def _columns(summary: Summary) -> list[TableColumn]:
    largest = summary.largest_return
    columns = [
        TableColumn(return_column(largest), _metric("return")),
        TableColumn(return_column(largest, "To best", signed=True), lambda line: line.to_best),
    ]
    present = summary.standings[0].metrics
    columns += [
        TableColumn(column, _metric(name)) for name, column in COLUMNS.items() if name in present
    ]
    return columns


def _metric(name: str) -> Callable[[Standing], Estimate | None]:
    return lambda standing: standing.metrics[name]


def _cell(entry: TableColumn, standing: Standing) -> Text:
    estimate = entry.value(standing)
    if estimate is None:
        return Text("best")
    text = Text(entry.column.number(estimate.mean))
    interval = entry.column.interval(estimate)
    return text.append(f"\n{interval}", style="dim") if interval else text


def _name(standing: Standing) -> Text:
    return Text(standing.agent if standing.contender else f"{standing.agent}\n(yardstick)")


def _style(standing: Standing, summary: Summary) -> str:
    if standing is summary.best:
        return "bold green"
    return "" if standing.contender else "italic"
