"""What a training run shows when it is done: picture, table, verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from mec_moe_agents.cli.progress import progress_of
from mec_moe_agents.cli.train_request import TrainRequest
from mec_moe_agents.evaluation.comparison import compare
from mec_moe_agents.evaluation.drawing import save_figure
from mec_moe_agents.evaluation.leaderboard import Leaderboard, summarize
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.store import CellStore
from mec_moe_agents.evaluation.tables import print_leaderboard
from mec_moe_agents.evaluation.verdict import return_column, verdict
from mec_moe_agents.learning.curves import draw_curves
from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.records import Progress
from mec_moe_agents.learning.run_folder import BEST, CELLS, CURVES
from mec_moe_agents.learning.seeds import validation_seeds
from mec_moe_agents.learning.trained import evaluate_run
from mec_moe_agents.registry import find_agent

EVALUATION_SEEDS = range(100_000, 100_050)
SHOWN = ("guard", "topk")
"""Baselines that the learning curve shows beside the best one and the yardsticks."""


def present(request: TrainRequest, progress: Progress) -> None:
    """Draw the learning curve, then rank the best checkpoint among the baselines.

    Raises:
        OSError: a file cannot be written.
    """
    plan = request.plan
    before = run_baselines(
        plan, request.out, request.baselines, validation_seeds(plan.validation_episodes)
    )
    picture = request.out / CURVES
    save_figure(draw_curves(plan, progress, _references(plan, before)), picture)
    print_standing(plan, request.out, request.baselines, EVALUATION_SEEDS)
    best = progress.best
    for what, where in (
        ("best", f"{request.out / BEST}, step {best.steps:,} of {progress.steps:,}"),
        ("curves", str(picture)),
        ("other seeds", f"mec-moe evaluate {request.out} --seeds 200 --first-seed 0"),
    ):
        print(f"{what:>12}  {where}")


def print_standing(plan: Plan, folder: Path, names: Sequence[str], seeds: Sequence[int]) -> None:
    """Print the table and the verdict of the best checkpoint beside baselines on some seeds."""
    trained = trained_name(plan)
    results = {trained: evaluate_run(folder, seeds), **run_baselines(plan, folder, names, seeds)}
    summary = summarize(results, yardsticks(plan, names))
    console = Console(highlight=False)
    console.print(
        f"\n{plan.scenario}: {trained} is the best checkpoint; {len(seeds)} seeds from {seeds[0]} "
        "that neither training nor the choice of the checkpoint has seen\n"
    )
    print_leaderboard(console, summary)
    console.print(verdict(summary, plan.scenario), style="bold")
    console.print(_behind(summary, trained), style="bold")


def run_baselines(
    plan: Plan, folder: Path, names: Sequence[str], seeds: Sequence[int]
) -> Mapping[str, Episodes]:
    """Run baselines, or find that it was done before.

    Raises:
        OSError: the results cannot be stored.
    """
    with progress_of(len(names)) as listener:
        return compare(
            plan.config,
            names,
            seeds,
            CellStore(folder / CELLS),
            current_provenance().identity,
            listener,
        )


def yardsticks(plan: Plan, names: Sequence[str]) -> list[str]:
    """Return the baselines that know more than a scheduler can."""
    return [name for name in names if not find_agent(name, plan.config).contender]


def trained_name(plan: Plan) -> str:
    """Return the name of what was trained, which is no baseline's."""
    return f"{plan.algo} ({plan.policy})"


def _references(plan: Plan, results: Mapping[str, Episodes]) -> dict[str, float]:
    """Choose the baselines that the learning curve is drawn beside."""
    means = {name: float(episodes.metrics["return"].mean()) for name, episodes in results.items()}
    beyond = yardsticks(plan, list(means))
    contenders = [name for name in means if name not in beyond]
    best = max(contenders, key=means.__getitem__, default=None)
    return {name: mean for name, mean in means.items() if name in (*SHOWN, *beyond) or name == best}


def _behind(summary: Leaderboard, trained: str) -> str:
    """Say how far what was trained is behind the best, if it is."""
    line = summary.line(trained)
    if line is None or line.gain is None:
        return ""
    gap = return_column(summary.largest_return, signed=True).text(line.gain)
    return f"{trained} stands {gap} from {summary.best.agent} (paired by seed).\n"
