"""Learned layer importance against the paper's γ0^l, at equal accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.seeds import check_evaluation_seeds
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.importance.family import LearnedSchedule, ScheduleFamily
from mec_moe_agents.importance.learn import CONFIG, recording_world
from mec_moe_agents.reproduce.drawing import Floats, finish, look_of, new_figure
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, at_least

GRID = tuple(round(step / 20, 2) for step in range(1, 21))
"""γ0 = 0.05, 0.10, …, 1."""
LEAST_SAVING = 10.0
"""Percent."""
EQUAL = 0.001
"""Accuracy on training images to which schedules count as equal: the classifier knows them almost
by heart, so that less than this is a handful of images."""

Schedule = tuple[float, ...]


@dataclass(frozen=True)
class Point:
    """Episodes under one schedule."""

    joules: Floats
    """Per token, (n,)."""
    accuracy: Floats
    """(n,)."""


@dataclass(frozen=True)
class Duel:
    """JESA(γ0, D) and the learned schedule that is to be no less accurate, on the same seeds."""

    hand_set: float
    """γ0."""
    learned: LearnedSchedule
    jesa: Point
    ours: Point

    @property
    def saving(self) -> Estimate:
        """Energy saved, percent of JESA's."""
        return estimate_mean(100.0 * (1.0 - self.ours.joules / self.jesa.joules))

    @property
    def gain(self) -> Estimate:
        """Accuracy gained, points."""
        return estimate_mean(100.0 * (self.ours.accuracy - self.jesa.accuracy))


def judge(family: ScheduleFamily, seeds: Sequence[int]) -> Answer:
    """Compare a family with γ0^l on held-out images, each γ0 with the schedule chosen for it.

    Raises:
        ValueError: a seed is one of training's.
    """
    check_evaluation_seeds(seeds)
    points = {
        schedule: _measure(schedule, seeds)
        for schedule in sorted({each.importance for each in family.schedules})
    }
    duels = []
    for hand_set, learned in counterparts(family).items():
        jesa = _measure(powers(hand_set), seeds)
        duels.append(Duel(hand_set, learned, jesa, points[learned.importance]))
    ours = [points[each.importance] for each in family.schedules]
    return Answer(_rows(duels, seeds), _draw(duels, ours, len(seeds)), _headlines(duels))


def powers(hand_set: float) -> Schedule:
    """Return γ0^l of every layer."""
    return CONFIG.override(importance=hand_set).layer_importance


def counterparts(family: ScheduleFamily) -> Mapping[float, LearnedSchedule]:
    """Choose for each γ0, on training images alone, the cheapest schedule as accurate as JESA's.

    As accurate is to within `EQUAL`; where none is, the most accurate.
    """
    world = recording_world()
    highest = max(each.accuracy for each in family.schedules)
    return {
        hand_set: family.reaching(min(world.run(powers(hand_set)).accuracy - EQUAL, highest))
        for hand_set in GRID
    }


def _measure(schedule: Schedule, seeds: Sequence[int]) -> Point:
    metrics = evaluate("jesa", CONFIG, seeds, options={"importance": schedule}).metrics
    return Point(metrics["energy_per_token_j"], metrics["accuracy"])


def _rows(duels: Sequence[Duel], seeds: Sequence[int]) -> list[Row]:
    return [
        {
            "gamma0": duel.hand_set,
            "scheduler": scheduler,
            "importance": " ".join(f"{each:.6g}" for each in schedule),
            "seed": seed,
            "energy_per_token_j": joules,
            "accuracy": accuracy,
            "config": as_json(CONFIG),
        }
        for duel in duels
        for scheduler, schedule, point in (
            ("jesa", powers(duel.hand_set), duel.jesa),
            ("learned", duel.learned.importance, duel.ours),
        )
        for seed, joules, accuracy in zip(seeds, point.joules, point.accuracy, strict=True)
    ]


def _headlines(duels: Sequence[Duel]) -> list[Headline]:
    lines = []
    for duel in duels:
        gain = duel.gain
        label = f"energy saved on γ0 = {duel.hand_set:.2f} (%), accuracy {gain.mean:+.2f} points"
        if not np.isnan(gain.low):
            label += f" [{gain.low:+.2f}, {gain.high:+.2f}]"
        lines.append(at_least(label, duel.saving, LEAST_SAVING))
    closest = min((duel.gain for duel in duels), key=lambda gain: gain.mean)
    lines.append(Headline("least accuracy gained over all γ0 (points)", closest, decimals=2))
    return lines


def _draw(duels: Sequence[Duel], ours: Sequence[Point], seeds: int) -> Figure:
    title = f"DMoE · digits-moe, {seeds} seeds, held-out digits"
    figure, (plane, saved, gained) = new_figure(title, panels=3)
    _draw_curve(plane, [duel.jesa for duel in duels], "jesa", "JESA(γ0, 2), γ0 = 0.05 … 1")
    _draw_curve(plane, ours, "learned", "JESA, learned importance")
    finish(
        plane,
        "Accuracy against energy (upper left is better)",
        "Energy per token, all layers (mJ)",
        "Accuracy (%)",
        legend=False,
    )
    plane.legend(frameon=False, loc="lower right")
    _draw_bars(saved, [duel.saving for duel in duels])
    saved.axhline(LEAST_SAVING, color="#5B5B5B", ls=":", lw=1.0)
    saved.set_ylim(bottom=0)
    finish(saved, "Energy saved", "γ0", "% of JESA(γ0, 2)'s energy", legend=False)
    _draw_bars(gained, [duel.gain for duel in duels])
    gained.axhline(0.0, color="#5B5B5B", ls=":", lw=1.0)
    gained.set_yscale("symlog", linthresh=1.0)
    gained.set_yticks([-0.5, 0, 0.5, 1, 2, 5], ["−0.5", "0", "0.5", "1", "2", "5"])
    finish(gained, "Accuracy gained (95 % intervals)", "γ0", "Points", legend=False)
    return figure


def _draw_curve(axes: Axes, points: Sequence[Point], agent: str, label: str) -> None:
    look = look_of(agent)
    x = [1e3 * point.joules.mean() for point in points]
    y = [1e2 * point.accuracy.mean() for point in points]
    axes.plot(x, y, color=look.color, ls=look.line, marker=look.marker, lw=1.4, ms=5, label=label)


def _draw_bars(axes: Axes, values: Sequence[Estimate]) -> None:
    look = look_of("learned")
    means, lows, highs = np.transpose(values)
    arms = None if np.isnan(lows).any() else np.maximum([means - lows, highs - means], 0.0)
    axes.errorbar(
        GRID, means, yerr=arms, color=look.color, marker=look.marker, ls=look.line, ms=5, lw=1.2
    )
