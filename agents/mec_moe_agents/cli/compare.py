"""`mec-moe compare`: which scheduler is best on a scenario, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options

if TYPE_CHECKING:
    from mec_moe_agents.evaluation.scenarios import Scenario


def compare(
    scenario: options.Preset,
    env: options.EnvironmentName = "offloading",
    agents: options.AgentNames = "all",
    seeds: options.Episodes = 20,
    first_seed: options.FirstSeed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results; runs/SCENARIO or runs/dmoe-SCENARIO unless given."
        ),
    ] = None,
    settings: options.Settings = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute again what was computed before.")
    ] = False,
) -> None:
    """Run agents on the same seeds; rank them by return.

    Prints a table and a verdict, and writes to the output folder a picture (comparison.png), raw
    rows (rows.csv) and curves over the episode (curves.npz). Finished work is kept: after an
    interruption the same command goes on where it was.
    """
    with options.reported():
        checked = check(env, scenario, agents, settings)
        folder = out or Path("runs") / options.folder_name(env, scenario)
        options.check_writable(folder)
    kept = f"interrupted; what is finished is kept in {folder}, the same command resumes"
    with options.reported(kept):
        _answer(checked, range(first_seed, first_seed + seeds), folder, fresh)


def check(env: str, name: str, agents: str, settings: Sequence[str] | None) -> Scenario:
    """Resolve every name, build the environment and the agents once."""
    from mec_moe_agents.evaluation.rollout import make_vector_env
    from mec_moe_agents.evaluation.scenarios import Scenario, find_config, parse_agents
    from mec_moe_agents.registry import make_agent

    config = find_config(env, name, options.parse_overrides(settings))
    scenario = Scenario(name, config, parse_agents(agents, config))
    one = make_vector_env(config, 1)
    for agent in scenario.agents:
        make_agent(agent, one)
    one.close()
    return scenario


def _answer(scenario: Scenario, seeds: Sequence[int], folder: Path, fresh: bool) -> None:
    from rich.console import Console

    from mec_moe_agents.cli.progress import progress_of
    from mec_moe_agents.evaluation.comparison import compare as run
    from mec_moe_agents.evaluation.drawing import save_figure
    from mec_moe_agents.evaluation.figures import draw_comparison
    from mec_moe_agents.evaluation.leaderboard import summarize
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.rollout import warm_up
    from mec_moe_agents.evaluation.store import CellStore, write_curves, write_rows
    from mec_moe_agents.evaluation.tables import print_comparison

    config, provenance = scenario.config, current_provenance()
    store = CellStore(folder / "cells")
    with progress_of(len(scenario.agents)) as progress:
        warm_up(config)
        results = run(
            config, scenario.agents, seeds, store, provenance.identity, progress, fresh=fresh
        )
    board = summarize(results, scenario.references)
    title = f"{scenario.summary}, {len(seeds)} seeds"
    picture, rows, curves = folder / "comparison.png", folder / "rows.csv", folder / "curves.npz"
    write_rows(rows, results, config, provenance)
    write_curves(curves, results)
    save_figure(draw_comparison(board, title), picture)
    console = Console(highlight=False)
    heading = f"{title}; beneath each mean its 95 % bootstrap interval"
    print_comparison(console, heading, board, scenario.name)
    console.print()
    options.print_places({"picture": picture, "raw rows": rows, "curves": curves})
