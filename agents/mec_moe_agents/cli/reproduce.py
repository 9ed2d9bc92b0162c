"""`mec-moe reproduce`: the papers' questions, each from one command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.options import check_writable, reported

if TYPE_CHECKING:
    from mec_moe_agents.reproduce.study import Study

app = typer.Typer(
    no_args_is_help=True,
    help="Reproduce the papers' claims, test the learned policy: pictures, raw rows, a table.",
)
Seeds = Annotated[int, typer.Option(min=1, help="Episodes per condition, from seed 0.")]


@app.command()
def dmoe(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path(
        "runs/reproduce-dmoe"
    ),
    seeds: Seeds = 20,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this study; repeatable.")
    ] = None,
) -> None:
    """Answer the questions of Qin et al. 2025 (multi-layer DMoE).

    Studies: energy, accuracy, experts, optimality, search, staleness; each writes NAME.png and
    NAME.csv.
    """
    with reported():
        _answer(_chosen(dmoe_studies(), only or []), out, range(seeds))


@app.command()
def offloading(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path(
        "runs/reproduce-offloading"
    ),
    seeds: Seeds = 20,
) -> None:
    """Answer the question of Li & Duan 2024: does the gating network converge, and when?"""
    with reported():
        from mec_moe_agents.reproduce.offloading import STUDY

        _answer([STUDY], out, range(seeds))


@app.command()
def transfer(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path(
        "runs/reproduce-transfer"
    ),
    seeds: Annotated[
        int, typer.Option(min=1, help="Episodes per condition, from seed 100000.")
    ] = 50,
) -> None:
    """Test the policy learned on `default` where it was not trained: size, speed, failures, bursts.

    `yes` marks a lead of the learned policy, `NO` one of the baseline; neither is undecided.
    """
    with reported():
        from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED
        from mec_moe_agents.reproduce.transfer import STUDY

        _answer([STUDY], out, range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + seeds))


def dmoe_studies() -> Sequence[Study]:
    """Return the questions of Qin et al. 2025."""
    from mec_moe_agents.reproduce import accuracy, energy, layers, search

    return (
        energy.ENERGY,
        accuracy.STUDY,
        layers.EXPERTS,
        layers.OPTIMALITY,
        search.STUDY,
        energy.STALENESS,
    )


def _chosen(studies: Sequence[Study], names: Sequence[str]) -> list[Study]:
    from mec_moe_env.config import suggest

    known = {study.name: study for study in studies}
    for name in names:
        if name not in known:
            raise ValueError(f"unknown study {name!r}: {suggest(name, known)}")
    return [study for study in studies if not names or study.name in names]


def _answer(studies: Sequence[Study], out: Path, seeds: Sequence[int]) -> None:
    import sys
    import time

    from rich.console import Console

    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.reproduce.study import print_headlines, write_answer

    check_writable(out)
    provenance, headlines = current_provenance(), {}
    for position, study in enumerate(studies, 1):
        begin = time.perf_counter()
        answer = study.run(seeds)
        write_answer(out, study.name, answer, provenance)
        headlines[study.name] = answer.headlines
        took = time.perf_counter() - begin
        print(
            f"[{position}/{len(studies)}] {study.name}: {study.question} {took:.1f} s",
            file=sys.stderr,
            flush=True,
        )
    print_headlines(Console(highlight=False), headlines)
    for study in studies:
        print(f"{study.name:>12}  {out / study.name}.png  {out / study.name}.csv")
