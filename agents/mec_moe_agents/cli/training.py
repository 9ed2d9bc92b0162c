"""What the commands about training show: how far a run is, and how good what it learned is."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as ProgressBar

from mec_moe_agents.cli.options import INTERRUPTED, leave, print_places, reported, tell
from mec_moe_agents.cli.progress import progress_of, shown_bar
from mec_moe_agents.evaluation.bounds import find_bounds
from mec_moe_agents.evaluation.columns import return_column
from mec_moe_agents.evaluation.comparison import Listener, compare
from mec_moe_agents.evaluation.drawing import save_drawings
from mec_moe_agents.evaluation.export import write_comparison
from mec_moe_agents.evaluation.leaderboard import Leaderboard, summarize
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED, Episodes
from mec_moe_agents.evaluation.scenarios import Scenario, parse_agents
from mec_moe_agents.evaluation.store import CellStore
from mec_moe_agents.evaluation.tables import print_comparison
from mec_moe_agents.evaluation.trained import LEARNED
from mec_moe_agents.outside.syntax import split_references
from mec_moe_agents.report.comparison import record_comparison
from mec_moe_agents.report.record import NAME as RECORD
from mec_moe_agents.report.record import Drawing, Invocation, Record
from mec_moe_agents.training.curves import draw_curves
from mec_moe_agents.training.plan import Plan, validation_seeds
from mec_moe_agents.training.run import evaluate_run, train
from mec_moe_agents.training.run_folder import BEST, CELLS, COMPARISONS, CURVES, Progress
from mec_moe_agents.training.tensorboard import show_baselines
from mec_moe_env import DMoEConfig, OffloadingConfig

EVALUATION_SEEDS = range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + 50)
LEARNING_CURVE = Drawing(
    Path(CURVES).stem, "The mean return while training, and that of baselines on the same seeds."
)
CHANGED = "note: the code or the packages changed since this run began; its numbers may, too"


def parse_baselines(names: str, config: OffloadingConfig | DMoEConfig) -> list[str]:
    """Split names at commas; `all` stands for every baseline that was not trained."""
    named = split_references(names)
    return [name for name in parse_agents(names, config) if name != LEARNED or name in named]


def run_in_view(
    plan: Plan, folder: Path, scenario: Scenario, steps: int, called: Invocation
) -> None:
    """Run the baselines that the learning curve stands beside, train, and rank what was learned."""
    with reported(f"interrupted before training; finished baselines are kept in {folder}"):
        found = _run_baselines(scenario, folder, validation_seeds(plan.validation_episodes))
        draw = partial(_draw, plan, folder, found)
        progress = _train_in_view(plan, folder, steps, draw, partial(show_baselines, folder, found))
    with reported("interrupted; training is done, the same command compares it"):
        draw(progress)
        present(plan, folder, scenario, progress, called)


def _draw(plan: Plan, folder: Path, baselines: Mapping[str, Episodes], progress: Progress) -> None:
    """Draw the whole run until now beside all its baselines."""
    means = {agent: float(found.metrics["return"].mean()) for agent, found in baselines.items()}
    save_drawings(draw_curves(plan, progress, means), folder / CURVES)


def _train_in_view(
    plan: Plan,
    folder: Path,
    steps: int,
    draw: Callable[[Progress], None],
    mark: Callable[[Sequence[int]], None],
) -> Progress:
    """Train, and show on stderr how far it is; Ctrl-C ends the command with the last step made."""
    after = "{task.percentage:>3.0f} %", "{task.fields[speed]}"
    with shown_bar("{task.description}", *after) as bar:
        watcher = TrainingProgress(bar, steps, draw, mark)
        try:
            return train(plan, folder, steps, watcher)
        except KeyboardInterrupt:
            done = watcher.done
    leave(
        f"interrupted after step {done:,}; the same command goes on from the last checkpoint in "
        f"{folder}",
        INTERRUPTED,
    )


def present(
    plan: Plan, folder: Path, scenario: Scenario, progress: Progress, called: Invocation
) -> None:
    """Rank the best checkpoint among the baselines, and say where everything is."""
    standing = _print_standing(plan, folder, scenario, EVALUATION_SEEDS)
    retrain = [f"{plan.command(progress.steps)} --out {shlex.quote(str(folder))}"]
    written = _keep(standing, folder, called, [LEARNING_CURVE], retrain)
    best = progress.best
    print_places(
        {
            "best": f"{folder / BEST}, step {best.steps:,} of {progress.steps:,}",
            "learning": folder / CURVES,
            **written,
            "other seeds": f"mec-moe evaluate {folder} --seeds 200 --first-seed 0",
        }
    )


def evaluate_again(
    plan: Plan, folder: Path, scenario: Scenario, seeds: Sequence[int], called: Invocation
) -> None:
    """Rank the best checkpoint among baselines on some seeds; keep that in a folder of its own."""
    standing = _print_standing(plan, folder, scenario, seeds)
    out = folder / COMPARISONS / f"{seeds[0]}-{seeds[-1]}"
    out.mkdir(parents=True, exist_ok=True)
    finished = (folder / RECORD).exists()
    retrain = Record.read(folder).reproduce if finished else ()
    print_places(_keep(standing, out, called, [], [*retrain, called.explicit]))


@dataclass(frozen=True)
class Standing:
    """How what was trained stands among the baselines."""

    scenario: Scenario
    results: Mapping[str, Episodes]
    board: Leaderboard

    @property
    def title(self) -> str:
        """Of the picture."""
        return f"{self.scenario.summary}, {self.board.seeds} seeds"


def _keep(
    standing: Standing,
    out: Path,
    called: Invocation,
    drawings: Sequence[Drawing],
    reproduce: Sequence[str],
) -> Mapping[str, Path]:
    """Write all of it, and return what is where."""
    provenance, scenario = current_provenance(), standing.scenario
    ran = replace(scenario, agents=list(standing.results))
    written = write_comparison(
        out, ran, standing.results, standing.board, provenance, standing.title
    )
    seeds = standing.board.lines[0].episodes.seeds.tolist()
    record_comparison(out, called, provenance, ran, seeds, drawings=drawings, reproduce=reproduce)
    return written


def _print_standing(plan: Plan, folder: Path, scenario: Scenario, seeds: Sequence[int]) -> Standing:
    """Print the table and the verdict of the best checkpoint beside baselines on some seeds."""
    trained = plan.agent_name
    results = {
        trained: evaluate_run(folder, seeds),
        **_run_baselines(scenario, folder, seeds),
    }
    store, code = CellStore(folder / CELLS), current_provenance().identity
    board = summarize(
        results,
        scenario.references,
        {trained: 1, **scenario.trained},
        bounds=find_bounds(scenario.config, seeds, store, code, Listener(), certify=False),
        baseline=scenario.baseline,
    )
    console = Console(highlight=False, markup=False)
    heading = (
        f"{scenario.summary}; {trained} is the best checkpoint; {len(seeds)} seeds from {seeds[0]} "
        "that neither training nor the choice of the checkpoint has seen"
    )
    print_comparison(console, heading, board, scenario.label)
    console.print(_behind(board, trained), style="bold")
    return Standing(scenario, results, board)


def _run_baselines(
    scenario: Scenario, folder: Path, seeds: Sequence[int]
) -> Mapping[str, Episodes]:
    """Run baselines, or find that it was done before."""
    agents, store = scenario.agents, CellStore(folder / CELLS)
    with progress_of(len(agents)) as listener:
        code = current_provenance().identity
        trust = scenario.trust_zip
        return compare(scenario.config, agents, seeds, store, code, listener, trust_zip=trust)


def _behind(board: Leaderboard, trained: str) -> str:
    """Say how far what was trained is behind the best, if it is."""
    line = board.line(trained)
    if line is None or line.gain is None:
        return ""
    gap = return_column(board.largest_return, signed=True).text(line.gain)
    return f"{trained} stands {gap} from {board.best.agent} (paired by seed).\n"


class TrainingProgress:
    """A bar that fills with the steps; a line for each checkpoint if it is disabled."""

    def __init__(
        self,
        bar: ProgressBar,
        asked: int,
        draw: Callable[[Progress], None],
        mark: Callable[[Sequence[int]], None],
    ) -> None:
        """Tell `draw` of each evaluation, and `mark` between which steps baselines are lines."""
        self._bar, self._asked, self._draw, self._mark = bar, asked, draw, mark
        self._task = bar.add_task("preparing", total=None, speed="")
        self.done = self._total = self._began_with = 0
        self._began_at = 0.0

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Show how much is done, and whether it will be more steps than asked for."""
        if not same_code:
            self._announce(CHANGED)
        if max(done, self._asked) < total:
            self._announce(
                f"{self._asked:,} steps are rounded up to {total:,}: checkpoints are made after "
                "whole episodes of all sub-environments"
            )
        self.done = self._began_with = done
        self._total = max(total, done)
        self._began_at = time.perf_counter()
        self._bar.update(self._task, total=self._total, completed=done, description="training")
        if done < total:
            self._mark((done, total))
        if done:
            self._say(f"goes on at step {done:,}" if done < total else "trained before")

    def stepped(self, steps: int) -> None:
        """Fill the bar, and show the speed beside it."""
        self.done += steps
        speed = (self.done - self._began_with) / (time.perf_counter() - self._began_at)
        self._bar.update(self._task, completed=self.done, speed=f"{speed:,.0f} steps/s")

    def evaluated(self, progress: Progress) -> None:
        """Draw the run until now, and show how good the policy is."""
        self._draw(progress)
        what = (
            f"return {progress.evaluations[-1].mean_return:.4g} "
            f"(best {progress.best.mean_return:.4g} at step {progress.best.steps:,})"
        )
        self._bar.update(self._task, completed=self.done, description=what)
        self._say(what)

    def _announce(self, what: str) -> None:
        (tell if self._bar.disable else self._bar.console.print)(what)

    def _say(self, what: str) -> None:
        if self._bar.disable:
            tell(f"[{self.done:,}/{self._total:,}] {what}")
