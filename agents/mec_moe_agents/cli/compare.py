"""`mec-moe compare`: which scheduler is best on a scenario, and by how much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.failures import reported

if TYPE_CHECKING:
    from mec_moe_agents.cli.comparison_request import ComparisonRequest


def compare(
    scenario: Annotated[str, typer.Option(help="A preset; `mec-moe scenarios` lists them.")],
    env: Annotated[str, typer.Option(help="offloading or dmoe.")] = "offloading",
    agents: Annotated[str, typer.Option(help="Names with commas between them, or `all`.")] = "all",
    seeds: Annotated[int, typer.Option(min=1, help="Episodes per agent.")] = 20,
    first_seed: Annotated[int, typer.Option(min=0, help="The others follow it.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results; runs/SCENARIO or runs/dmoe-SCENARIO unless given."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Override a config field; repeatable."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute again what was computed before.")
    ] = False,
) -> None:
    """Run agents on the same seeds; rank them by return.

    Prints a table and a verdict, and writes to the output folder a picture (comparison.png), raw
    rows (rows.csv) and curves over the episode (curves.npz). Finished work is kept: after an
    interruption the same command goes on where it was.
    """
    with reported():
        from mec_moe_agents.cli.comparison_request import ComparisonRequest

        request = ComparisonRequest.check(
            scenario, agents, range(first_seed, first_seed + seeds), out, settings or [], env
        )
    kept = f"interrupted; what is finished is kept in {request.out}, the same command resumes"
    with reported(kept):
        _answer(request, fresh)


def _answer(request: ComparisonRequest, fresh: bool) -> None:
    from rich.console import Console

    from mec_moe_agents.cli.comparison_output import present
    from mec_moe_agents.cli.progress import LiveProgress, PlainProgress
    from mec_moe_agents.evaluation.cell import CellStore
    from mec_moe_agents.evaluation.comparison import compare as run
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.rollout import warm_up

    provenance = current_provenance()
    errors = Console(stderr=True)
    cells = len(request.agents)
    with LiveProgress(errors, cells) if errors.is_terminal else PlainProgress(cells) as progress:
        warm_up(request.config)
        results = run(
            request.config,
            request.agents,
            request.seeds,
            CellStore(request.out / "cells"),
            provenance.identity,
            progress,
            fresh=fresh,
        )
    present(request, results, provenance)
