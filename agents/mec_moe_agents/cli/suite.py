"""`mec-moe suite`: the frozen tasks, and what is shipped with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options

if TYPE_CHECKING:
    from mec_moe_agents.suite.tasks import Split, Task

app = typer.Typer(no_args_is_help=True, help="The frozen tasks of mec-moe-1 and their data.")

TaskName = Annotated[
    str | None, typer.Option(help="One task; `mec-moe suite list` names them. All unless given.")
]
SplitName = Annotated[str | None, typer.Option(help="One split; all unless given.")]


@app.command("list")
def list_tasks() -> None:
    """List the tasks: the agent that is score 0, and what is shipped."""
    with options.reported():
        from rich.console import Console

        from mec_moe_agents.evaluation.tables import plain_table
        from mec_moe_agents.suite.definitions import TEST
        from mec_moe_agents.suite.shipped import BOUNDS, PLANS, load
        from mec_moe_agents.suite.tasks import SUITE, tasks

        table = plain_table()
        for heading in ("Task", "v", "Score 0", "Agents", "Bounds", "Plans", "Complete"):
            table.add_column(heading, justify="right" if heading == "Agents" else "left")
        for task in tasks().values():
            shipped = load(task, task.split(TEST))
            there = ["yes" if name in shipped.pieces else "–" for name in (BOUNDS, PLANS)]
            table.add_row(
                task.name,
                str(task.version),
                task.baseline or "–",
                str(len(shipped.rows)),
                *there,
                f"{len(task.complete)} of {sum(map(_has_data, task.splits.values()))}",
            )
        print(f"{SUITE}: shipped for the test split of each task, and of how many splits all")
        Console(highlight=False).print(table)


def _has_data(split: Split) -> bool:
    return split.episodes is not None


@app.command()
def show(task: Annotated[str, typer.Argument(help="Name of the task.")]) -> None:
    """Show a task: its splits with their seeds and shift, its configuration and its checksum."""
    with options.reported():
        from mec_moe_agents.suite.canonical import describe
        from mec_moe_agents.suite.tasks import find_task

        found = find_task(task)
        print(f"{found.name} version {found.version}, {found.environment}")
        print(f"checksum {found.checksum}")
        print(f"score 0  {found.baseline or 'not frozen yet'}\n")
        base = next(iter(found.splits.values())).config
        for split in found.splits.values():
            last = "" if split.episodes is None else split.seeds[-1]
            print(f"{split.name:>12}  seeds {split.first_seed}–{last}".rstrip("–") + _shift(split))
        print()
        for name, value in describe(base).items():
            print(f"{name:>24} = {value}")


def _shift(split: Split) -> str:
    return f": {split.shift}" if split.shift else ""


@app.command("brackets")
def show_brackets(
    split: Annotated[str, typer.Option(help="One split.")] = "test",
) -> None:
    """Show how tight the bounds are, as a table of Markdown.

    Mean returns of the best untrained baseline, of the reference that gets furthest, and the bound;
    `open` is the share of the scale between the latter two.
    """
    with options.reported():
        from mec_moe_agents.suite.brackets import as_markdown, brackets

        found = brackets(split)
        if not found:
            raise ValueError(f"no task has a split {split!r} with bounds and a reference")
        print(as_markdown(found))


@app.command()
def freeze() -> None:
    """Write the files of tasks that are new or changed, from the presets as they are now."""
    with options.reported():
        from mec_moe_agents.suite.definitions import freeze as write

        changed = write()
        for task in changed:
            print(f"{task.name} version {task.version}: {task.checksum[:12]}")
        if not changed:
            print("nothing changed")


@app.command()
def build(
    task: TaskName = None,
    split: SplitName = None,
    piece: Annotated[
        str | None, typer.Option(help="One agent, `bounds` or `plans`; all unless given.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Units at the same time.")] = 1,
    work: Annotated[Path, options.path_option("Folder that keeps finished units.")] = Path(
        "runs/suite"
    ),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute again what is shipped or finished.")
    ] = False,
) -> None:
    """Compute what is shipped: the agents' rows, certified bounds and clairvoyant plans.

    Finished work is kept: after an interruption the same command goes on where it was. Values do
    not depend on the number of jobs.
    """
    kept = f"interrupted; what is finished is kept in {work}, the same command resumes"
    with options.reported(kept):
        options.check_writable(work)
        _build(_chosen(task, split), piece, jobs, work, fresh)


def _chosen(task: str | None, split: str | None) -> list[tuple[Task, Split]]:
    """Return the splits in question."""
    from mec_moe_agents.suite.tasks import find_task, tasks

    chosen = list(tasks().values()) if task is None else [find_task(task)]
    return [
        (each, found)
        for each in chosen
        for found in each.splits.values()
        if found.episodes is not None and split in (None, found.name)
    ]


def _build(
    chosen: Sequence[tuple[Task, Split]], piece: str | None, jobs: int, work: Path, fresh: bool
) -> None:
    from mec_moe_agents.executors.naming import executor_of, opened
    from mec_moe_agents.suite import build
    from mec_moe_env.config import suggest

    known = {name for _, split in chosen for name in build.pieces_of(split)}
    if piece is not None and piece not in known:
        raise ValueError(f"no piece {piece!r}: {suggest(piece, known)}")
    plan = [
        (task, split, [name for name in build.pieces_of(split) if piece in (None, name)])
        for task, split in chosen
    ]
    units = [
        unit
        for task, split, pieces in plan
        for unit in build.missing_units(task, split, pieces, work, fresh=fresh)
    ]
    with opened(executor_of(jobs, None)) as executor:
        for done, unit in enumerate(build.run_units(units, work, executor), 1):
            options.tell(f"[{done}/{len(units)}] {unit.name}")
    for task, split, pieces in plan:
        shipped = build.assemble(task, split, pieces, work)
        print(f"{task.name} {split.name}: {', '.join(sorted(shipped.pieces)) or 'nothing'}")
    for task in {task.name: task for task, _, _ in plan}.values():
        settled = build.settle(task)
        full = ", ".join(sorted(settled.complete)) or "no split"
        print(f"{task.name}: score 0 is {settled.baseline}, {full} complete")


@app.command()
def check(
    sample: Annotated[int, typer.Option(min=0, help="Seeds of pieces to compute anew.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of the sample.")] = 0,
) -> None:
    """Check that the tasks are what the presets say, and that their data are what agents get.

    Rejects a changed task, a return above its bound, what a complete split lacks, and whatever of
    the sample comes out otherwise when it is computed anew.
    """
    with options.reported():
        from mec_moe_agents.suite.check import (
            check_complete,
            check_definitions,
            check_sample,
            check_shipped,
            draw_samples,
        )

        problems = [*check_definitions(), *check_shipped(), *check_complete()]
        samples = draw_samples(sample, seed) if sample else []
        for done, one in enumerate(samples, 1):
            options.tell(f"[{done}/{len(samples)}] {one.name}")
            problem = check_sample(one)
            problems += [] if problem is None else [problem]
        for problem in problems:
            print(problem)
        if problems:
            options.leave(f"{len(problems)} problems", options.FAILED)
        print(
            f"all tasks are as frozen, no return is above its bound, {len(samples)} samples agree"
        )
