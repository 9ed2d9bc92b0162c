"""Each step of the bound's proof on its own: labels, schedules, multipliers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec_moe_agents.bounds.anchors import Parts
from mec_moe_agents.bounds.dual import EVERY_TRAINING, EVERY_TYPE
from mec_moe_agents.bounds.instance import Instance, make_instance
from mec_moe_agents.bounds.labels import medoid_cost, ring_cost
from mec_moe_agents.bounds.programs import best_label
from mec_moe_agents.bounds.relaxation import Relaxation, relax
from mec_moe_agents.bounds.schedule import (
    empty_programme,
    narrow_programme,
    schedule_value,
    write_programme,
)

from mec_moe_env import OffloadingConfig
from mec_moe_env.core.buffers import Floats
from tests.bounds.exhaustive import all_returns
from tests.bounds.test_certified_bound import small_config

PLAIN = OffloadingConfig(
    num_servers=2, horizon=8, num_types=3, feature_dim=4, samples_per_task=2, max_delay=3
)


def plain_parts(relaxation: Relaxation) -> Parts:
    """Return the parts of ℓ = −1."""
    cells = relaxation.cells
    nothing = np.zeros(cells.distance.shape[1])
    return Parts(nothing, cells.radius, cells.distance, np.empty((0, len(nothing))))


def excess(instance: Instance, relaxation: Relaxation, model: Floats) -> Floats:
    """Return by how much each task's error under a model is above its floor, A = I."""
    linear, constant = instance.linear, instance.constant
    return np.asarray(model @ model - 2.0 * linear @ model + constant - relaxation.cells.floor)


def model_of(relaxation: Relaxation, served: list[int], stray: float, seed: int) -> Floats:
    """Return the best model for the tasks served, moved by `stray` at random."""
    truth = relaxation.cells.truth[served].mean(axis=0)
    away = np.random.default_rng(seed).standard_normal(truth.shape)
    return np.asarray(truth + stray * away)


models = st.tuples(
    st.lists(st.integers(0, 7), min_size=1, max_size=6, unique=True),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.integers(0, 99),
)


@settings(max_examples=60, deadline=None)
@given(models)
def test_some_medoid_charges_no_more_than_the_errors(case: tuple[list[int], float, int]) -> None:
    served, stray, seed = case
    instance = make_instance(PLAIN, seed)
    relaxation = relax(instance)
    parts = plain_parts(relaxation)
    error = excess(instance, relaxation, model_of(relaxation, served, stray, seed))[served].sum()
    charged = [
        sum(medoid_cost(instance, relaxation.cells, parts, b, i) for i in served) for b in range(3)
    ]
    assert min(charged) <= error + 1e-9


def test_medoid_of_two_types_is_tight() -> None:
    instance = make_instance(PLAIN.override(type_jitter=0.0), 0)
    relaxation = relax(instance)
    i, j = 0, int(np.argmax(instance.types != instance.types[0]))
    middle = excess(instance, relaxation, model_of(relaxation, [i, j], 0.0, 0))[[i, j]].sum()
    parts, b = plain_parts(relaxation), int(instance.types[i])
    charged = medoid_cost(instance, relaxation.cells, parts, b, j)
    assert charged == pytest.approx(middle)


@settings(max_examples=60, deadline=None)
@given(models)
def test_the_cell_of_a_model_charges_no_task_more_than_its_error(
    case: tuple[list[int], float, int],
) -> None:
    served, stray, seed = case
    instance = make_instance(PLAIN.override(type_jitter=0.3), seed)
    relaxation = relax(instance)
    cells, model = relaxation.cells, model_of(relaxation, served, stray, seed)
    present = np.unique(instance.types)
    gaps = np.linalg.norm(cells.centre - model, axis=1)
    a = int(present[np.argmin(gaps[present])])
    ring = int(np.searchsorted(cells.edges, gaps[a], side="right")) - 1
    if ring < len(cells.edges) - 1:
        error = excess(instance, relaxation, model)
        for i in range(len(error)):
            charged = ring_cost(instance, cells, plain_parts(relaxation), a, ring, i)
            assert charged <= error[i] + 1e-9


def best_by_hand(instance: Instance, values: Floats, m: int, last: int, experts: int) -> float:
    """Return the most valuable set of disjoint intervals that fits, by trying all."""
    T, start, best = instance.horizon, instance.slot, -np.inf
    end = start + instance.slots[:, m]
    joules = instance.params.weights[1] * instance.joules[:, m]
    for size in range(len(values) + 1):
        for tasks in itertools.combinations(range(len(values)), size):
            by_start = sorted(tasks, key=lambda i: start[i])
            if any(end[i] > start[j] for i, j in itertools.pairwise(by_start)):
                continue
            completed = [i for i in by_start if end[i] <= T]
            if last >= 0 and (not completed or completed[-1] != last):
                continue
            total = sum(values[i] for i in tasks if i != last)
            if last >= 0:
                shares = [(values[last] + joules[last]) / e - joules[last] for e in (1, experts)]
                total += max(shares)
            best = max(best, total)
    return float(best)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 99), st.integers(-1, 7), st.booleans())
def test_programmes_are_worth_what_trying_all_plans_finds(
    seed: int, last: int, narrow: bool
) -> None:
    instance = make_instance(
        PLAIN.override(num_tasks=1 + seed % 2, horizon=8 - 4 * (seed % 2)), seed
    )
    servers, n = relax(instance).servers, len(instance.slot)
    values = np.random.default_rng(seed).standard_normal(n)
    if last >= 0 and servers.end[0, last] > instance.horizon:
        return
    programme = empty_programme(n, instance.horizon)
    write_programme(instance, servers, np.abs(values) if narrow else values, 0, last, programme)
    if narrow:
        narrow_programme(values, programme)
    first, count = programme.sizes
    worth = schedule_value(
        values[programme.task[:count]],
        programme.before,
        first,
        servers.joules[0, max(last, 0)],
        2,
        np.empty(n + 1),
    )
    assert worth == pytest.approx(best_by_hand(instance, values, 0, last, 2))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.lists(st.floats(0.0, 3.0), min_size=6, max_size=6))
def test_any_multipliers_certify(seed: int, prices: list[float]) -> None:
    config = small_config(seed)
    instance = make_instance(config, seed)
    relaxation, multipliers = relax(instance), np.array(prices[: len(instance.slot)])
    total = instance.rejection + float(multipliers.sum())
    for m in range(config.num_servers):
        worth, _ = best_label(relaxation, multipliers, m, 0.0, EVERY_TYPE, EVERY_TRAINING)
        total += worth
    assert all_returns(config, seed).max() <= total + 1e-9
