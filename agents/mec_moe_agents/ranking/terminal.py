"""The ranking on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mec_moe_agents.ranking.aggregate import Aggregate
from mec_moe_agents.ranking.columns import SCORE, Shown, essential_columns
from mec_moe_agents.ranking.standings import Line, Standings
from mec_moe_agents.ranking.verdict import verdict


def print_ranking(
    console: Console, standings: Sequence[Standings], aggregates: Sequence[Aggregate]
) -> None:
    """Print a table and a verdict for each scenario, then the aggregates."""
    for entry in standings:
        console.print(Text(f"\n{entry.contest.scenario}, {entry.seeds} seeds", style="bold"))
        console.print(_fitting_table(console, entry))
        console.print(Text(verdict(entry), style="bold"))
    for group in aggregates:
        title = f"\n{group.environment} over {', '.join(group.scenarios)}"
        console.print(Text(title, style="bold"))
        console.print(aggregate_table(group))


def _fitting_table(console: Console, standings: Standings) -> Table:
    """Return the table without its last columns, which the files have, where it is too wide."""
    columns = essential_columns(standings)
    unlimited = console.options.update_width(1000)
    while len(columns) > 1:
        table = scenario_table(standings, columns)
        if console.measure(table, options=unlimited).maximum <= console.width:
            break
        columns = columns[:-1]
    return scenario_table(standings, columns)


def scenario_table(standings: Standings, columns: Sequence[Shown]) -> Table:
    """Return a table with one line per agent, the 95 % intervals beneath the means."""
    table = _table([shown.column.heading for shown in columns])
    for line in standings.lines:
        cells = [_cell(*shown.cell(line)) for shown in columns]
        table.add_row(_name(line.agent, line.contender), *cells, style=_style(line, standings))
    return table


def aggregate_table(group: Aggregate) -> Table:
    """Return a table with the interquartile mean of every agent."""
    table = _table(["IQM score", "95 % interval"])
    for line in group.lines:
        number, interval = SCORE.number(line.iqm.mean), SCORE.interval(line.iqm)
        table.add_row(_name(line.agent, line.contender), number, interval)
    return table


def _table(headings: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("Agent", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cell(number: str, interval: str) -> Text:
    text = Text(number)
    return text.append(f"\n{interval}", style="dim") if interval else text


def _name(agent: str, contender: bool) -> Text:
    return Text(agent if contender else f"{agent}\n(yardstick)")


def _style(line: Line, standings: Standings) -> str:
    best = next((other for other in standings.lines if other.contender), None)
    if line is best:
        return "bold green"
    return "" if line.contender else "italic"
