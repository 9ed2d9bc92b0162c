"""`mec-moe evaluate`: what a training run has learned, on other seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mec_moe_agents.cli.options import reported


def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder of a run of `mec-moe train`.")],
    seeds: Annotated[int, typer.Option(min=1, help="Episodes per agent.")] = 50,
    first_seed: Annotated[int, typer.Option(min=0, help="The others follow it.")] = 100_000,
    baselines: Annotated[
        str, typer.Option(help="Agents to compare with: names with commas between them, or `all`.")
    ] = "all",
) -> None:
    """Compare the best checkpoint of a training run with the baselines, paired by seed."""
    kept = f"interrupted; finished baselines are kept in {folder}, the same command resumes"
    with reported(kept):
        from mec_moe_agents.cli.train import require_training

        require_training()
        from mec_moe_agents.cli.training import parse_baselines, print_standing
        from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
        from mec_moe_agents.training.run_folder import read_plan

        chosen = range(first_seed, first_seed + seeds)
        check_evaluation_seeds((chosen[0], chosen[-1]))
        plan = read_plan(folder)
        print_standing(plan, folder, parse_baselines(baselines, plan.config), chosen)
