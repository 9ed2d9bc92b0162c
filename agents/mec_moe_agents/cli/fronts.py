"""What `mec-moe pareto` runs and prints where the terms of the reward are weighted otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from mec_moe_agents.cli.options import tell
from mec_moe_agents.evaluation.columns import Column
from mec_moe_agents.evaluation.comparison import Listener, compare
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.evaluation.store import CellStore
from mec_moe_agents.evaluation.tables import plain_table
from mec_moe_agents.reproduce import Answer
from mec_moe_agents.reproduce.fronts import ALL, Mix, Trades, by_volume, headlines, sweep
from mec_moe_agents.reproduce.fronts_figure import draw
from mec_moe_env import OffloadingConfig
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats
from mec_moe_env.multiobjective import MODMoEEnv, MOOffloadingEnv

VOLUME = Column("", 3)


def answer(
    scenario: Scenario,
    seeds: Sequence[int],
    steps: int,
    reference: Sequence[float] | None,
    folder: Path,
    provenance: Provenance,
) -> Answer:
    """Sweep the weights, print the hypervolumes, and return rows, picture and figures.

    What is finished is kept in the folder, and found by the same command.
    """
    run = partial(_run, scenario, seeds, CellStore(folder / "cells"), provenance.identity)
    exact = exact_front(scenario.config)
    trades = sweep(
        scenario.config, scenario.agents, seeds, steps, run, reference=reference, exact=exact
    )
    title = f"{scenario.summary}, {len(seeds)} seeds"
    _print(trades, title)
    return Answer(trades.rows, draw(trades, title), headlines(trades))


def _run(
    scenario: Scenario,
    seeds: Sequence[int],
    store: CellStore,
    code: str,
    mix: Mix,
    agents: Sequence[str],
) -> Mapping[str, Episodes]:
    tell(f"weights {mix.name}: {', '.join(agents)}")
    trust = scenario.trust_zip
    return compare(mix.config, agents, seeds, store, code, Listener(), trust_zip=trust)


def exact_front(config: Config) -> Sequence[Floats] | None:
    """Return the vectors that no episode dominates, where they are known."""
    kind: Any = MOOffloadingEnv if isinstance(config, OffloadingConfig) else MODMoEEnv
    try:
        front: Sequence[Floats] = kind(config).pareto_front()
    except ValueError:  # of scenarios that are no toy, or too long
        return None
    return front


def _print(trades: Trades, title: str) -> None:
    """Print every hypervolume, the best contender bold."""
    table = plain_table()
    table.add_column("Scheduler", no_wrap=True)
    for heading in ("Hypervolume", f"Behind {trades.best}", "On the front"):
        table.add_column(heading, justify="right", no_wrap=True)
    reached = {each.agent: each for each in trades.reached}
    for name in by_volume(trades):
        points = trades.front if name == ALL else reached[name].means
        counts = name == ALL or reached[name].contender
        on_front = sum(trades.on_front(point) for point in points)
        table.add_row(
            name if counts else f"{name} (reference)",
            "\n".join(VOLUME.cell(trades.volume(name))),
            "" if name in (ALL, trades.best) else "\n".join(VOLUME.cell(trades.behind(name))),
            f"{on_front} of {len(points)}" if counts else "",
            style="bold green" if name == trades.best else "",
        )
    at = ", ".join(
        f"{term.removeprefix('reward_')} {value:.5g}"
        for term, value in zip(trades.terms, trades.reference, strict=True)
    )
    console = Console(highlight=False, markup=False)
    console.print(f"\n{title}: share of the box above the reference point ({at})\n")
    console.print(table)
    console.print()
