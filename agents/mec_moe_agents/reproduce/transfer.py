"""How the policy that was trained on `default` does where it was not trained (our extension).

The shipped weights saw M = 8 servers, one Doppler frequency, no failure and no bursts. Each sweep
changes one of these and nothing else: with M, the subcarriers and types stay as they are. All
schedulers meet the same tasks, channels and failures, on seeds that no training, tuning or choice
of weights has used. `greedy-oracle` is a greedy reference that can be beaten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from mec_moe_agents.evaluation import drawing
from mec_moe_agents.evaluation.rollout import Episodes, evaluate
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean, estimate_ratio
from mec_moe_agents.evaluation.trained import LEARNED
from mec_moe_agents.executors import Executor, gather
from mec_moe_agents.reproduce import Answer, Headline, Row, Study, rows_of, verdict
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.core.buffers import Floats

PRESET = "default"
"""Whose weights are tested."""
BASE = OFFLOADING_PRESETS[PRESET]
TRAINED = "as trained"
OTHER_BASELINES = ("profile", "des")
BASELINES = ("guard", *OTHER_BASELINES)
AGENTS = (LEARNED, *BASELINES, "greedy-oracle")
METRICS = ("return", "generalization_error", "energy_j", "delay_slots", "rejected", "lost")
SHARES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0)
NAMES = {LEARNED: f"learned on {PRESET}", "greedy-oracle": "greedy-oracle (reference)"}
FRAME = {"markeredgecolor": "white", "markeredgewidth": 0.5, "elinewidth": 1.4, "capsize": 2.5}
APART = 0.07
"""Between the agents of one condition, so that their intervals do not hide each other."""

Found = Mapping[str, Mapping[str, Episodes]]
"""Episodes by condition and agent."""


@dataclass(frozen=True)
class Sweep:
    """One field of the scenario, from the value that was trained to others."""

    field: str
    values: tuple[float, ...]
    """One of them is the trained one."""
    title: str
    axis: str
    condition: str
    """Names a value in text."""

    def name(self, value: float) -> str:
        """Return the name of a condition."""
        return TRAINED if value == getattr(BASE, self.field) else self.condition.format(value)


SWEEPS = (
    Sweep("num_servers", (4, 8, 16, 32, 64), "Other numbers of servers", "Servers M", "M = {:g}"),
    Sweep(
        "doppler_hz",
        (0.0, BASE.doppler_hz, 10.0 * BASE.doppler_hz, float("inf")),
        "Frozen to memoryless channels",
        "Doppler frequency (Hz)",
        "Doppler {:g} Hz",
    ),
    Sweep(
        "failure_rate",
        (0.0, 0.002, 0.01, 0.03),
        "Servers that fail",
        "Failures per server and slot",
        "failures {:g}",
    ),
    Sweep(
        "type_persistence",
        (0.0, 0.5, 0.9),
        "Bursts of one type",
        "Chance to repeat the type before",
        "persistence {:g}",
    ),
)


def conditions() -> dict[str, OffloadingConfig]:
    """Return the scenario of each condition, the trained one once."""
    return {
        sweep.name(value): BASE.override(**{sweep.field: value})
        for sweep in SWEEPS
        for value in sweep.values
    }


def returns(found: Found, condition: str, agent: str) -> Floats:
    """Return the undiscounted return of each episode, (n,)."""
    return found[condition][agent].metrics["return"]


def run(seeds: Sequence[int], executor: Executor | None = None) -> Answer:
    """Run every scheduler in every condition on the same seeds."""
    options = {LEARNED: {"preset": PRESET}}
    calls = {
        (condition, agent): partial(evaluate, agent, config, seeds, options=options.get(agent))
        for condition, config in conditions().items()
        for agent in AGENTS
    }
    episodes = gather(calls, executor)
    found = {
        condition: {agent: episodes[condition, agent] for agent in AGENTS}
        for condition in conditions()
    }
    return Answer(_rows(found), draw(found), headlines(found))


def lead(found: Found, condition: str, baseline: str) -> Estimate:
    """Estimate by how much the learned policy's return exceeds a baseline's, seed by seed."""
    return estimate_mean(returns(found, condition, LEARNED) - returns(found, condition, baseline))


def headlines(found: Found) -> list[Headline]:
    """State the lead over `guard` and over the best other baseline, condition by condition."""
    lines, ahead, behind = [], 0, 0
    for condition in found:
        leads = {baseline: lead(found, condition, baseline) for baseline in BASELINES}
        verdicts = {baseline: verdict(estimate) for baseline, estimate in leads.items()}
        ahead += all(verdicts.values())
        behind += False in verdicts.values()
        means = {name: returns(found, condition, name).mean() for name in OTHER_BASELINES}
        lines += [
            Headline(f"{condition}: learned − {name}", leads[name], "> 0", verdicts[name])
            for name in ("guard", max(means, key=means.__getitem__))
        ]
    for label, count in (("ahead of every baseline", ahead), ("behind a baseline", behind)):
        counted = Estimate(float(count))
        lines.append(Headline(f"{label} (of {len(found)})", counted, decimals=0))
    return lines


def _rows(found: Found) -> list[Row]:
    configs = conditions()
    rows: list[Row] = []
    for condition, by_agent in found.items():
        for agent, episodes in by_agent.items():
            columns = {name: episodes.metrics[name] for name in METRICS}
            columns["to_guard"] = columns["return"] - returns(found, condition, "guard")
            labels = {"condition": condition, "scheduler": agent}
            rows += rows_of(labels, episodes.seeds.tolist(), columns, configs[condition])
    return rows


def draw(found: Found) -> Figure:
    """Draw what each scheduler costs, a panel for each sweep with one axis and legend for all."""
    seeds = next(iter(found.values()))[LEARNED].seeds.size
    title = (
        f"Trained on {PRESET}, tested elsewhere: cost (minus the return) as a share of guard's\n"
        f"{seeds} held-out seeds, mean and 95 % interval; lower is better; "
        "in brackets: guard's return"
    )
    figure = drawing.new_figure(title, (9, 6.8))
    grid = figure.subplots(2, 2, sharey=True)
    for axes, sweep in zip(grid.flat, SWEEPS, strict=True):
        _draw_sweep(axes, found, sweep)
    for axes in grid[:, 1]:
        axes.set_ylabel("")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    drawing.legend_below(figure, handles[::-1], labels[::-1], len(AGENTS))
    return figure


def _draw_sweep(axes: Axes, found: Found, sweep: Sweep) -> None:
    """Draw the shares of all schedulers, and shade what was trained."""
    trained = sweep.values.index(getattr(BASE, sweep.field))
    axes.axvspan(trained - 0.4, trained + 0.4, color="#EEEEEE", lw=0, zorder=0)
    axes.text(trained, 0.98, "trained", ha="center", va="top", transform=axes.get_xaxis_transform())
    for position, agent in enumerate(reversed(AGENTS)):
        shares = [
            estimate_ratio(returns(found, name, agent), returns(found, name, "guard"))
            for name in map(sweep.name, sweep.values)
        ]
        ours = agent == LEARNED
        style = {"lw": 2.4, "markersize": 10} if ours else {"lw": 1.4, "markersize": 6}
        positions = np.arange(len(shares)) + APART * (position - (len(AGENTS) - 1) / 2)
        label = NAMES.get(agent, agent)
        drawing.draw_intervals(
            axes, positions, shares, drawing.look_of(agent), label=label, **FRAME, **style
        )
    axes.set_xticks(range(len(sweep.values)), [_tick(found, sweep, v) for v in sweep.values])
    axes.set_xlim(-0.5, len(sweep.values) - 0.5)
    _scale_shares(axes)
    drawing.finish(axes, sweep.title, sweep.axis, "Cost, share of guard's", legend=None)


def _scale_shares(axes: Axes) -> None:
    """Make the y axis logarithmic, with percents."""
    axes.set_yscale("log")
    axes.set_ylim(bottom=min(0.45, axes.get_ylim()[0]))
    axes.yaxis.set_major_locator(FixedLocator(SHARES))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")


def _tick(found: Found, sweep: Sweep, value: float) -> str:
    """Name a value, and what `guard` gets there."""
    mean = returns(found, sweep.name(value), "guard").mean()
    name = "∞" if np.isinf(value) else f"{value:g}"
    return f"{name}\n({mean:.0f})".replace("-", "−")


STUDY = Study("transfer", "Does the learned policy hold where it was not trained?", run)
