"""`mec-moe compare`: which scheduler is best on a scenario, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options
from mec_moe_agents.cli.recording import invocation

if TYPE_CHECKING:
    from mec_moe_agents.evaluation.bounds import Bounds
    from mec_moe_agents.evaluation.naming import Chosen
    from mec_moe_agents.evaluation.rollout import Episodes
    from mec_moe_agents.evaluation.scenarios import Scenario
    from mec_moe_agents.report.record import Invocation

ROWS = "rows.csv"


def compare(
    ctx: typer.Context,
    scenario: options.ScenarioName = None,
    config: options.ConfigPath = None,
    env: options.EnvironmentName = None,
    agents: options.AgentNames = "all",
    seeds: options.Episodes = 20,
    first_seed: options.FirstSeed = 0,
    out: Annotated[
        Path | None,
        options.path_option(
            "Folder for the results; runs/SCENARIO unless given, with what --set changes."
        ),
    ] = None,
    settings: options.Settings = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute again what was computed before.")
    ] = False,
    certify: options.Certify = False,
    trust_zip: options.TrustZip = False,
    executor: options.ExecutorName = None,
) -> None:
    """Run agents on the same seeds; rank them by return.

    Prints a table and a verdict, with the certified bound that no policy exceeds where it is known,
    and writes to the output folder a picture (comparison.png, .svg and .pdf), raw rows (rows.csv),
    curves over the episode (curves.npz) and all figures (summary.json); `mec-moe report FOLDER`
    makes a page of them. Finished work is kept: after an interruption the same command goes on
    where it was.
    """
    called = invocation(ctx)
    with options.reported():
        from mec_moe_agents.executors.naming import check_name

        check_name(executor)
        chosen = range(first_seed, first_seed + seeds)
        asked = options.choose_scenario(env, scenario, config, settings)
        checked = check(asked, agents, chosen, certify=certify, trust_zip=trust_zip)
        folder = out or Path("runs") / checked.folder_name
        options.check_replaceable(folder / ROWS, checked.config)
        options.check_writable(folder)
    kept = f"interrupted; what is finished is kept in {folder}, the same command resumes"
    with options.reported(kept):
        _answer(checked, chosen, folder, called, fresh=fresh, certify=certify, where=executor)


def check(
    asked: Chosen, agents: str, seeds: Sequence[int], *, certify: bool, trust_zip: bool
) -> Scenario:
    """Resolve every agent, build the environment and the agents once."""
    from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
    from mec_moe_agents.evaluation.scenarios import Scenario, parse_agents, with_clairvoyant

    check_evaluation_seeds((seeds[0], seeds[-1]))
    named = parse_agents(agents, asked.config)
    ranked = with_clairvoyant(named, asked.config, seeds, certify=certify)
    scenario = Scenario(asked.name, asked.config, ranked, trust_zip=trust_zip)
    scenario.build_agents()
    return scenario


def _answer(
    scenario: Scenario,
    seeds: Sequence[int],
    folder: Path,
    called: Invocation,
    *,
    fresh: bool,
    certify: bool,
    where: str | None,
) -> None:
    from rich.console import Console

    from mec_moe_agents.evaluation.export import write_comparison
    from mec_moe_agents.evaluation.leaderboard import summarize
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.tables import print_comparison
    from mec_moe_agents.report.comparison import record_comparison

    provenance = current_provenance()
    results, bounds = _run(
        scenario,
        seeds,
        folder / "cells",
        provenance.identity,
        fresh=fresh,
        certify=certify,
        where=where,
    )
    board = summarize(
        results, scenario.references, scenario.trained, bounds=bounds, baseline=scenario.baseline
    )
    title = f"{scenario.summary}, {len(seeds)} seeds"
    written = write_comparison(folder, scenario, results, board, provenance, title)
    record_comparison(folder, called, provenance, scenario, seeds)
    console = Console(highlight=False, markup=False)
    heading = f"{title}; beneath each mean its 95 % bootstrap interval"
    print_comparison(console, heading, board, scenario.label)
    console.print()
    options.print_places(written)


def _run(
    scenario: Scenario,
    seeds: Sequence[int],
    cells: Path,
    code: str,
    *,
    fresh: bool,
    certify: bool,
    where: str | None,
) -> tuple[Mapping[str, Episodes], Bounds]:
    """Run the agents, and look up or compute the bounds, in view."""
    from mec_moe_agents.cli.progress import progress_of
    from mec_moe_agents.evaluation.bounds import find_bounds, will_certify
    from mec_moe_agents.evaluation.comparison import compare as run
    from mec_moe_agents.evaluation.rollout import warm_up
    from mec_moe_agents.evaluation.store import CellStore
    from mec_moe_agents.executors.naming import opened

    config, store = scenario.config, CellStore(cells)
    count = len(scenario.agents) + will_certify(config, seeds, certify=certify)
    with opened(where) as executor, progress_of(count, live=executor is None) as progress:
        warm_up(config)
        results = run(
            config,
            scenario.agents,
            seeds,
            store,
            code,
            progress,
            fresh=fresh,
            trust_zip=scenario.trust_zip,
            executor=executor,
        )
        bounds = find_bounds(
            config,
            seeds,
            store,
            code,
            progress,
            certify=certify,
            fresh=fresh,
            executor=executor,
        )
    return results, bounds
