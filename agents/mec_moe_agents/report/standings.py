"""Sections of a report on agents: how they stand on a scenario, and over several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

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
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.report.content import (
    BEST,
    BOUND_ROW,
    PLAIN,
    REFERENCE,
    Cell,
    Heading,
    Row,
    Section,
    Table,
)

Document = Mapping[str, Any]
NAN = float("nan")


def scenario_section(entry: Document, *, duels: bool) -> Section:
    """Return how agents stand on a scenario.

    Args:
        entry: of the summary's `scenarios`.
        duels: show on how many seeds, and how probably, each beats the one it is compared with.
    """
    tables = [_standing_table(entry, duels=duels)]
    if any("command" in line for line in entry["agents"]):
        tables.append(_command_table(entry))
    sentences = [f"{entry['size']}.", entry["scale"]]
    return Section(entry["scenario"], entry["verdict"], sentences, tables)


def aggregate_section(group: Document) -> Section:
    """Return the interquartile means over the scenarios of an environment."""
    named = ", ".join(f"`{name}`" for name in group["scenarios"])
    sentences = [f"Scores of all episodes on {named}, resampled within each scenario."]
    left_out = group["left_out"].items()
    sentences += [f"Left out is `{name}`: {reason}." for name, reason in left_out]
    column, best = replace(SCORE, heading="IQM score"), _best(group["agents"])
    rows = [
        Row([_name(line), Cell.of(column, estimate(line["iqm"]))], _kind(line, best))
        for line in group["agents"]
    ]
    title = f"{group['environment']}: interquartile mean over {len(group['scenarios'])} scenarios"
    headings = [Heading("Agent", numeric=False), Heading(column.heading, order="descending")]
    caption = "Interquartile means of scores with 95 % intervals."
    name = f"aggregate-{'-'.join(group['scenarios'])}"
    return Section(title, "", sentences, [Table(name, caption, headings, rows)])


def estimate(numbers: Sequence[float | None] | None) -> Estimate | None:
    """Read `[mean, low, high]`."""
    return None if numbers is None else Estimate(*(NAN if x is None else x for x in numbers))


def _standing_table(entry: Document, *, duels: bool) -> Table:
    columns, best = _columns(entry, duels=duels), _best(entry["agents"])
    rows = [
        Row(
            [_name(line), *(Cell.of(column, value(line, key)) for key, column, _ in columns)],
            _kind(line, best),
        )
        for line in entry["agents"]
    ]
    bound = _bound_row(entry, columns)
    headings = [
        Heading("Agent", numeric=False),
        *(
            Heading(column.heading, group=group, order="descending" if key == "return" else "none")
            for key, column, group in columns
        ),
    ]
    caption = f"How the agents stand on {entry['scenario']}; means with 95 % intervals."
    return Table(entry["scenario"], caption, headings, [*bound, *rows])


def _columns(entry: Document, *, duels: bool) -> list[tuple[str, Column, str]]:
    """Return key, column and group of all that is shown."""
    returns, rival = return_column(entry["largest_return"]), entry["compared_with"]
    found = [
        ("return", returns, ""),
        ("gain", replace(returns, heading=f"To {rival}", signed=True), ""),
        ("p_holm", P_VALUE, ""),
    ]
    if entry["has_scores"]:
        found.append(("score", SCORE, ""))
    if duels:
        iqm = [("iqm", replace(SCORE, heading="IQM score"), "")] if entry["has_scores"] else []
        better = replace(SHARE, heading="Better on seeds, %")
        improvement = replace(SHARE, heading="P(improvement), %")
        found += [
            *iqm,
            ("better_on_seeds", better, ""),
            ("probability_of_improvement", improvement, ""),
        ]
    for name in (*FEASIBILITY, *(other for other in COLUMNS if other not in FEASIBILITY)):
        measured = [value(line, name) for line in entry["agents"]]
        if _is_shown(name, measured):
            group = "feasibility" if name in FEASIBILITY else "measured"
            group = group if all(group != before for *_, before in found) else ""
            found.append((name, COLUMNS[name], group))
    return found


def _is_shown(name: str, measured: Sequence[Estimate | None]) -> bool:
    """Tell whether an environment measures it; rare events are shown where there are any."""
    known = [each for each in measured if each is not None]
    return bool(known) and (name not in RARE or any(each.mean for each in known))


def value(line: Document, key: str) -> Estimate | None:
    """Return a figure of an agent's line, wherever in it it stands."""
    if key == "p_holm":
        return None if line[key] is None else Estimate(line[key])
    for place in (line, line["feasibility"], line["measures"]):
        if key in place:
            return estimate(place[key])
    return None


def _bound_row(entry: Document, columns: Sequence[tuple[str, Column, str]]) -> list[Row]:
    bound = entry["certified_bound"]
    if bound["mean_return"] is None:
        return []
    known = {"return": estimate(bound["mean_return"]), "gain": estimate(bound["gain"])}
    known |= {"score": Estimate(1.0), "iqm": None}
    cells = (Cell.of(replace(column, none=""), known.get(key)) for key, column, _ in columns)
    return [Row([Cell(BOUND), *cells], BOUND_ROW)]


def _command_table(entry: Document) -> Table:
    rows = [
        Row([_name(line), Cell(line["command"])]) for line in entry["agents"] if "command" in line
    ]
    headings = [Heading("Agent", numeric=False), Heading("Command", numeric=False)]
    name = f"{entry['scenario']}-commands"
    return Table(name, "The command that reproduces each row.", headings, rows, folded=True)


def _name(line: Document) -> Cell:
    return Cell(line["agent"] if line["contender"] else f"{line['agent']} (reference)")


def _best(lines: Sequence[Document]) -> str | None:
    """Name the first contender; the lines are in their order."""
    return next((line["agent"] for line in lines if line["contender"]), None)


def _kind(line: Document, best: str | None) -> str:
    if not line["contender"]:
        return REFERENCE
    return BEST if line["agent"] == best else PLAIN
