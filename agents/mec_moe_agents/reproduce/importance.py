"""Learned layer importance against the paper's γ0^l, at equal accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.dmoe.learned import Match
from mec_moe_agents.evaluation.drawing import draw_intervals, finish, look_of, new_panels
from mec_moe_agents.evaluation.rollout import check_evaluation_seeds, evaluate
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.reproduce import Answer, Headline, Row, at_least, percent_below, rows_of
from mec_moe_agents.training import importance
from mec_moe_env.core.buffers import Floats

LEAST_SAVING = 10.0
"""Percent."""


class Point(NamedTuple):
    """Episodes under one schedule, n of them; or all of the classifier's training images as one."""

    joules: Floats
    """Per token, (n,)."""
    accuracy: Floats
    """(n,)."""


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


def compare_matches(matches: Sequence[Match], seeds: Sequence[int]) -> Answer:
    """Compare each γ0^l with the schedule that was chosen for it on training episodes.

    The environment never shows the images that the classifier learned from: on them, too.

    Raises:
        ValueError: a seed is one of training's.
    """
    check_evaluation_seeds(seeds)
    others = importance.ImportanceEnvironment(
        importance.CONFIG, importance.recording_seeds(), images="train"
    )
    points, on_train = {}, {}
    for schedule in {
        s for each in matches for s in (importance.powers(each.hand_set), each.importance)
    }:
        metrics = evaluate(
            "jesa", importance.CONFIG, seeds, options={"importance": schedule}
        ).metrics
        points[schedule] = Point(metrics["energy_per_token_j"], metrics["accuracy"])
        outcome = others.run(schedule)
        on_train[schedule] = Point(np.array([outcome.joules]), np.array([outcome.accuracy]))
    pairs, pairs_on_train = (
        [
            Pair(each, found[importance.powers(each.hand_set)], found[each.importance])
            for each in matches
        ]
        for found in (points, on_train)
    )
    rows = _rows(pairs, on_train, seeds)
    figure = _draw(pairs, pairs_on_train, len(seeds))
    return Answer(rows, figure, _headlines(pairs, pairs_on_train))


def _rows(
    pairs: Sequence[Pair], on_train: Mapping[importance.Schedule, Point], seeds: Sequence[int]
) -> list[Row]:
    rows: list[Row] = []
    for pair in pairs:
        gamma, learned = pair.match.hand_set, pair.match.importance
        for scheduler, schedule, point in (
            ("jesa", importance.powers(gamma), pair.jesa),
            ("learned", learned, pair.ours),
        ):
            text = " ".join(f"{each:.6g}" for each in schedule)
            labels = {"gamma0": gamma, "scheduler": scheduler, "importance": text}
            columns = {
                "energy_per_token_j": point.joules,
                "accuracy": point.accuracy,
                "accuracy_on_train": on_train[schedule].accuracy,
            }
            rows += rows_of(labels, seeds, columns, importance.CONFIG)
    return rows


def _headlines(pairs: Sequence[Pair], on_train: Sequence[Pair]) -> list[Headline]:
    lines = []
    for pair in pairs:
        gain = pair.gain
        label = f"energy saved on γ0 = {pair.match.hand_set:.2f} (%), accuracy {gain.mean:+.2f}"
        if not np.isnan(gain.low):
            label += f" [{gain.low:+.2f}, {gain.high:+.2f}]"
        lines.append(at_least(f"{label} points", pair.saving, LEAST_SAVING))
    closest = _least(pair.gain for pair in pairs)
    lines.append(Headline("least accuracy gained over all γ0 (points)", closest, decimals=2))
    label = "least energy saved on the classifier's training images (%)"
    lines.append(Headline(label, _least(pair.saving for pair in on_train)))
    label = "least accuracy gained on the classifier's training images (points)"
    return [*lines, Headline(label, _least(pair.gain for pair in on_train), decimals=2)]


def _least(estimates: Iterable[Estimate]) -> Estimate:
    return min(estimates, key=attrgetter("mean"))


def _draw(pairs: Sequence[Pair], on_train: Sequence[Pair], seeds: int) -> Figure:
    title = f"DMoE · digits-moe, {seeds} evaluation seeds\n{importance.SHARED}"
    figure, (plane, saved, gained) = new_panels(title, panels=3)
    _draw_curve(plane, [pair.jesa for pair in pairs], "jesa", "JESA(γ0, 2), γ0 = 0.05 … 1")
    _draw_curve(plane, [pair.ours for pair in pairs], "learned", "JESA, learned importance")
    title = "Accuracy against energy (upper left is better)"
    finish(plane, title, "Energy per token, all layers (mJ)", "Accuracy (%)", legend="lower right")
    _draw_differences(saved, pairs, on_train, "saving", LEAST_SAVING)
    saved.set_ylim(bottom=0)
    finish(saved, "Energy saved", "γ0", "% of JESA(γ0, 2)'s energy")
    _draw_differences(gained, pairs, on_train, "gain", 0.0)
    gained.set_yscale("symlog", linthresh=1.0)
    gained.set_yticks([-1, -0.5, 0, 0.5, 1, 2, 5], ["−1", "−0.5", "0", "0.5", "1", "2", "5"])
    finish(gained, "Accuracy gained (95 % intervals)", "γ0", "Points")
    return figure


def _draw_curve(axes: Axes, points: Sequence[Point], agent: str, label: str) -> None:
    look = look_of(agent)
    x = [1e3 * point.joules.mean() for point in points]
    y = [1e2 * point.accuracy.mean() for point in points]
    axes.plot(x, y, lw=1.4, ms=5, label=label, **look.style)


def _draw_differences(
    axes: Axes, pairs: Sequence[Pair], on_train: Sequence[Pair], name: str, target: float
) -> None:
    """Draw differences to JESA over γ0, as points those on the classifier's training images."""
    hand_set = [pair.match.hand_set for pair in pairs]
    found = [getattr(pair, name) for pair in pairs]
    means = [getattr(pair, name).mean for pair in on_train]
    look, label = look_of("learned"), "the environment's images"
    draw_intervals(axes, hand_set, found, look, ms=5, lw=1.2, label=label)
    label = "the classifier's training images"
    axes.plot(hand_set, means, color="black", ls="", marker=".", zorder=3.0, label=label)
    axes.axhline(target, color="#5B5B5B", ls=":", lw=1.0)
