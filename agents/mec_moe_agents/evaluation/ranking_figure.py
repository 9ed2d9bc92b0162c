"""The picture of a ranking: scores by scenario, interquartile means, performance profiles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mec_moe_agents.evaluation import aggregate, drawing, leaderboard
from mec_moe_agents.evaluation.columns import SCORE
from mec_moe_env.core.buffers import Flags, Floats

SHADES = Normalize(-1.0, 1.0, clip=True)
DARK = 0.49
"""Below this shade text is white; the baseline's, 0.5, is not."""
ROW_INCHES = 0.34
DPI = 110
LEFTMOST = -1.5
"""Interquartile means below stand at the edge of their panel, as numbers."""


def draw_ranking(
    standings: Sequence[leaderboard.Standings], aggregates: Sequence[aggregate.Aggregate]
) -> Figure:
    """Draw a row of panels for each environment: scores, interquartile means, profiles."""
    groups: dict[str, list[leaderboard.Standings]] = defaultdict(list)
    for entry in standings:
        groups[entry.scenario.traits.title].append(entry)
    # The first aggregate of an environment is the one over all its scenarios.
    over_all = {group.environment: group.lines for group in reversed(aggregates)}
    orders = {name: _order(entries, over_all.get(name, ())) for name, entries in groups.items()}
    heights = [len(order) + 4.5 for order in orders.values()]
    figure = drawing.new_figure("", (16, ROW_INCHES * sum(heights)))
    grid = figure.subplots(
        len(groups), 3, squeeze=False, height_ratios=heights, width_ratios=(6, 3, 3.4)
    )
    for grid_row, (name, entries) in zip(grid, groups.items(), strict=True):
        table, means, profiles = grid_row
        if not orders[name]:
            _say_why_not(grid_row, name, entries)
            continue
        _draw_scores(table, entries, orders[name])
        table.set_title(f"{name}: score (0 best baseline, 1 certified bound)")
        if name in over_all:
            _draw_means(means, over_all[name], orders[name])
            _draw_profiles(profiles, over_all[name], orders[name])
        else:
            _say(grid_row[1:], "no aggregate: it takes two scenarios with scores")
    return figure


def _order(
    standings: Sequence[leaderboard.Standings], lines: Sequence[aggregate.AggregateLine]
) -> list[str]:
    """Return the agents from top to bottom: by interquartile mean, then others with a score."""
    scored = [entry for entry in standings if entry.scale.is_defined]
    rest = (line.agent for entry in scored for line in entry.lines)
    return list(dict.fromkeys([*(line.agent for line in lines), *rest]))


def _say_why_not(
    row: Sequence[Axes], environment: str, standings: Sequence[leaderboard.Standings]
) -> None:
    """Leave a row of panels empty but for the reason."""
    _say(row, f"{environment}: no scores ({aggregate.by_reason(_without_scores(standings))})")


def _say(row: Sequence[Axes], what: str) -> None:
    """Write a line where panels would be."""
    for axes in row:
        axes.set_axis_off()
    row[0].text(0.0, 0.5, what, transform=row[0].transAxes)


def _without_scores(standings: Sequence[leaderboard.Standings]) -> dict[str, str]:
    """Return why scenarios have no scores, by their short names."""
    return {_short(entry): entry.scale.lack for entry in standings if not entry.scale.is_defined}


def _draw_scores(
    axes: Axes, standings: Sequence[leaderboard.Standings], order: Sequence[str]
) -> None:
    known = [entry for entry in standings if entry.scale.is_defined]
    without = _without_scores(standings)
    scores = np.full((len(order), len(known)), np.nan)
    for column, entry in enumerate(known):
        for line in entry.lines:
            scores[order.index(line.agent), column] = line.score.mean
    references = {line.agent for entry in standings for line in entry.lines if not line.contender}
    _fill(axes, scores, np.array([agent not in references for agent in order]))
    names = [f"{agent} (reference)" if agent in references else agent for agent in order]
    axes.set_xticks(range(len(known)), [_short(entry) for entry in known])
    axes.set_yticks(range(len(order)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if without:
        axes.set_xlabel(f"no score ({aggregate.by_reason(without)})")


def _short(entry: leaderboard.Standings) -> str:
    return entry.scenario.name.rpartition("/")[2]


def _fill(axes: Axes, scores: Floats, contends: Flags) -> None:
    """Shade and write every score, that of a scenario's best contender in bold."""
    known = np.isfinite(scores) & contends[:, np.newaxis]
    best = np.max(scores, axis=0, initial=-np.inf, where=known)
    # Told apart by colour-blind readers, and in grey.
    axes.imshow(scores, cmap=colormaps["cividis"], norm=SHADES, aspect="auto")
    for (row, column), score in np.ndenumerate(scores):
        if np.isfinite(score):
            ink = "white" if SHADES(score) < DARK else "black"
            bold = "bold" if contends[row] and score >= best[column] else "normal"
            text = SCORE.number(score)
            axes.text(column, row, text, color=ink, ha="center", va="center", weight=bold)


def _draw_means(axes: Axes, lines: Sequence[aggregate.AggregateLine], order: Sequence[str]) -> None:
    looks = drawing.looks_of(order)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_yticks(range(len(order)), [""] * len(order))
    drawing.finish(axes, "Interquartile mean, 95 % interval", "Score", legend=None)
    for line in lines:
        look, row = looks[line.agent], order.index(line.agent)
        if line.iqm.mean < LEFTMOST:
            text = f"◂ {SCORE.number(line.iqm.mean)}"
            axes.text(LEFTMOST, row, text, color=look.color, va="center")
        else:
            drawing.draw_interval(axes, line.iqm, row, look)
    axes.set_xlim(LEFTMOST - 0.05, 1.05)
    _draw_ends(axes)


def _draw_profiles(
    axes: Axes, lines: Sequence[aggregate.AggregateLine], order: Sequence[str]
) -> None:
    looks = drawing.looks_of(order)
    _draw_ends(axes)
    for line in lines:
        style = looks[line.agent].style
        axes.plot(aggregate.THRESHOLDS, line.profile, markevery=10, label=line.agent, **style)
    title, ylabel = "Performance profile", "Share of episodes above τ"
    drawing.finish(axes, title, "Score τ", ylabel, legend=None)
    beside = (1.02, 1.02)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=beside, handlelength=3)


def _draw_ends(axes: Axes) -> None:
    """Draw the certified bound, and the best baseline fainter."""
    axes.axvline(1.0, color=drawing.BOUND.color, ls=drawing.BOUND.line)
    axes.axvline(0.0, color=drawing.BOUND.color, lw=0.8, alpha=0.5)
