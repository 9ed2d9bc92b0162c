"""`mec-moe verify`: replay a submission and accept it, or say what is wrong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options

if TYPE_CHECKING:
    from mec_moe_agents.suite.submission import Submission
    from mec_moe_agents.suite.verification import Verification


def verify(
    file: Annotated[
        Path, typer.Argument(help="What `mec-moe submit` wrote.", parser=options.given_path)
    ],
    threads: Annotated[int, typer.Option(min=1, help="Threads of the environment.")] = 1,
) -> None:
    """Replay a submission without running anyone's code; accept it, or name what differs.

    On the writer's kind of processor every reward must be equal bit for bit, elsewhere within 1e-6.
    A replay proves the returns, not that the actions were chosen without looking ahead. The exit
    code is 0 for an accepted file, 1 for a rejected one.
    """
    with options.reported():
        from mec_moe_agents.suite.submission import Submission
        from mec_moe_agents.suite.verification import verify as replay

        try:
            submission = Submission.load(file)
        except ValueError as error:
            options.leave(f"rejected: {error}", options.FAILED)
        verification = replay(submission, threads=threads)
        if verification.accepted:
            _show(submission, verification)
        for note in verification.notes:
            print(f"note: {note}")
        for problem in verification.problems:
            options.tell(f"- {problem}")
        if not verification.accepted:
            options.leave(f"rejected: {file}", options.FAILED)
        print("accepted: every episode replays as submitted")


def _show(submission: Submission, verification: Verification) -> None:
    """Print what is proved, and what is only claimed."""
    from mec_moe_agents.suite.standing import FEASIBILITY, scale_of

    claims, episodes = submission.manifest.claims, verification.episodes
    task, split = verification.task, verification.split
    if task is None or split is None or episodes is None:
        return
    scale, returns = scale_of(task, split), episodes.metrics["return"]
    known = {
        "return": (returns.mean(), ".6g"),
        task.baseline or "baseline": (scale.baseline, ".6g"),
        "bound": (scale.bound, ".6g"),
        "score": (scale.score(returns).mean(), ".3f"),
    }
    print(f"{task.name} version {task.version}, {split.name}, {len(split.seeds)} episodes\n")
    for name, (value, digits) in known.items():
        print(f"{name:>16}  {'–' if math.isnan(value) else format(value, digits)}")
    for name in FEASIBILITY:
        if name in episodes.metrics:
            print(f"{name:>16}  {episodes.metrics[name].mean():.4g}")
    if why := scale.why_none(task.baseline or "the baseline"):
        print(f"\n{why}")
    print(f"\nclaimed: {claims.agent}{f' by {claims.author}' if claims.author else ''}, ", end="")
    print(f"{claims.information}, {claims.training_runs} training runs\n")
