"""Many agents on the same seeds, cell by cell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from mec_moe_agents.evaluation.cell import Cell, CellStore
from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.measures import steps_of
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.registry import find_agent
from mec_moe_env import DMoEConfig, OffloadingConfig


class Listener(Protocol):
    """Who wants to know how far the work is."""

    def found(self, agent: str) -> None:
        """A finished cell was read from the store."""

    def began(self, agent: str, steps: int) -> None:
        """A cell of `steps` environment steps begins."""

    def stepped(self, steps: int) -> None:
        """The cell made `steps` more."""

    def finished(self, agent: str, seconds: float) -> None:
        """The cell is done and stored."""


def compare(
    config: OffloadingConfig | DMoEConfig,
    agents: Sequence[str],
    seeds: Sequence[int],
    store: CellStore,
    code: str,
    listener: Listener,
    *,
    fresh: bool = False,
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

    Raises:
        ValueError: an agent is unknown.
        OSError: a finished cell cannot be stored.
    """
    for agent in agents:
        find_agent(agent, config)
    results = {}
    for agent in agents:
        cell = Cell(config, agent, {}, tuple(seeds), code)
        stored = None if fresh else store.load(cell)
        if stored is not None:
            listener.found(agent)
            results[agent] = stored
            continue
        listener.began(agent, len(seeds) * steps_of(config))
        begin = time.perf_counter()
        results[agent] = evaluate(agent, config, seeds, on_step=listener.stepped)
        store.save(cell, results[agent])
        listener.finished(agent, time.perf_counter() - begin)
    return results
