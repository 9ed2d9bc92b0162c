"""Many agents on the same seeds, cell by cell: what was done before is found, not run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from mec_moe_agents.evaluation.rollout import Episodes, episodes_of
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT, Scenario
from mec_moe_agents.evaluation.store import Cell, CellStore
from mec_moe_agents.executors import Executor, completed
from mec_moe_agents.registry import origin_of
from mec_moe_agents.suite import shipped_plans
from mec_moe_agents.suite.play import replay
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Actions


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
    trust_zip: bool = False,
    executor: Executor | None = None,
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
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.
        executor: carries out agents at the same time; the results do not depend on it.

    Raises:
        ValueError: an agent is unknown.
        OSError: the executor's workers are lost.
    """
    asked = [_Asked(agent, _cell(config, agent, seeds, code), trust_zip) for agent in agents]
    return _run(asked, store, listener, fresh=fresh, executor=executor)


def compare_everywhere(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    store: CellStore,
    code: str,
    listener: Listener,
    executor: Executor | None = None,
) -> Mapping[str, Mapping[str, Episodes]]:
    """Do as `compare` on each scenario with all its runners: episodes by scenario and agent.

    Raises:
        OSError: the executor's workers are lost.
    """
    asked = {
        (scenario.name, agent): _Asked(
            f"{scenario.name} {agent}",
            _cell(scenario.config, agent, seeds, code),
            scenario.trust_zip,
        )
        for scenario in scenarios
        for agent in scenario.runners
    }
    found = _run(list(asked.values()), store, listener, executor=executor)
    return {
        scenario.name: {
            agent: found[asked[scenario.name, agent].name] for agent in scenario.runners
        }
        for scenario in scenarios
    }


@dataclass(frozen=True)
class _Asked:
    name: str
    """For the listener; no other has it."""
    cell: Cell
    trust_zip: bool


def _cell(config: Config, agent: str, seeds: Sequence[int], code: str) -> Cell:
    return Cell(config, agent, tuple(seeds), code, origin_of(agent, config))


def _run(
    asked: Sequence[_Asked],
    store: CellStore,
    listener: Listener,
    *,
    fresh: bool = False,
    executor: Executor | None = None,
) -> Mapping[str, Episodes]:
    """Return the episodes by name, in the order in which they are asked for."""
    found: dict[str, Episodes] = {}
    waiting = {}
    for each in asked:
        cell = each.cell
        plans = shipped_plans(cell.config, cell.seeds) if cell.agent == CLAIRVOYANT else None
        # Plans are played in no time, and what was kept may be of those of another version.
        stored = None if fresh or plans is not None else store.load(cell)
        if stored is not None:
            listener.found(each.name)
            found[each.name] = stored
        elif executor is not None and plans is None:
            waiting[each.name] = each
        else:
            found[each.name] = _run_here(each, plans, store, listener)
    if executor is not None:
        calls = {name: partial(_evaluate, each) for name, each in waiting.items()}
        for name, episodes, seconds in completed(calls, executor):
            store.save(waiting[name].cell, episodes)
            found[name] = episodes
            listener.finished(name, seconds)
    return {each.name: found[each.name] for each in asked}


def _run_here(
    asked: _Asked, plans: Actions | None, store: CellStore, listener: Listener
) -> Episodes:
    """Play plans, or evaluate the agent and store its cell, step by step in view."""
    cell = asked.cell
    listener.began(asked.name, len(cell.seeds) * cell.config.steps)
    begin = time.perf_counter()
    if plans is None:
        episodes = _evaluate(asked, listener.stepped)
        store.save(cell, episodes)
    else:
        episodes = replay(plans, cell.config, cell.seeds).episodes
    listener.finished(asked.name, time.perf_counter() - begin)
    return episodes


def _evaluate(asked: _Asked, on_step: Callable[[int], None] | None = None) -> Episodes:
    cell = asked.cell
    return episodes_of(
        cell.agent, cell.config, cell.seeds, on_step=on_step, trust_zip=asked.trust_zip
    )
