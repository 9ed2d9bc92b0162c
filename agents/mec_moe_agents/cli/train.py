"""`mec-moe train`: learn a scheduler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.options import INTERRUPTED, leave, reported

if TYPE_CHECKING:
    from mec_moe_agents.cli.train_request import TrainRequest
    from mec_moe_agents.learning.records import Progress

ALGORITHMS = "ppo, maskable-ppo, recurrent-ppo, a2c or dqn"


def train(
    algo: Annotated[str, typer.Option(help=f"{ALGORITHMS}.")],
    scenario: Annotated[str, typer.Option(help="A preset; `mec-moe scenarios` lists them.")],
    steps: Annotated[
        int | None,
        typer.Option(
            help="Steps in all, until the learning rate is lowest unless given; more than before "
            "extends a finished run."
        ),
    ] = None,
    env: Annotated[str, typer.Option(help="offloading or dmoe.")] = "offloading",
    policy: Annotated[
        str | None,
        typer.Option(
            help="shape (weights shared over servers; the default where there is one), features "
            "(a flat network on what shape sees) or mlp (a flat network on the observation)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, exploration and episodes.")] = 0,
    envs: Annotated[int | None, typer.Option(help="Sub-environments; tuned unless given.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the run; runs/train/SCENARIO-ALGO-POLICY-seedN unless given."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Override a config field; repeatable."),
    ] = None,
    tuning: Annotated[
        list[str] | None,
        typer.Option("--tune", metavar="NAME=VALUE", help="Override a hyperparameter; repeatable."),
    ] = None,
    baselines: Annotated[
        str, typer.Option(help="Agents to compare with: names with commas between them, or `all`.")
    ] = "all",
    validation: Annotated[
        int, typer.Option(help="Episodes that tell at each checkpoint how good the policy is.")
    ] = 50,
    threads: Annotated[int, typer.Option(help="Threads of torch and the environment.")] = 1,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PRESET|FILE",
            help="Begin with the weights shipped for a preset, or a .safetensors file of the "
            "shape policy, instead of fresh ones.",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew; removes the run that is in the folder.")
    ] = False,
) -> None:
    """Train a scheduler with Stable-Baselines3 and compare it with the baselines.

    The same command goes on where it was stopped or killed, and ends in the
    same weights as if it had run through. The folder of the run gets
    config.json, versions.json, evaluations.csv, curves.png, logs, and the
    checkpoints `best` and `last` (safetensors and JSON, no pickle).

    `mec-moe evaluate FOLDER` compares the best checkpoint on other seeds.
    TensorBoard is written where it is installed.
    """
    with reported():
        from mec_moe_agents.cli.train_request import TrainRequest

        require_learning()
        request = TrainRequest.check(
            algo=algo,
            scenario=scenario,
            env=env,
            policy=policy,
            steps=steps,
            seed=seed,
            envs=envs,
            out=out,
            settings=settings or [],
            tuning=tuning or [],
            baselines=baselines,
            validation=validation,
            threads=threads,
            start=start,
            fresh=fresh,
        )
    with reported("interrupted; training is done, the same command compares it"):
        from mec_moe_agents.cli.train_output import present

        present(request, _train(request))


def require_learning() -> None:
    """See that what training needs is installed.

    Raises:
        ImportError: it is not; the message says how to install it.
    """
    try:
        import safetensors  # noqa: F401
        import sb3_contrib  # noqa: F401
        import stable_baselines3  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"training needs {error.name}: pip install 'mec-moe-env[cli,rl]'"
        ) from error


def _train(request: TrainRequest) -> Progress:
    from rich.console import Console

    from mec_moe_agents.cli.train_progress import LiveTraining, PlainTraining
    from mec_moe_agents.learning.training import train as run

    errors = Console(stderr=True)
    with LiveTraining(errors) if errors.is_terminal else PlainTraining() as watcher:
        try:
            return run(request.plan, request.out, request.steps, watcher)
        except KeyboardInterrupt:
            done = watcher.done
    leave(
        f"interrupted after step {done:,}; the same command goes on from the last checkpoint in "
        f"{request.out}",
        INTERRUPTED,
    )
