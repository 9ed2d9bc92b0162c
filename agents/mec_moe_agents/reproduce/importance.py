"""Learned layer importance against the paper's γ0^l, at equal accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.dmoe.learned import Match
from mec_moe_agents.evaluation.drawing import draw_intervals, finish, look_of, new_panels
from mec_moe_agents.evaluation.rollout import check_evaluation_seeds, evaluate
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.reproduce import Answer, Headline, Row, at_least, percent_below, rows_of
from mec_moe_agents.training.importance import (
    CONFIG,
    SHARED,
    ImportanceEnvironment,
    Outcome,
    Schedule,
    powers,
    recording_seeds,
)
from mec_moe_env.core.buffers import Floats

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
class Pair:
    """JESA(γ0, D) and the learned schedule that is to be no less accurate, on the same seeds."""

    match: Match
    jesa: Point
    ours: Point

    @property
    def saving(self) -> Estimate:
        """Energy saved, percent of JESA's."""
        return percent_below(self.ours.joules, self.jesa.joules)

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


def compare_matches(matches: Sequence[Match], seeds: Sequence[int]) -> Answer:
    """Compare each γ0^l with the schedule that was chosen for it on training episodes.

    Raises:
        ValueError: a seed is one of training's.
    """
    check_evaluation_seeds(seeds)
    others = ImportanceEnvironment(CONFIG, recording_seeds(), images="train")
    schedules = {each.importance for each in matches}
    schedules |= {powers(each.hand_set) for each in matches}
    points = {each: _measure(each, seeds, others) for each in sorted(schedules)}
    pairs = [Pair(each, points[powers(each.hand_set)], points[each.importance]) for each in matches]
    return Answer(_rows(pairs, seeds), _draw(pairs, len(seeds)), _headlines(pairs))


def _measure(schedule: Schedule, seeds: Sequence[int], others: ImportanceEnvironment) -> Point:
    metrics = evaluate("jesa", CONFIG, seeds, options={"importance": schedule}).metrics
    return Point(metrics["energy_per_token_j"], metrics["accuracy"], others.run(schedule))


def _rows(pairs: Sequence[Pair], seeds: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for pair in pairs:
        gamma, learned = pair.match.hand_set, pair.match.importance
        for scheduler, schedule, point in (
            ("jesa", powers(gamma), pair.jesa),
            ("learned", learned, pair.ours),
        ):
            text = " ".join(f"{each:.6g}" for each in schedule)
            labels = {"gamma0": gamma, "scheduler": scheduler, "importance": text}
            columns: dict[str, Floats | float] = {
                "energy_per_token_j": point.joules,
                "accuracy": point.accuracy,
                "accuracy_on_train": point.on_train.accuracy,
            }
            rows += rows_of(labels, seeds, columns, CONFIG)
    return rows


def _headlines(pairs: Sequence[Pair]) -> list[Headline]:
    lines = []
    for pair in pairs:
        gain = pair.gain
        label = f"energy saved on γ0 = {pair.match.hand_set:.2f} (%), accuracy {gain.mean:+.2f}"
        if not np.isnan(gain.low):
            label += f" [{gain.low:+.2f}, {gain.high:+.2f}]"
        lines.append(at_least(f"{label} points", pair.saving, LEAST_SAVING))
    closest = min((pair.gain for pair in pairs), key=lambda gain: gain.mean)
    lines.append(Headline("least accuracy gained over all γ0 (points)", closest, decimals=2))
    saved = min(pair.saving_on_train for pair in pairs)
    gained = min(pair.gain_on_train for pair in pairs)
    label = "least energy saved on the classifier's training images (%)"
    lines.append(Headline(label, Estimate(saved)))
    label = "least accuracy gained on the classifier's training images (points)"
    return [*lines, Headline(label, Estimate(gained), decimals=2)]


def _draw(pairs: Sequence[Pair], seeds: int) -> Figure:
    title = f"DMoE · digits-moe, {seeds} evaluation seeds\n{SHARED}"
    figure, (plane, saved, gained) = new_panels(title, panels=3)
    _draw_curve(plane, [pair.jesa for pair in pairs], "jesa", "JESA(γ0, 2), γ0 = 0.05 … 1")
    _draw_curve(plane, [pair.ours for pair in pairs], "learned", "JESA, learned importance")
    title = "Accuracy against energy (upper left is better)"
    finish(plane, title, "Energy per token, all layers (mJ)", "Accuracy (%)", legend="lower right")
    _draw_differences(saved, pairs, "saving", LEAST_SAVING)
    saved.set_ylim(bottom=0)
    finish(saved, "Energy saved", "γ0", "% of JESA(γ0, 2)'s energy")
    _draw_differences(gained, pairs, "gain", 0.0)
    gained.set_yscale("symlog", linthresh=1.0)
    gained.set_yticks([-1, -0.5, 0, 0.5, 1, 2, 5], ["−1", "−0.5", "0", "0.5", "1", "2", "5"])
    finish(gained, "Accuracy gained (95 % intervals)", "γ0", "Points")
    return figure


def _draw_curve(axes: Axes, points: Sequence[Point], agent: str, label: str) -> None:
    look = look_of(agent)
    x = [1e3 * point.joules.mean() for point in points]
    y = [1e2 * point.accuracy.mean() for point in points]
    axes.plot(x, y, lw=1.4, ms=5, label=label, **look.style)


def _draw_differences(axes: Axes, pairs: Sequence[Pair], name: str, target: float) -> None:
    """Draw differences to JESA over γ0, as points those on the classifier's training images."""
    hand_set = [pair.match.hand_set for pair in pairs]
    found = [getattr(pair, name) for pair in pairs]
    on_train = [getattr(pair, f"{name}_on_train") for pair in pairs]
    look, label = look_of("learned"), "the environment's images"
    draw_intervals(axes, hand_set, found, look, ms=5, lw=1.2, label=label)
    label = "the classifier's training images"
    axes.plot(hand_set, on_train, color="black", ls="", marker=".", zorder=3.0, label=label)
    axes.axhline(target, color="#5B5B5B", ls=":", lw=1.0)
