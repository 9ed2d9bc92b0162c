"""`mec-moe compare`: which scheduler is best on a scenario, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.options import check_writable, parse_overrides, reported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mec_moe_agents.evaluation.leaderboard import Leaderboard
    from mec_moe_agents.evaluation.provenance import Provenance
    from mec_moe_agents.evaluation.rollout import Episodes
    from mec_moe_agents.evaluation.scenarios import Scenario


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
        chosen = range(first_seed, first_seed + seeds)
        request = check(scenario, agents, chosen, out, settings or [], env)
    kept = f"interrupted; what is finished is kept in {request.out}, the same command resumes"
    with reported(kept):
        _answer(request, fresh)


@dataclass(frozen=True)
class ComparisonRequest:
    """A comparison that can run."""

    scenario: Scenario
    seeds: Sequence[int]
    out: Path

    @property
    def title(self) -> str:
        """What is compared, in a line."""
        return f"{self.scenario.summary}, {len(self.seeds)} seeds"


def check(
    scenario: str,
    agents: str,
    seeds: Sequence[int],
    out: Path | None,
    settings: Sequence[str],
    env: str,
) -> ComparisonRequest:
    """Resolve every name, build the environment and the agents once, open the output folder.

    Raises:
        ValueError: the environment, the scenario, an agent or a setting is wrong, or an agent
            refuses the scenario.
        OSError: the data are missing, or the output folder cannot be written.
        ImportError: the scenario needs an extra that is not installed.
    """
    from mec_moe_agents.evaluation.rollout import make_vector_env
    from mec_moe_agents.evaluation.scenarios import Scenario, find_config, parse_agents
    from mec_moe_agents.registry import make_agent

    config = find_config(env, scenario, parse_overrides(settings))
    names = parse_agents(agents, config)
    one = make_vector_env(config, 1)
    for name in names:
        make_agent(name, one)
    one.close()
    folder = out or Path("runs") / (scenario if env == "offloading" else f"{env}-{scenario}")
    check_writable(folder)
    return ComparisonRequest(Scenario(scenario, config, names), seeds, folder)


def _answer(request: ComparisonRequest, fresh: bool) -> None:
    from mec_moe_agents.cli.progress import progress_of
    from mec_moe_agents.evaluation.comparison import compare as run
    from mec_moe_agents.evaluation.leaderboard import summarize
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.rollout import warm_up
    from mec_moe_agents.evaluation.store import CellStore

    provenance, scenario = current_provenance(), request.scenario
    with progress_of(len(scenario.agents)) as progress:
        warm_up(scenario.config)
        results = run(
            scenario.config,
            scenario.agents,
            request.seeds,
            CellStore(request.out / "cells"),
            provenance.identity,
            progress,
            fresh=fresh,
        )
    references = [agent for agent in results if not scenario.is_contender(agent)]
    board = summarize(results, references)
    _write(request, results, board, provenance)
    _print(request, board)


def _write(
    request: ComparisonRequest,
    results: Mapping[str, Episodes],
    board: Leaderboard,
    provenance: Provenance,
) -> None:
    from mec_moe_agents.evaluation.drawing import save_figure
    from mec_moe_agents.evaluation.figures import draw_comparison
    from mec_moe_agents.evaluation.store import write_curves, write_rows

    write_rows(request.out / "rows.csv", results, request.scenario.config, provenance)
    write_curves(request.out / "curves.npz", results)
    figure = draw_comparison(results, board, request.title)
    save_figure(figure, request.out / "comparison.png")


def _print(request: ComparisonRequest, board: Leaderboard) -> None:
    from rich.console import Console

    from mec_moe_agents.evaluation.tables import print_leaderboard
    from mec_moe_agents.evaluation.verdict import verdict

    console = Console(highlight=False)
    console.print(f"\n{request.title}; beneath each mean its 95 % bootstrap interval\n")
    print_leaderboard(console, board)
    console.print(verdict(board, request.scenario.name), style="bold")
    console.print()
    for what, name in (
        ("picture", "comparison.png"),
        ("raw rows", "rows.csv"),
        ("curves", "curves.npz"),
    ):
        print(f"{what:>12}  {request.out / name}")
