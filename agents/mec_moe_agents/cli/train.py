"""`mec-moe train` and `mec-moe evaluate`: learn a scheduler, and see how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import mec_moe_agents.cli.options as options
from mec_moe_agents.cli.recording import invocation
from mec_moe_agents.extras import explain


def train(
    ctx: typer.Context,
    algo: Annotated[str, typer.Option(help="ppo, maskable-ppo, recurrent-ppo, a2c or dqn.")],
    scenario: options.ScenarioName = None,
    config: options.ConfigPath = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Steps in all, rounded up to whole segments between checkpoints; until the "
            "learning rate is lowest unless given. More than before extends a finished run."
        ),
    ] = None,
    env: options.EnvironmentName = None,
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
        options.path_option(
            "Folder; runs/train/SCENARIO-ALGO-POLICY-seedN unless given, with what --set changes."
        ),
    ] = None,
    settings: options.Settings = None,
    tuning: Annotated[
        list[str] | None,
        typer.Option("--tune", metavar="NAME=VALUE", help="Override a hyperparameter; repeatable."),
    ] = None,
    baselines: options.Baselines = "all",
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
    trust_zip: options.TrustZip = False,
) -> None:
    """Train a scheduler with Stable-Baselines3 and compare it with the baselines.

    The same command goes on where it was stopped or killed, and ends in the
    same weights as if it had run through. The folder of the run gets
    config.json, versions.json, evaluations.csv, curves.png, logs, the
    checkpoints `best` and `last` (.npz and JSON, no pickle), and what
    `mec-moe compare` writes.

    `mec-moe evaluate FOLDER` compares the best checkpoint on other seeds,
    `mec-moe report FOLDER` makes a page of all. `tensorboard --logdir
    FOLDER/logs` shows losses, every measure of each evaluation, and the
    baselines as lines.
    """
    called = invocation(ctx)
    with options.reported():
        require_training()
        from mec_moe_agents.cli.training import parse_baselines, run_in_view
        from mec_moe_agents.evaluation.scenarios import Scenario
        from mec_moe_agents.training.learner import check_memory
        from mec_moe_agents.training.plan import Plan, check_algorithm
        from mec_moe_agents.training.policy import digest, find_weights
        from mec_moe_agents.training.run_folder import open_run
        from mec_moe_env.config import Whole, reject

        check_algorithm(algo)
        asked = options.choose_scenario(env, scenario, config, settings)
        overrides = options.parse_overrides(tuning, "--tune")
        if envs is not None:
            overrides["num_envs"] = envs
        plan = Plan.tuned(
            algo,
            asked.config,
            asked.preset,
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
        names = parse_baselines(baselines, asked.config)
        where = Scenario(plan.scenario_name, asked.config, names, trust_zip=trust_zip)
        where.build_agents()
        called_by = Scenario(asked.name, asked.config, names).folder_name
        run_name = f"{called_by}-{algo}-{plan.policy}-seed{seed}"
        folder = out or Path("runs/train") / run_name
        options.check_writable(folder)
        open_run(folder, plan, fresh=fresh)
    run_in_view(plan, folder, where, total, called)


def require_training() -> None:
    """See that what training needs is installed; if not, say how to install it."""
    try:
        import sb3_contrib  # noqa: F401
        import stable_baselines3  # noqa: F401
    except ImportError as error:
        raise ImportError(explain(error, "training")) from error


def evaluate(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(help="Folder of a run of `mec-moe train`.", parser=options.given_path),
    ],
    seeds: options.Episodes = 50,
    first_seed: options.FirstSeed = 100_000,
    baselines: options.Baselines = "all",
    trust_zip: options.TrustZip = False,
) -> None:
    """Compare the best checkpoint of a training run with the baselines, paired by seed.

    Writes what `mec-moe compare` writes into FOLDER/comparisons/FIRST-LAST, by the seeds.
    """
    called = invocation(ctx)
    kept = f"interrupted; finished baselines are kept in {folder}, the same command resumes"
    with options.reported(kept):
        require_training()
        from mec_moe_agents.cli.training import evaluate_again, parse_baselines
        from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
        from mec_moe_agents.evaluation.scenarios import Scenario
        from mec_moe_agents.training.run_folder import read_plan

        chosen = range(first_seed, first_seed + seeds)
        check_evaluation_seeds((chosen[0], chosen[-1]))
        plan = read_plan(folder)
        names = parse_baselines(baselines, plan.config)
        scenario = Scenario(plan.scenario_name, plan.config, names, trust_zip=trust_zip)
        scenario.build_agents()
        evaluate_again(plan, folder, scenario, chosen, called)
