"""`mec-moe train`: learn a scheduler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mec_moe_agents.cli.options import (
    INTERRUPTED,
    leave,
    reported,
)

if TYPE_CHECKING:
    from mec_moe_agents.training.plan import Plan
    from mec_moe_agents.training.run_folder import Progress

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
            help="Begin with the weights shipped for a preset, or a .npz file of the "
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
    checkpoints `best` and `last` (.npz and JSON, no pickle).

    `mec-moe evaluate FOLDER` compares the best checkpoint on other seeds.
    TensorBoard is written where it is installed.
    """
    with reported():
        require_training()
        from mec_moe_agents.cli.options import check_writable, parse_overrides
        from mec_moe_agents.cli.training import parse_baselines, present
        from mec_moe_agents.evaluation.scenarios import find_config
        from mec_moe_agents.training.learner import check_memory
        from mec_moe_agents.training.plan import Plan, check_algorithm
        from mec_moe_agents.training.policy import digest, find_weights
        from mec_moe_agents.training.run_folder import open_run
        from mec_moe_env.config import Whole, reject

        check_algorithm(algo)
        config = find_config(env, scenario, parse_overrides(settings or []))
        overrides = parse_overrides(tuning or [], "--tune")
        if envs is not None:
            overrides["num_envs"] = envs
        plan = Plan.tuned(
            algo,
            config,
            scenario,
            policy,
            overrides,
            seed=seed,
            validation_episodes=validation,
            threads=threads,
            start=start,
            start_digest=None if start is None else digest(find_weights(start)),
        )
        total = plan.hyperparameters.decay_steps if steps is None else steps
        if not Whole(1).admits(total):
            raise reject("--steps", total, Whole(1))
        check_memory(plan)
        names = parse_baselines(baselines, config)
        folder = out or _default_folder(plan)
        check_writable(folder)
        open_run(folder, plan, fresh=fresh)
    with reported("interrupted; training is done, the same command compares it"):
        present(plan, folder, names, _train(plan, folder, total))


def require_training() -> None:
    """See that what training needs is installed.

    Raises:
        ImportError: it is not; the message says how to install it.
    """
    try:
        import sb3_contrib  # noqa: F401
        import stable_baselines3  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"training needs {error.name}: pip install 'mec-moe-env[cli,rl]'"
        ) from error


def _default_folder(plan: Plan) -> Path:
    """Return where a run is kept unless the user says so."""
    scenario = plan.scenario if plan.env == "offloading" else f"{plan.env}-{plan.scenario}"
    return Path("runs/train") / f"{scenario}-{plan.algo}-{plan.policy}-seed{plan.seed}"


def _train(plan: Plan, folder: Path, steps: int) -> Progress:
    from rich.console import Console

    from mec_moe_agents.cli.training import LiveTraining, PlainTraining
    from mec_moe_agents.training.run import train as run

    errors = Console(stderr=True)
    with LiveTraining(errors) if errors.is_terminal else PlainTraining() as watcher:
        try:
            return run(plan, folder, steps, watcher)
        except KeyboardInterrupt:
            done = watcher.done
    leave(
        f"interrupted after step {done:,}; the same command goes on from the last checkpoint in "
        f"{folder}",
        INTERRUPTED,
    )
