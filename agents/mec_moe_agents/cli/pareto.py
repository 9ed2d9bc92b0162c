"""`mec-moe pareto`: what saved energy costs in a DMoE scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options
from mec_moe_agents.cli.recording import invocation

if TYPE_CHECKING:
    from mec_moe_agents.reproduce.pareto import Trade


def pareto(
    ctx: typer.Context,
    scenario: options.ScenarioName = None,
    config: options.ConfigPath = None,
    seeds: options.Episodes = 20,
    first_seed: options.FirstSeed = 100_000,
    out: Annotated[
        Path | None,
        options.path_option("Folder for the results; runs/pareto-SCENARIO unless given."),
    ] = None,
    settings: options.Settings = None,
) -> None:
    """Sweep DMoE's schedulers over energy and accuracy, or over energy and violated thresholds.

    JESA at 20 values of γ0, H(z, D) at 20 of z, top-k at every k, no expert at all, and learned
    importance where there is some. Prints the front, and writes pareto.png (.svg and .pdf) and
    pareto.csv; `mec-moe report FOLDER` makes a page of them.
    """
    called = invocation(ctx)
    with options.reported():
        from mec_moe_agents.environments import DMOE
        from mec_moe_agents.evaluation.provenance import current_provenance
        from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
        from mec_moe_agents.evaluation.scenarios import Scenario
        from mec_moe_agents.report.studies import record_studies
        from mec_moe_agents.reproduce import Answer, write_answer
        from mec_moe_agents.reproduce.pareto import QUESTION, draw, headlines, measure
        from mec_moe_env import DMoEConfig

        chosen = range(first_seed, first_seed + seeds)
        check_evaluation_seeds((chosen[0], chosen[-1]))
        asked = options.choose_scenario(DMOE.name, scenario, config, settings)
        assert isinstance(asked.config, DMoEConfig)
        named = Scenario(asked.name, asked.config, ())
        folder = out or Path("runs") / f"pareto-{named.folder_name}"
        picture, rows = folder / "pareto.png", folder / "pareto.csv"
        options.check_replaceable(rows, asked.config)
        options.check_writable(folder)
        provenance = current_provenance()
        trade = measure(asked.config, chosen, options.tell)
        title = f"{named.summary}, {seeds} seeds"
        answer = Answer(trade.rows, draw(trade, title), headlines(trade))
        write_answer(folder, "pareto", answer, provenance)
        record_studies(folder, called, provenance, chosen, {"pareto": (QUESTION, answer)})
        _print_front(trade, title)
        options.print_places({"picture": picture, "raw rows": rows})


def _print_front(trade: Trade, title: str) -> None:
    """Print the points of the front with their intervals, the best return bold."""
    from rich.console import Console

    from mec_moe_agents.evaluation.tables import plain_table

    front, best, columns = trade.front, trade.best, trade.columns
    table = plain_table()
    table.add_column("Scheduler", no_wrap=True)
    for column in columns.values():
        table.add_column(column.heading, justify="right", no_wrap=True)
    shown = front if best in front else [*front, best]
    for point in shown:
        cells = ["\n".join(column.cell(point.estimate(name))) for name, column in columns.items()]
        style = "bold green" if point is best else ""
        name = f"{point.choice.family} {point.choice.value}".rstrip()
        table.add_row(name, *cells, style=style)
    console = Console(highlight=False)
    console.print(f"\n{title}: the front, by rising energy; bold, the best return of all\n")
    console.print(table)
    console.print()
