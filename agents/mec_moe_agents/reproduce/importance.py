"""Learned layer importance against the paper's γ0^l, at equal accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.dmoe.learned import Match
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.seeds import check_evaluation_seeds
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.reproduce.drawing import Floats, finish, look_of, new_figure
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, at_least
from mec_moe_agents.training.importance import (
    CONFIG,
    SHARED,
    ImportanceEnvironment,
    Outcome,
    Schedule,
    powers,
    recording_seeds,
)

LEAST_SAVING = 10.0
"""Percent."""


@dataclass(frozen=True)
class Point:
    """Episodes under one schedule."""

    joules: Floats
    """Per token, (n,)."""
    accuracy: Floats
    """(n,)."""
    on_train: Outcome
    """On the images that the classifier learned from, which the environment never shows."""


@dataclass(frozen=True)
class Duel:
    """JESA(γ0, D) and the learned schedule that is to be no less accurate, on the same seeds."""

    match: Match
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

    @property
    def saving_on_train(self) -> float:
        """Energy saved on the classifier's training images, percent of JESA's."""
        return 100.0 * (1.0 - self.ours.on_train.joules / self.jesa.on_train.joules)

    @property
    def gain_on_train(self) -> float:
        """Accuracy gained on the classifier's training images, points."""
        return 100.0 * (self.ours.on_train.accuracy - self.jesa.on_train.accuracy)


def judge(matches: Sequence[Match], seeds: Sequence[int]) -> Answer:
    """Compare each γ0^l with the schedule that practice chose for it.

    Args:
        matches: at least one.
        seeds: of the episodes.

    Raises:
        ValueError: a seed is one of training's.
    """
    check_evaluation_seeds(seeds)
    others = ImportanceEnvironment(CONFIG, recording_seeds(), images="train")
    schedules = {each.importance for each in matches}
    schedules |= {powers(each.hand_set) for each in matches}
    points = {each: _measure(each, seeds, others) for each in sorted(schedules)}
    duels = [Duel(each, points[powers(each.hand_set)], points[each.importance]) for each in matches]
    return Answer(_rows(duels, seeds), _draw(duels, len(seeds)), _headlines(duels))


def _measure(schedule: Schedule, seeds: Sequence[int], others: ImportanceEnvironment) -> Point:
    metrics = evaluate("jesa", CONFIG, seeds, options={"importance": schedule}).metrics
    return Point(metrics["energy_per_token_j"], metrics["accuracy"], others.run(schedule))


def _rows(duels: Sequence[Duel], seeds: Sequence[int]) -> list[Row]:
    return [
        {
            "gamma0": duel.match.hand_set,
            "scheduler": scheduler,
            "importance": " ".join(f"{each:.6g}" for each in schedule),
            "seed": seed,
            "energy_per_token_j": joules,
            "accuracy": accuracy,
            "accuracy_on_train": point.on_train.accuracy,
            "config": as_json(CONFIG),
        }
        for duel in duels
        for scheduler, schedule, point in (
            ("jesa", powers(duel.match.hand_set), duel.jesa),
            ("learned", duel.match.importance, duel.ours),
        )
        for seed, joules, accuracy in zip(seeds, point.joules, point.accuracy, strict=True)
    ]


def _headlines(duels: Sequence[Duel]) -> list[Headline]:
    lines = []
    for duel in duels:
        gain = duel.gain
        label = f"energy saved on γ0 = {duel.match.hand_set:.2f} (%), accuracy {gain.mean:+.2f}"
        if not np.isnan(gain.low):
            label += f" [{gain.low:+.2f}, {gain.high:+.2f}]"
        lines.append(at_least(f"{label} points", duel.saving, LEAST_SAVING))
    closest = min((duel.gain for duel in duels), key=lambda gain: gain.mean)
    lines.append(Headline("least accuracy gained over all γ0 (points)", closest, decimals=2))
    saved = min(duel.saving_on_train for duel in duels)
    gained = min(duel.gain_on_train for duel in duels)
    for label, least, decimals in (
        ("least energy saved on the classifier's training images (%)", saved, 1),
        ("least accuracy gained on the classifier's training images (points)", gained, 2),
    ):
        lines.append(Headline(label, Estimate(least, np.nan, np.nan), decimals=decimals))
    return lines


def _draw(duels: Sequence[Duel], seeds: int) -> Figure:
    title = f"DMoE · digits-moe, {seeds} evaluation seeds\n{SHARED}"
    figure, (plane, saved, gained) = new_figure(title, panels=3)
    _draw_curve(plane, [duel.jesa for duel in duels], "jesa", "JESA(γ0, 2), γ0 = 0.05 … 1")
    _draw_curve(plane, [duel.ours for duel in duels], "learned", "JESA, learned importance")
    finish(
        plane,
        "Accuracy against energy (upper left is better)",
        "Energy per token, all layers (mJ)",
        "Accuracy (%)",
        legend=False,
    )
    plane.legend(frameon=False, loc="lower right")
    places = [duel.match.hand_set for duel in duels]
    others: dict[str, Any] = {
        "color": "black",
        "ls": "",
        "marker": ".",
        "zorder": 3.0,
        "label": "the classifier's training images",
    }
    _draw_bars(saved, places, [duel.saving for duel in duels])
    saved.plot(places, [duel.saving_on_train for duel in duels], **others)
    saved.axhline(LEAST_SAVING, color="#5B5B5B", ls=":", lw=1.0)
    saved.set_ylim(bottom=0)
    finish(saved, "Energy saved", "γ0", "% of JESA(γ0, 2)'s energy")
    _draw_bars(gained, places, [duel.gain for duel in duels])
    gained.plot(places, [duel.gain_on_train for duel in duels], **others)
    gained.axhline(0.0, color="#5B5B5B", ls=":", lw=1.0)
    gained.set_yscale("symlog", linthresh=1.0)
    gained.set_yticks([-1, -0.5, 0, 0.5, 1, 2, 5], ["−1", "−0.5", "0", "0.5", "1", "2", "5"])
    finish(gained, "Accuracy gained (95 % intervals)", "γ0", "Points")
    return figure


def _draw_curve(axes: Axes, points: Sequence[Point], agent: str, label: str) -> None:
    look = look_of(agent)
    x = [1e3 * point.joules.mean() for point in points]
    y = [1e2 * point.accuracy.mean() for point in points]
    axes.plot(x, y, color=look.color, ls=look.line, marker=look.marker, lw=1.4, ms=5, label=label)


def _draw_bars(axes: Axes, places: Sequence[float], values: Sequence[Estimate]) -> None:
    look = look_of("learned")
    means, lows, highs = np.transpose(values)
    arms = None if np.isnan(lows).any() else np.maximum([means - lows, highs - means], 0.0)
    axes.errorbar(
        places,
        means,
        yerr=arms,
        color=look.color,
        marker=look.marker,
        ls=look.line,
        ms=5,
        lw=1.2,
        label="the environment's images",
    )
