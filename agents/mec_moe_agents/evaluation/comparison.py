"""Many agents on the same seeds, cell by cell: what was done before is found, not run again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence

from mec_moe_agents.evaluation.rollout import Episodes, evaluate
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT, Scenario
from mec_moe_agents.evaluation.store import Cell, CellStore
from mec_moe_agents.registry import origin_of
from mec_moe_agents.suite import shipped_plans
from mec_moe_agents.suite.play import replay
from mec_moe_env.config import Config


class Listener:
    """Who wants to know how far the work is; what a subclass leaves out it does not hear."""

    def found(self, cell: str) -> None:
        """A finished cell was read from the store."""

    def began(self, cell: str, steps: int) -> None:
        """A cell of `steps` environment steps begins."""

    def stepped(self, steps: int) -> None:
        """The cell made `steps` more."""

    def finished(self, cell: str, seconds: float) -> None:
        """The cell is done and stored."""


def compare(
    config: Config,
    agents: Sequence[str],
    seeds: Sequence[int],
    store: CellStore,
    code: str,
    listener: Listener,
    *,
    fresh: bool = False,
    scenario: str = "",
    trust_zip: bool = False,
) -> Mapping[str, Episodes]:
    """Run every agent on every seed, or find that it was done before.

    Args:
        config: the scenario.
        agents: names, each at most once.
        seeds: the same for every agent, so that differences are paired.
        store: where finished cells are kept; an interrupted comparison goes on from there.
        code: identity of the code; cells of other code are not found.
        listener: told about the progress.
        fresh: compute every cell again.
        scenario: named to the listener before each agent, where there are several.
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.

    Raises:
        ValueError: an agent is unknown.
    """
    results = {}
    for agent in agents:
        cell, name = _cell(config, agent, seeds, code), f"{scenario} {agent}".lstrip()
        plans = shipped_plans(config, seeds) if agent == CLAIRVOYANT else None
        # Plans are played in no time, and what was kept may be of those of another version.
        stored = None if fresh or plans is not None else store.load(cell)
        if stored is not None:
            listener.found(name)
            results[agent] = stored
            continue
        listener.began(name, len(seeds) * config.steps)
        begin = time.perf_counter()
        if plans is None:
            results[agent] = evaluate(
                agent, config, seeds, on_step=listener.stepped, trust_zip=trust_zip
            )
            store.save(cell, results[agent])
        else:
            results[agent] = replay(plans, config, seeds).episodes
        listener.finished(name, time.perf_counter() - begin)
    return results


def _cell(config: Config, agent: str, seeds: Sequence[int], code: str) -> Cell:
    return Cell(config, agent, tuple(seeds), code, origin_of(agent, config))


def compare_everywhere(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    store: CellStore,
    code: str,
    listener: Listener,
    jobs: int = 1,
) -> Mapping[str, Mapping[str, Episodes]]:
    """Do as `compare` on each scenario with all its runners: episodes by scenario and agent.

    `jobs` cells run at the same time; the results do not depend on it.

    Raises:
        ImportError: more than one job, and joblib is not installed.
    """
    if jobs > 1:
        cells = {
            f"{scenario.name} {agent}": _cell(scenario.config, agent, seeds, code)
            for scenario in scenarios
            for agent in scenario.runners
        }
        trust_zip = any(scenario.trust_zip for scenario in scenarios)
        _run_in_processes(cells, store, listener, jobs, trust_zip)
        listener = Listener()
    found = {}
    for scenario in scenarios:
        agents, name = scenario.runners, scenario.name
        found[name] = compare(
            scenario.config,
            agents,
            seeds,
            store,
            code,
            listener,
            scenario=name,
            trust_zip=scenario.trust_zip,
        )
    return found


def _run_in_processes(
    cells: Mapping[str, Cell], store: CellStore, listener: Listener, jobs: int, trust_zip: bool
) -> None:
    """Store what is missing, each cell in a process of its own."""
    from joblib import Parallel, delayed

    missing = []
    for name, cell in cells.items():
        if store.load(cell) is None:
            missing.append(delayed(_run_cell)(name, cell, store, os.getpid(), trust_zip))
        else:
            listener.found(name)
    for name, seconds in Parallel(n_jobs=jobs, return_as="generator_unordered")(missing):
        listener.finished(name, seconds)


def _run_cell(
    name: str, cell: Cell, store: CellStore, parent: int, trust_zip: bool
) -> tuple[str, float]:
    if os.getpid() != parent:
        # A terminal interrupts all its processes: the parent reports that, and ends the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin = time.perf_counter()
    agents, seeds = [cell.agent], cell.seeds
    compare(cell.config, agents, seeds, store, cell.code, Listener(), trust_zip=trust_zip)
    return name, time.perf_counter() - begin
