"""Certified bounds on the return of some seeds: shipped, computed, or why there are none."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mec_moe_agents.bounds.certify import certified_bound
from mec_moe_agents.evaluation.comparison import Listener
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.evaluation.store import Cell, CellStore
from mec_moe_agents.executors import Executor, completed
from mec_moe_agents.suite import shipped_bounds
from mec_moe_env import DMoEConfig
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats

BOUND = "certified bound"
"""How tables, pictures and the progress call it."""
SHIPPED, CERTIFIED = "shipped", "certified"
UNASKED = "no bound is shipped for these seeds; compare, rank and replay compute it with --certify"
VALUE = "bound"


@dataclass(frozen=True, eq=False)
class Bounds:
    """Certified bounds on the return, which no policy exceeds, a clairvoyant one neither."""

    values: Floats | None
    """(n,), one per seed; None where none is known."""
    source: str
    """`shipped` with the suite or `certified` here; without values, why there are none."""


UNKNOWN = Bounds(None, UNASKED)


def will_certify(config: Config, seeds: Sequence[int], *, certify: bool) -> bool:
    """Tell whether `find_bounds` computes anything: where none is shipped, and it is asked to.

    DMoE's bounds take milliseconds and need not be asked for.
    """
    return _is_wanted(config, certify) and shipped_bounds(config, seeds) is None


def _is_wanted(config: Config, certify: bool) -> bool:
    return certify or isinstance(config, DMoEConfig)


def find_bounds(
    config: Config,
    seeds: Sequence[int],
    store: CellStore,
    code: str,
    listener: Listener,
    *,
    certify: bool,
    fresh: bool = False,
    executor: Executor | None = None,
    scenario: str = "",
) -> Bounds:
    """Look the bounds of some seeds up, or compute them; what was computed before is found.

    Args:
        config: the scenario.
        seeds: of the episodes.
        store: where every seed's bound is kept; an interrupted certification goes on from there.
        code: identity of the code; bounds of other code are not found.
        listener: told about the progress, seed by seed.
        certify: compute what is not shipped.
        fresh: compute again what was computed before.
        executor: certifies seeds at the same time; the bounds do not depend on it.
        scenario: named to the listener where there are several.
    """
    shipped = shipped_bounds(config, seeds)
    if shipped is not None:
        return Bounds(shipped, SHIPPED)
    if not _is_wanted(config, certify):
        return UNKNOWN
    name = f"{scenario} {BOUND}".lstrip()
    cells = {seed: Cell(config, "certified-bound", (seed,), code) for seed in seeds}
    values = {} if fresh else _stored(cells, store)
    missing = [cell for seed, cell in cells.items() if seed not in values]
    if not missing:
        listener.found(name)
    else:
        begin, why_not = time.perf_counter(), ""
        listener.began(name, len(missing))
        try:
            for seed, value in _certify(missing, store, executor):
                values[seed] = value
                listener.stepped(1)
        except ValueError as error:
            why_not = f"nothing is proved here ({error})"
        listener.finished(name, time.perf_counter() - begin)
        if why_not:
            return Bounds(None, why_not)
    return Bounds(np.array([values[seed] for seed in seeds]), CERTIFIED)


def find_all_bounds(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    store: CellStore,
    code: str,
    listener: Listener,
    *,
    certify: bool,
    executor: Executor | None = None,
) -> Mapping[str, Bounds]:
    """Do as `find_bounds` in each scenario: bounds by its name."""
    found = {}
    for each in scenarios:
        found[each.name] = find_bounds(
            each.config,
            seeds,
            store,
            code,
            listener,
            certify=certify,
            executor=executor,
            scenario=each.name,
        )
    return found


def _stored(cells: Mapping[int, Cell], store: CellStore) -> dict[int, float]:
    found = {seed: store.load(cell) for seed, cell in cells.items()}
    return {seed: float(kept.metrics[VALUE][0]) for seed, kept in found.items() if kept}


def _certify(
    cells: Sequence[Cell], store: CellStore, executor: Executor | None
) -> Iterator[tuple[int, float]]:
    """Certify one seed after the other, or some at the same time, and store each bound.

    Raises:
        ValueError: nothing is proved for the configuration.
    """
    calls = {at: partial(certified_bound, cell.config, cell.seeds) for at, cell in enumerate(cells)}
    for at, values, _ in completed(calls, executor):
        cell = cells[at]
        store.save(cell, Episodes(np.array(cell.seeds), {VALUE: values}, np.empty((1, 0))))
        yield cell.seeds[0], float(values[0])
