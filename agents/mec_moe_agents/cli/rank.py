"""`mec-moe rank`: all agents on all presets, on seeds that no training has seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.options import (
    AgentNames,
    Certify,
    ConfigPaths,
    ExecutorName,
    ResultsFolder,
    TrustZip,
    check_writable,
    path_option,
    reported,
)
from mec_moe_agents.cli.recording import invocation

if TYPE_CHECKING:
    from mec_moe_agents.evaluation.scenarios import RankingRequest
    from mec_moe_agents.report.record import Invocation


def rank(
    ctx: typer.Context,
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Names with commas between them (DMoE's as dmoe/NAME), offloading, dmoe, or all, "
            "which it is unless --config is given.",
        ),
    ] = None,
    config: ConfigPaths = None,
    agents: AgentNames = "all",
    seeds: Annotated[int, typer.Option(min=1, help="Episodes per agent and scenario.")] = 50,
    first_seed: Annotated[
        int | None, typer.Option(min=0, help="The others follow it; 100000 unless given.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="Agents that run at the same time: --executor processes:N.")
    ] = 1,
    executor: ExecutorName = None,
    out: ResultsFolder = Path("runs/rank"),
    markdown: Annotated[
        Path | None,
        path_option("Also write the tables here, the picture beside it.", "FILE.md"),
    ] = None,
    mnist: Annotated[
        Path | None, path_option("MNIST's .npz file or IDX folder: its scenario takes part.")
    ] = None,
    certify: Certify = False,
    trust_zip: TrustZip = False,
) -> None:
    """Rank all agents on all presets of both environments.

    Scores run from the best untrained baseline, which always runs, to the certified bound that no
    policy exceeds. Prints a table and a verdict for each scenario; writes every episode
    (ranking.csv), all figures (ranking.json), tables with the command that reproduces each row
    (ranking.md) and a picture (ranking.png, .svg and .pdf); `mec-moe report FOLDER` makes a page of
    them. After an interruption the same command goes on where it was.
    """
    if scenario is None and not config:
        scenario = ctx.params["scenario"] = "all"
    called = invocation(ctx)
    with reported():
        from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED
        from mec_moe_agents.evaluation.scenarios import RankingRequest
        from mec_moe_agents.executors.naming import executor_of

        where = executor_of(jobs, executor)
        first = FIRST_RANKING_SEED if first_seed is None else first_seed
        chosen = range(first, first + seeds)
        request = RankingRequest.check(
            scenario or "",
            agents,
            chosen,
            mnist,
            config or (),
            certify=certify,
            trust_zip=trust_zip,
        )
        for folder in (out, *([markdown.parent] if markdown else [])):
            check_writable(folder)
    kept = f"interrupted; what is finished is kept in {out}, the same command resumes"
    with reported(kept):
        _answer(request, out, markdown, where, called)


def _answer(
    request: RankingRequest,
    out: Path,
    markdown: Path | None,
    where: str | None,
    called: Invocation,
) -> None:
    from rich.console import Console

    from mec_moe_agents.cli.progress import progress_of
    from mec_moe_agents.evaluation.bounds import find_all_bounds, will_certify
    from mec_moe_agents.evaluation.comparison import compare_everywhere
    from mec_moe_agents.evaluation.export import write_ranking
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.ranking import Ranking
    from mec_moe_agents.evaluation.store import CellStore
    from mec_moe_agents.evaluation.tables import print_ranking
    from mec_moe_agents.executors.naming import opened
    from mec_moe_agents.report.comparison import record_ranking

    scenarios, seeds, certify = request.scenarios, request.seeds, request.certify
    provenance = current_provenance()
    store, code = CellStore(out / "cells"), provenance.identity
    cells = sum(
        len(each.runners) + will_certify(each.config, seeds, certify=certify) for each in scenarios
    )
    with opened(where) as executor, progress_of(cells, live=executor is None) as progress:
        results = compare_everywhere(scenarios, seeds, store, code, progress, executor)
        bounds = find_all_bounds(
            scenarios, seeds, store, code, progress, certify=certify, executor=executor
        )
    ranking = Ranking(request, results, bounds, provenance)
    written = write_ranking(ranking, out, markdown)
    record_ranking(out, called, ranking)
    print_ranking(Console(highlight=False, markup=False), ranking.standings, ranking.aggregates)
    print("", *written, sep="\n")
