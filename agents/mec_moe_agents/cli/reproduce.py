"""`mec-moe reproduce`, the papers' questions, and `mec-moe learn-importance`, one of our own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.options import (
    ExecutorName,
    FirstSeed,
    ResultsFolder,
    check_writable,
    print_places,
    reported,
    tell,
)
from mec_moe_agents.cli.recording import invocation

if TYPE_CHECKING:
    from mec_moe_agents.report.record import Invocation
    from mec_moe_agents.reproduce import Study

app = typer.Typer(
    no_args_is_help=True,
    help="Reproduce the papers' claims, test the learned policy: pictures, raw rows, a table.",
)
QUESTION = "Does learned layer importance save energy at equal accuracy?"
Seeds = Annotated[int, typer.Option(min=1, help="Episodes per condition, from seed 0.")]
Only = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only this study; repeatable.")
]


@app.command()
def dmoe(
    ctx: typer.Context,
    out: ResultsFolder = Path("runs/reproduce-dmoe"),
    seeds: Seeds = 20,
    only: Only = None,
    executor: ExecutorName = None,
) -> None:
    """Answer the questions of Qin et al. 2025 (multi-layer DMoE).

    Studies: energy, accuracy, experts, optimality, search, staleness; each writes NAME.png (.svg
    and .pdf) and NAME.csv. `mec-moe report FOLDER` makes a page of them.
    """
    called = invocation(ctx)
    with reported():
        _answer(_chosen(dmoe_studies(), only), out, range(seeds), called, executor)


@app.command()
def offloading(
    ctx: typer.Context,
    out: ResultsFolder = Path("runs/reproduce-offloading"),
    seeds: Seeds = 20,
    executor: ExecutorName = None,
) -> None:
    """Answer the question of Li & Duan 2024: does the gating network converge, and when?

    A second study repeats it at other learning rates, signals and sizes of the ground truths.
    """
    called = invocation(ctx)
    with reported():
        from mec_moe_agents.reproduce import offloading, sensitivity

        _answer([offloading.STUDY, sensitivity.STUDY], out, range(seeds), called, executor)


@app.command()
def continual(
    ctx: typer.Context,
    out: ResultsFolder = Path("runs/reproduce-continual"),
    seeds: Seeds = 200,
    executor: ExecutorName = None,
) -> None:
    """Set Li et al. 2025, the gate without a network, beside what its author's program gives."""
    called = invocation(ctx)
    with reported():
        from mec_moe_agents.reproduce.continual import STUDY

        _answer([STUDY], out, range(seeds), called, executor)


@app.command()
def experts(
    ctx: typer.Context,
    out: ResultsFolder = Path("runs/reproduce-experts"),
    seeds: Annotated[int, typer.Option(min=1, help="Episodes per condition.")] = 20,
    first_seed: FirstSeed = 100_000,
    executor: ExecutorName = None,
) -> None:
    """Compare linear experts with networks under five routers: teacher, digits and mnist-5k.

    `yes` marks a lead whose interval excludes zero.
    """
    called = invocation(ctx)
    with reported():
        from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
        from mec_moe_agents.reproduce.experts import STUDY

        chosen = range(first_seed, first_seed + seeds)
        check_evaluation_seeds((chosen[0], chosen[-1]))
        _answer([STUDY], out, chosen, called, executor)


@app.command()
def questions(
    ctx: typer.Context,
    out: ResultsFolder = Path("runs/reproduce-questions"),
    seeds: Annotated[
        int, typer.Option(min=1, help="Episodes per condition, from seed 100000.")
    ] = 20,
    only: Only = None,
    executor: ExecutorName = None,
) -> None:
    """Answer the questions that Li & Duan 2024 leave open.

    q1: how many servers convergence takes, by arrivals and availability. q2: what more cost, and
    how many are best. q3: linear experts against networks under every router. Each writes NAME.png
    (.svg and .pdf) and NAME.csv.
    """
    called = invocation(ctx)
    with reported():
        from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED
        from mec_moe_agents.reproduce import least_servers, more_servers, nonlinear

        studies = (least_servers.STUDY, more_servers.STUDY, nonlinear.STUDY)
        chosen = range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + seeds)
        _answer(_chosen(studies, only), out, chosen, called, executor)


