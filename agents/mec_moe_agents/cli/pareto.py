"""`mec-moe pareto`: what schedulers trade for what, and the fronts of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options
from mec_moe_agents.cli.recording import invocation

if TYPE_CHECKING:
    from mec_moe_agents.evaluation.naming import Chosen
    from mec_moe_agents.evaluation.provenance import Provenance
    from mec_moe_agents.report.record import Invocation
    from mec_moe_agents.reproduce import Answer
    from mec_moe_agents.reproduce.pareto import Trade

NEED_WEIGHTS = "needs --weights, which sweeps the weights of the reward's terms"


def pareto(
    ctx: typer.Context,
    scenario: options.ScenarioName = None,
    config: options.ConfigPath = None,
    weights: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS",
            help="Sweep the reward's weights, each in so many steps from nothing to all: with 3, 9 "
            "mixes of three terms or 4 of two beside the configured one.",
        ),
    ] = None,
    agents: Annotated[
        str | None,
        typer.Option(
            metavar="AGENTS", help=f"With --weights; `all` unless given. {options.REFERENCES}"
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS",
            help="With --weights: where hypervolumes begin, a number below 0 for each term, with "
            "commas between them. Unless given, where each term alone costs what idling costs.",
        ),
    ] = None,
    seeds: options.Episodes = 20,
    first_seed: options.FirstSeed = 100_000,
    out: Annotated[
        Path | None,
        options.path_option("Folder for the results; runs/pareto-SCENARIO unless given."),
    ] = None,
    settings: options.Settings = None,
    trust_zip: options.TrustZip = False,
) -> None:
    """Draw what schedulers trade for what, and the front of it.

    With --weights: every agent under several mixes of the reward's weights, on
    the same seeds, the vector returns of mec_moe/MO-Offloading-v0 and
    mec_moe/MO-DMoE-v0, and hypervolumes with intervals.

    Without: DMoE's schedulers over energy and accuracy, or over energy and
    violated thresholds. JESA at 20 values of γ0, H(z, D) at 20 of z, top-k at
    every k, no expert at all, and learned importance where there is some.

    Writes pareto.png (.svg and .pdf) and pareto.csv; `mec-moe report FOLDER`
    makes a page of them.
    """
    called = invocation(ctx)
    with options.reported("interrupted; with --weights finished mixes are kept in the folder"):
        from mec_moe_agents.environments import DMOE
        from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
        from mec_moe_agents.evaluation.scenarios import Scenario

        chosen = range(first_seed, first_seed + seeds)
        check_evaluation_seeds((chosen[0], chosen[-1]))
        needing = {"--agents": agents, "--reference": reference, "--trust-zip": trust_zip or None}
        for option, value in needing.items():
            if weights is None and value is not None:
                raise ValueError(f"{option} {NEED_WEIGHTS}")
        env = DMOE.name if weights is None else None
        asked = options.choose_scenario(env, scenario, config, settings)
        named = Scenario(asked.name, asked.config, ())
        folder = out or Path("runs") / f"pareto-{named.folder_name}"
        options.check_replaceable(folder / "pareto.csv", asked.config)
        if weights is None:
            _measures(asked, chosen, folder, called)
        else:
            _terms(asked, agents or "all", chosen, weights, reference, folder, called, trust_zip)


def _terms(
    asked: Chosen,
    agents: str,
    seeds: Sequence[int],
    steps: int,
    reference: str | None,
    folder: Path,
    called: Invocation,
    trust_zip: bool,
) -> None:
    """Sweep the weights of the reward's terms."""
    from mec_moe_agents.cli.fronts import answer
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.scenarios import Scenario, parse_agents
    from mec_moe_agents.reproduce.fronts import QUESTION, check_reference, mixes

    point = None if reference is None else _numbers(reference)
    if point is not None:
        check_reference(point, asked.config)
    mixes(asked.config, steps)
    names = parse_agents(agents, asked.config)
    ranked = Scenario(asked.name, asked.config, names, trust_zip=trust_zip)
    ranked.build_agents()
    options.check_writable(folder)
    provenance = current_provenance()
    found = answer(ranked, seeds, steps, point, folder, provenance)
    _write(folder, called, seeds, QUESTION, found, provenance)


def _numbers(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"--reference expects numbers with commas, got {text!r}") from None


def _measures(asked: Chosen, seeds: Sequence[int], folder: Path, called: Invocation) -> None:
    """Sweep what DMoE's schedulers leave open."""
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.scenarios import Scenario
    from mec_moe_agents.reproduce import Answer
    from mec_moe_agents.reproduce.pareto import QUESTION, draw, headlines, measure
    from mec_moe_env import DMoEConfig

    assert isinstance(asked.config, DMoEConfig)
    options.check_writable(folder)
    provenance = current_provenance()
    trade = measure(asked.config, seeds, options.tell)
    title = f"{Scenario(asked.name, asked.config, ()).summary}, {len(seeds)} seeds"
    answer = Answer(trade.rows, draw(trade, title), headlines(trade))
    _print_front(trade, title)
    _write(folder, called, seeds, QUESTION, answer, provenance)


def _write(
    folder: Path,
    called: Invocation,
    seeds: Sequence[int],
    question: str,
    answer: Answer,
    provenance: Provenance,
) -> None:
    from mec_moe_agents.report.studies import record_studies
    from mec_moe_agents.reproduce import write_answer

    write_answer(folder, "pareto", answer, provenance)
    record_studies(folder, called, provenance, seeds, {"pareto": (question, answer)})
    options.print_places({"picture": folder / "pareto.png", "raw rows": folder / "pareto.csv"})


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
