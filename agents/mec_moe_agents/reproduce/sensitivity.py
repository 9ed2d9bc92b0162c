"""Where the first paper's claim holds: learning rate, geometry of the signals, size of the truths.

"More experts than enough converge later" (Li & Duan 2024) rests on a learning rate that still
explores at T. With a smaller one no number of experts specialises, with a larger one all have.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, rows_of, verdict
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.core.buffers import Floats

PRESETS = ("paper-synthetic", "mec-norm")
DIRECTIONS = ("orthogonal", "parallel")
RATES = (0.5, 2.0, 6.0, 20.0)
"""η."""
SERVERS = (10, 30, 50, 70)
FEW, ENOUGH, MANY = 10, 30, 70
LOOKS = {
    0.5: drawing.Look("#8C8C8C", ":", "v"),
    2.0: drawing.Look("#882255", "--", "s"),
    6.0: drawing.Look("#0072B2", "-", "o"),
    20.0: drawing.Look("#009E73", "-.", "^"),
}


class Setting(NamedTuple):
    """What the claim is tested under."""

    preset: str
    direction: str
    rate: float

    def __str__(self) -> str:
        return f"{self.preset}, {self.direction}, η = {self.rate:g}"


Found = Mapping[Setting, Mapping[int, Floats]]
"""G_T of each episode, (n,), by setting and number of servers."""


def settings() -> list[Setting]:
    """Return every combination."""
    return list(itertools.starmap(Setting, itertools.product(PRESETS, DIRECTIONS, RATES)))


def scenario(setting: Setting, servers: int) -> OffloadingConfig:
    """Return a setting's scenario with M servers."""
    preset = OFFLOADING_PRESETS[setting.preset]
    return preset.override(num_servers=servers, signal_direction=setting.direction)


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run the gate in every setting with every number of servers on the same seeds."""
    cases = list(itertools.product(settings(), SERVERS))
    errors = gather({case: partial(final_errors, *case, seeds) for case in cases}, executor)
    found = {
        setting: {servers: errors[setting, servers] for servers in SERVERS}
        for setting in settings()
    }
    return Answer(_rows(found, seeds), draw(found), headlines(found))


def final_errors(setting: Setting, servers: int, seeds: Sequence[int]) -> Floats:
    """Return G_T of each episode, (n,)."""
    options = {"learning_rate": setting.rate}
    episodes = evaluate("gating", scenario(setting, servers), seeds, options=options)
    return episodes.metrics["generalization_error"]


def headlines(found: Found) -> list[Headline]:
    """Compare too few, and more than enough, with enough experts: setting by setting, paired."""
    lines, verdicts = [], []
    for setting, errors in found.items():
        for servers in (FEW, MANY):
            worse = estimate_mean(errors[servers] - errors[ENOUGH])
            verdicts.append((servers, verdict(worse)))
            label = f"{setting}: G_T, M = {servers} − M = {ENOUGH}"
            lines.append(Headline(label, worse, "> 0", verdicts[-1][1], decimals=3))
    for servers, words in ((FEW, "too few are worse"), (MANY, "more than enough are worse")):
        for name, wanted in (("yes", True), ("the opposite", False), ("undecided", None)):
            count = Estimate(float(verdicts.count((servers, wanted))))
            label = f"{words}, M = {servers} (settings of {len(found)}): {name}"
            lines.append(Headline(label, count, decimals=0))
    return lines


def _rows(found: Found, seeds: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for setting, by_servers in found.items():
        for servers, errors in by_servers.items():
            labels = {**setting._asdict(), "servers": servers}
            columns = {"generalization_error": errors}
            rows += rows_of(labels, seeds, columns, scenario(setting, servers))
    return rows


def draw(found: Found) -> Figure:
    """Draw G_T by number of servers: a panel for each preset and direction, a line for each η."""
    seeds = len(next(iter(found.values()))[ENOUGH])
    figure = drawing.new_figure(
        f"Final error of gating after T slots, {seeds} seeds (mean and 95 % interval)", (9.0, 6.8)
    )
    grid = figure.subplots(len(PRESETS), len(DIRECTIONS), sharex=True, sharey="row")
    for axes, (preset, direction) in zip(
        grid.flat, itertools.product(PRESETS, DIRECTIONS), strict=True
    ):
        _draw_panel(axes, found, preset, direction)
    # Not before: it would fix the upper end that the panels of a row share.
    for axes in grid[:, 0]:
        axes.set_ylim(bottom=0)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    drawing.legend_below(figure, handles, labels, len(RATES))
    return figure


def _draw_panel(axes: Axes, found: Found, preset: str, direction: str) -> None:
    for rate in RATES:
        errors = found[Setting(preset, direction, rate)]
        values = np.stack([errors[servers] for servers in SERVERS], axis=1)
        drawing.draw_band(axes, SERVERS, values, LOOKS[rate], f"η = {rate:g}")
    axes.set_xticks(SERVERS)
    title = f"{preset}, signals {direction}"
    below = preset == PRESETS[-1]
    left = direction == DIRECTIONS[0]
    drawing.finish(axes, title, "Servers M" if below else "", "$G_T$" if left else "", legend=None)


STUDY = Study("sensitivity", "Where do more experts than enough hurt?", run)