@app.command()
def transfer(
    ctx: typer.Context,
    out: ResultsFolder = Path("runs/reproduce-transfer"),
    seeds: Annotated[
        int, typer.Option(min=1, help="Episodes per condition, from seed 100000.")
    ] = 50,
    executor: ExecutorName = None,
) -> None:
    """Test the policy learned on `default` where it was not trained: size, speed, failures, bursts.

    `yes` marks a lead of the learned policy, `NO` one of the baseline; neither is undecided.
    """
    called = invocation(ctx)
    with reported():
        from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED
        from mec_moe_agents.reproduce.transfer import STUDY

        chosen = range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + seeds)
        _answer([STUDY], out, chosen, called, executor)


def dmoe_studies() -> Sequence[Study]:
    """Return the questions of Qin et al. 2025."""
    from mec_moe_agents.reproduce import energy, layers, search

    return (
        energy.ENERGY,
        energy.ACCURACY,
        layers.EXPERTS,
        layers.OPTIMALITY,
        search.STUDY,
        energy.STALENESS,
    )


def _chosen(studies: Sequence[Study], only: Sequence[str] | None) -> list[Study]:
    """Return the studies that are named, or all.

    Raises:
        ValueError: there is no such study.
    """
    from mec_moe_env.config import suggest

    known = {study.name: study for study in studies}
    for name in only or ():
        if name not in known:
            raise ValueError(f"unknown study {name!r}: {suggest(name, known)}")
    return [study for name, study in known.items() if not only or name in only]


def _answer(
    studies: Sequence[Study],
    out: Path,
    seeds: Sequence[int],
    called: Invocation,
    where: str | None,
) -> None:
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.executors.naming import opened
    from mec_moe_agents.report.studies import record_studies
    from mec_moe_agents.reproduce import print_headlines, write_answer

    check_writable(out)
    provenance, answers = current_provenance(), {}
    with opened(where) as executor:
        for position, study in enumerate(studies, 1):
            begin = time.perf_counter()
            answer = study.run(seeds, executor)
            write_answer(out, study.name, answer, provenance)
            answers[study.name] = (study.question, answer)
            took = time.perf_counter() - begin
            tell(f"[{position}/{len(studies)}] {study.name}: {study.question} {took:.1f} s")
    record_studies(out, called, provenance, seeds, answers)
    print_headlines({name: answer.headlines for name, (_, answer) in answers.items()})
    names = [study.name for study in studies]
    print_places({name: f"{out / name}.png  {out / name}.csv" for name in names})


def learn_importance(
    ctx: typer.Context,
    out: ResultsFolder = Path("runs/importance"),
    seeds: Annotated[
        int, typer.Option(min=1, help="Episodes to compare on, from seed 100000.")
    ] = 1000,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Evaluate the shipped schedules instead of learning.")
    ] = False,
) -> None:
    """Learn the layer importance of `digits-moe` and compare it with γ0^l at equal accuracy.

    Writes digits_moe.json (for the agent `learned`, option path), importance.png and
    importance.csv. Learns on seeds from 2^31, evaluates on others; both meet the same 540 images.
    """
    called = invocation(ctx)
    with reported():
        from mec_moe_agents.dmoe.learned import DIGITS_MOE, ScheduleFamily
        from mec_moe_agents.evaluation.provenance import current_provenance
        from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED
        from mec_moe_agents.report.studies import record_studies
        from mec_moe_agents.reproduce import print_headlines, write_answer
        from mec_moe_agents.reproduce.importance import compare_matches
        from mec_moe_agents.training.importance import CONFIG, SHARED, learn_family

        check_writable(out)
        provenance = current_provenance()
        path = DIGITS_MOE if shipped else out / DIGITS_MOE.name
        if not shipped:
            about = {
                "scenario": "digits-moe",
                "retrain": "mec-moe learn-importance",
                "practice": SHARED,
            }
            learn_family(tell).save(path, about)
        matches = ScheduleFamily.load(path, CONFIG.num_layers).matches
        tell(f"judging the schedules of {len(matches)} values of γ0 on {seeds} episodes")
        chosen = range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + seeds)
        answer = compare_matches(matches, chosen)
        write_answer(out, "importance", answer, provenance)
        record_studies(out, called, provenance, chosen, {"importance": (QUESTION, answer)})
        print_headlines({"importance": answer.headlines})
        print(SHARED, path, out / "importance.png", out / "importance.csv", sep="\n")
