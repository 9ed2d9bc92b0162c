"""`mec-moe submit`: an agent's episodes on a task, in a file that anybody can replay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options

if TYPE_CHECKING:
    from mec_moe_agents.suite.manifest import Manifest, SeedRanges
    from mec_moe_agents.suite.play import Factory

SUFFIX, TIMES = ".npz", ".times.json"


def submit(
    task: Annotated[
        str,
        typer.Option(
            "--task",
            "--scenario",
            help="A task; `mec-moe suite list` names them, and their scenario's name finds them.",
        ),
    ],
    agent: Annotated[
        str,
        typer.Option(
            "--agent",
            "--agents",
            help="One, as --agents of `mec-moe compare` takes them: a name, with options or not, "
            "package.module:Class, file.py:Class, the folder of a training run, a model.zip.",
        ),
    ],
    out: Annotated[Path, options.path_option("The file to write.", "FILE.npz")],
    split: Annotated[str, typer.Option(help="test, shifted-test or validation.")] = "test",
    name: Annotated[str | None, typer.Option(help="Of the agent, unless --agent says it.")] = None,
    author: Annotated[str, typer.Option(help="Who submits.")] = "",
    description: Annotated[str, typer.Option(help="How the agent decides.")] = "",
    information: Annotated[
        str,
        typer.Option(help="causal if no action looks ahead, otherwise clairvoyant."),
    ] = "causal",
    training_seeds: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIRST-LAST",
            help="Of training's environments; repeatable. Known of a training run.",
        ),
    ] = None,
    tuning_seeds: Annotated[
        list[str] | None,
        typer.Option(metavar="FIRST-LAST", help="Whatever was chosen by them; repeatable."),
    ] = None,
    training_runs: Annotated[
        int | None,
        typer.Option(help="How many were trained; 1 for a training run, otherwise 0 unless given."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the environment.")] = 1,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Episodes at a time; all that fit unless given.")
    ] = None,
    trust_zip: options.TrustZip = False,
) -> None:
    """Run an agent on a task's split and write its actions, returns and a manifest into one file.

    `mec-moe verify` replays the file without running the agent. That proves returns, not
    causality: state what the agent knew by --information. Times per decision go into a file of
    their own beside it.
    """
    with options.reported():
        from mec_moe_agents.suite.entrants import find_entrant, seeds_of_run
        from mec_moe_agents.suite.manifest import Claims, Manifest
        from mec_moe_agents.suite.tasks import find_task

        if out.suffix != SUFFIX:
            raise ValueError(f"--out {out} must end in {SUFFIX}")
        found = find_task(task)
        chosen = found.split(split)
        training, tuning, runs = seeds_of_run(agent)
        claims = Claims(
            agent=name or Path(agent).name,
            author=author,
            description=description,
            information=information,
            training_seeds=parse_ranges("--training-seeds", training_seeds) or training,
            tuning_seeds=parse_ranges("--tuning-seeds", tuning_seeds) or tuning,
            training_runs=runs if training_runs is None else training_runs,
        )
        claims.check_unseen(chosen)
        manifest = Manifest.of(found, chosen, claims)
        factory = find_entrant(agent, chosen.config, trust_zip=trust_zip)
        options.check_writable(out.parent)
        _record(factory, manifest, out, threads, batch)


def _record(
    factory: Factory, manifest: Manifest, out: Path, threads: int, batch: int | None
) -> None:
    from mec_moe_agents.suite.play import play
    from mec_moe_agents.suite.submission import Submission, write_times
    from mec_moe_agents.suite.tasks import find_task

    split = find_task(manifest.task).split(manifest.split)
    recording = play(factory, split.config, split.seeds, threads=threads, batch=batch)
    times = out.with_suffix(TIMES)
    Submission.of(manifest, recording).save(out)
    write_times(times, manifest, recording, threads)
    print(f"{manifest.claims.agent} on {manifest.task} {manifest.split}:", end=" ")
    print(f"mean return {recording.returns.mean():.6g} over {len(split.seeds)} episodes\n")
    options.print_places({"submission": out, "times": times, "check": f"mec-moe verify {out}"})


def parse_ranges(option: str, texts: Sequence[str] | None) -> SeedRanges:
    """Parse ranges like `5-9`, or single seeds.

    Raises:
        ValueError: a text is neither.
    """
    ranges = []
    for text in texts or ():
        first, separator, last = text.partition("-")
        if not first.isdecimal() or (separator and not last.isdecimal()):
            raise ValueError(f"{option} expects FIRST-LAST or one seed, got {text!r}")
        ranges.append((int(first), int(last) if separator else int(first)))
    return tuple(ranges)
