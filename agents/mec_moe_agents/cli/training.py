"""What the commands about training show: how far a run is, and how good what it learned is."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from mec_moe_agents.cli.progress import Bar, Lines, progress_of
from mec_moe_agents.evaluation.comparison import compare
from mec_moe_agents.evaluation.drawing import save_figure
from mec_moe_agents.evaluation.leaderboard import Leaderboard, summarize
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scenarios import parse_agents
from mec_moe_agents.evaluation.store import CellStore
from mec_moe_agents.evaluation.tables import print_leaderboard
from mec_moe_agents.evaluation.verdict import return_column, verdict
from mec_moe_agents.registry import find_agent
from mec_moe_agents.training.curves import draw_curves
from mec_moe_agents.training.plan import Plan, validation_seeds
from mec_moe_agents.training.run import evaluate_run
from mec_moe_agents.training.run_folder import BEST, CELLS, CURVES, Progress
from mec_moe_env import DMoEConfig, OffloadingConfig

TRAINED = "learned"
"""The baseline of this name is itself the outcome of a training run."""
EVALUATION_SEEDS = range(100_000, 100_050)
SHOWN = ("guard", "topk")
"""Baselines that the learning curve shows beside the best one and the references."""
CHANGED = "note: the code or the packages changed since this run began; its numbers may, too"


def parse_baselines(names: str, config: OffloadingConfig | DMoEConfig) -> list[str]:
    """Split names at commas; `all` stands for every baseline that was not trained.

    Raises:
        ValueError: a name is unknown, or there is none.
    """
    named = [part.strip() for part in names.split(",")]
    return [name for name in parse_agents(names, config) if name != TRAINED or name in named]


def present(plan: Plan, folder: Path, baselines: Sequence[str], progress: Progress) -> None:
    """Draw the learning curve, then rank the best checkpoint among the baselines.

    Raises:
        OSError: a file cannot be written.
    """
    before = run_baselines(plan, folder, baselines, validation_seeds(plan.validation_episodes))
    picture = folder / CURVES
    save_figure(draw_curves(plan, progress, _lines_of(plan, before)), picture)
    print_standing(plan, folder, baselines, EVALUATION_SEEDS)
    best = progress.best
    for what, where in (
        ("best", f"{folder / BEST}, step {best.steps:,} of {progress.steps:,}"),
        ("curves", str(picture)),
        ("other seeds", f"mec-moe evaluate {folder} --seeds 200 --first-seed 0"),
    ):
        print(f"{what:>12}  {where}")


def print_standing(plan: Plan, folder: Path, names: Sequence[str], seeds: Sequence[int]) -> None:
    """Print the table and the verdict of the best checkpoint beside baselines on some seeds."""
    trained = f"{plan.algo} ({plan.policy})"  # the name of no baseline
    results = {trained: evaluate_run(folder, seeds), **run_baselines(plan, folder, names, seeds)}
    summary = summarize(results, _references(plan, names))
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


def _references(plan: Plan, names: Sequence[str]) -> list[str]:
    """Return the baselines that know more than a scheduler can."""
    return [name for name in names if not find_agent(name, plan.config).contender]


def _lines_of(plan: Plan, results: Mapping[str, Episodes]) -> dict[str, float]:
    """Choose the baselines that the learning curve is drawn beside; their mean returns."""
    means = {name: float(episodes.metrics["return"].mean()) for name, episodes in results.items()}
    beyond = _references(plan, list(means))
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


class PlainTraining(Lines):
    """One line on stderr for each checkpoint, without control sequences."""

    def __init__(self) -> None:
        self.done = 0
        self._total = 0

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Say where the run begins."""
        self.done, self._total = done, max(total, done)
        if not same_code:
            print(CHANGED, file=sys.stderr)
        if done:
            self._say(f"goes on at step {done:,}" if done < total else "trained before")

    def stepped(self, steps: int) -> None:
        """Count."""
        self.done += steps

    def evaluated(self, progress: Progress) -> None:
        """Say how good the policy is."""
        self._say(_describe(progress))

    def _say(self, what: str) -> None:
        print(f"[{self.done:,}/{self._total:,}] {what}", file=sys.stderr, flush=True)


class LiveTraining(Bar):
    """A bar that fills with the steps, beside it the speed and how good the policy is."""

    def __init__(self, console: Console) -> None:
        self._bar = ProgressBar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID = self._bar.add_task("preparing", total=None, speed="")
        self.done = 0
        self._began_at = 0.0
        self._began_with = 0

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Show how much is done."""
        if not same_code:
            self._bar.console.print(CHANGED)
        self.done = self._began_with = done
        self._began_at = time.perf_counter()
        self._bar.update(self._task, total=max(total, done), completed=done, description="training")

    def stepped(self, steps: int) -> None:
        """Fill the bar."""
        self.done += steps
        speed = (self.done - self._began_with) / (time.perf_counter() - self._began_at)
        self._bar.update(self._task, completed=self.done, speed=f"{speed:,.0f} steps/s")

    def evaluated(self, progress: Progress) -> None:
        """Show how good the policy is."""
        self._bar.update(self._task, completed=self.done, description=_describe(progress))


def _describe(progress: Progress) -> str:
    return (
        f"return {progress.evaluations[-1].mean_return:.4g} "
        f"(best {progress.best.mean_return:.4g} at step {progress.best.steps:,})"
    )
