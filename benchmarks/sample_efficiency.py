"""Steps that the deep-set policy and flat networks need to reach a baseline.

`mlp` is a flat network on the observation, which does not tell what the servers have learned
before; `features` is one on the features that `shape` sees.

Every run goes until its mean return on the validation seeds reaches the baseline's, or to `--steps`
steps. Finished runs are found again, and those that were killed go on, so that the command may be
repeated. Writes a table (CSV) and a picture.

    python benchmarks/sample_efficiency.py [--scenario default] [--seeds 3] [--steps 2000000]
"""

from __future__ import annotations

import argparse
import csv
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, SymmetricalLogLocator
from mec_moe_agents.evaluation.drawing import look_of, save_figure
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.training.plan import Plan, validation_seeds
from mec_moe_agents.training.run import train
from mec_moe_agents.training.run_folder import Evaluation, Progress, open_run

from mec_moe_env import OFFLOADING_PRESETS
from mec_moe_env.files import write_csv

POLICIES = ("shape", "features", "mlp")
COLORS = {"shape": look_of("learned").color, "features": "#009E73", "mlp": "#AA4499"}
SEGMENT = 12_800
"""Steps between two evaluations: how exactly the moment is known."""


class ReachedError(Exception):
    """The baseline is reached, and the checkpoint stored."""


class UntilReached:
    """Ends a run once its return is at least the target."""

    def __init__(self, target: float) -> None:
        self.target = target
        self.progress = Progress()

    def began(self, done: int, total: int, same_code: bool) -> None:
        """Nothing to do."""

    def stepped(self, steps: int) -> None:
        """Nothing to do."""

    def evaluated(self, progress: Progress) -> None:
        """Keep the curve, and stop when it is there."""
        self.progress = progress
        if reached(progress.evaluations, self.target):
            raise ReachedError


@dataclass
class Run:
    """One learning curve."""

    policy: str
    seed: int
    curve: Sequence[Evaluation]
    end: Evaluation | None
    """Where it reached the baseline, if it did."""


def reached(curve: Sequence[Evaluation], target: float) -> Evaluation | None:
    """Return the first evaluation with a mean return of at least `target`."""
    return next((point for point in curve if point.mean_return >= target), None)


def run(options: argparse.Namespace, policy: str, seed: int, target: float) -> Run:
    """Train until the target is reached."""
    plan = Plan.tuned(
        options.algo,
        OFFLOADING_PRESETS[options.scenario],
        options.scenario,
        policy,
        {"steps_per_leg": SEGMENT},
        seed=seed,
        validation_episodes=options.episodes,
    )
    folder = options.out / f"{options.scenario}-{options.algo}-{policy}-seed{seed}"
    open_run(folder, plan)
    watcher = UntilReached(target)
    curve = read_curve(folder)
    if not reached(curve, target):
        try:
            curve = train(plan, folder, options.steps, watcher).evaluations
        except ReachedError:
            curve = watcher.progress.evaluations
    return Run(policy, seed, curve, reached(curve, target))


def read_curve(folder: Path) -> Sequence[Evaluation]:
    """Return the evaluations that a run has made so far."""
    path = folder / "evaluations.csv"
    if not path.exists():
        return ()
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return tuple(
        Evaluation(int(row.pop("steps")), **{name: float(text) for name, text in row.items()})
        for row in rows
    )


def print_table(runs: Sequence[Run], options: argparse.Namespace) -> None:
    print(f"\n{'policy':<8}{'seed':>5}{'steps':>12}{'training s':>12}{'best return':>13}")
    for one in runs:
        best = max(point.mean_return for point in one.curve)
        where = (
            f"{one.end.steps:>12,}{one.end.train_seconds:>12,.0f}"
            if one.end
            else f"{'not reached':>12}{one.curve[-1].train_seconds:>12,.0f}"
        )
        print(f"{one.policy:<8}{one.seed:>5}{where}{best:>13.1f}")
    for policy in POLICIES:
        ends = [one.end for one in runs if one.policy == policy]
        # A run that never got there counts as longer than all that did.
        steps = statistics.median(end.steps if end else np.inf for end in ends)
        text = f"{steps:,.0f}" if np.isfinite(steps) else f"more than {options.steps:,}"
        print(f"median of {policy}: {text} steps")


def write_table(runs: Sequence[Run], path: Path) -> None:
    write_csv(
        path,
        (
            {
                "policy": one.policy,
                "seed": one.seed,
                "steps": point.steps,
                "mean_return": point.mean_return,
                "train_seconds": point.train_seconds,
            }
            for one in runs
            for point in one.curve
        ),
    )


def draw(runs: Sequence[Run], baselines: dict[str, float], options: argparse.Namespace) -> Figure:
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, value in baselines.items():
        color = look_of(name).color
        axes.axhline(value, color=color, ls="--" if name == "greedy-oracle" else ":", lw=1.3)
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        axes.annotate(name, (1.0, value), xytext=(4, -3), color=color, **place)
    for one in runs:
        label = f"{one.policy} policy" if one.seed == 0 else None
        steps = [point.steps for point in one.curve]
        returns = [point.mean_return for point in one.curve]
        axes.plot(steps, returns, color=COLORS[one.policy], lw=1.6, alpha=0.85, label=label)
        if one.end:
            place = one.end.steps, one.end.mean_return
            axes.plot(*place, "*", color=COLORS[one.policy], ms=12, mec="white")
    axes.set_yscale("symlog", linthresh=50)
    axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=50, subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set(
        title=f"{options.algo} on {options.scenario}: steps until {options.baseline} (stars)",
        xlabel="Training (steps)",
        ylabel=f"Mean return, {options.episodes} held-out episodes",
    )
    figure.legend(frameon=False, loc="outside lower center", ncols=len(POLICIES))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="default")
    parser.add_argument("--algo", default="maskable-ppo")
    parser.add_argument("--baseline", default="guard", help="what is to be reached")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2_000_000, help="most steps of a run")
    parser.add_argument("--episodes", type=int, default=50, help="validation episodes")
    parser.add_argument("--out", type=Path, default=Path("runs/sample-efficiency"))
    options = parser.parse_args()
    config, seeds = OFFLOADING_PRESETS[options.scenario], validation_seeds(options.episodes)
    baselines = {
        name: float(evaluate(name, config, seeds).metrics["return"].mean())
        for name in (options.baseline, "greedy-oracle")
    }
    print(*(f"{name} {value:.1f}" for name, value in baselines.items()))
    runs = []
    for seed in range(options.seeds):
        for policy in POLICIES:
            runs.append(run(options, policy, seed, baselines[options.baseline]))
            end = runs[-1].end
            print(f"{policy}, seed {seed}: {f'{end.steps:,} steps' if end else 'not reached'}")
    print_table(runs, options)
    write_table(runs, options.out / f"{options.scenario}.csv")
    picture = options.out / f"{options.scenario}.png"
    save_figure(draw(runs, baselines, options), picture)
    print(f"picture  {picture}")


if __name__ == "__main__":
    main()
