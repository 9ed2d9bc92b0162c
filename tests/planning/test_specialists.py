"""Servers that serve one type each: the dynamic programme against every schedule there is."""

import itertools

import numpy as np
import pytest
from mec_moe_agents.planning.problem import make_problem
from mec_moe_agents.planning.specialists import assign_specialists
from mec_moe_agents.planning.type_schedule import (
    Market,
    Room,
    aged_states,
    assign_type,
    type_value,
)

from mec_moe_env import OFFLOADING_PRESETS, foresight
from mec_moe_env.core.kernels import kernel

LONGEST, TASKS, SERVERS = 3, 5, 2


def draw_market(rng: np.random.Generator) -> Market:
    """Return a market of one type, some tasks in the same slot."""
    value = rng.uniform(-1.0, 3.0, (TASKS, SERVERS))
    value[rng.random(value.shape) < 0.1] = -np.inf
    return Market(
        by_type=np.arange(TASKS),
        first=np.array([0, TASKS]),
        slot=np.sort(rng.integers(0, 6, TASKS)),
        value=value,
        slots=rng.integers(1, LONGEST + 1, (TASKS, SERVERS)),
        ageing=aged_states(LONGEST, SERVERS),
        most=SERVERS,
    )


def gain_of(market: Market, owner: tuple[int, ...]) -> float:
    """Return what a schedule gains, −inf if a server would do two things at once."""
    idle, gain = np.zeros(SERVERS, np.int64), 0.0
    for task, m in enumerate(owner):
        if m >= 0:
            if market.slot[task] < idle[m]:
                return -np.inf
            idle[m] = market.slot[task] + market.slots[task, m]
            gain += market.value[task, m]
    return gain


@kernel
def owners_of(market: Market, room: Room) -> None:
    assign_type(market, room, 0)


@pytest.mark.parametrize("seed", range(40))
def test_the_programme_finds_the_best_schedule(seed: int) -> None:
    market = draw_market(np.random.default_rng(seed))
    states = (LONGEST + 1) ** SERVERS
    room = Room(
        best=np.empty((2, states)),
        choice=np.empty((TASKS, states), np.int8),
        team=np.empty(SERVERS, np.int64),
        owner=np.full(TASKS, -1),
    )
    schedules = itertools.product((-1, 0, 1), repeat=TASKS)
    best = max(gain_of(market, owner) for owner in schedules)
    assert type_value(market, room, np.zeros(SERVERS, np.int64), 0) == pytest.approx(best)
    owners_of(market, room)
    assert gain_of(market, tuple(room.owner.tolist())) == pytest.approx(best)


def test_states_count_the_slots_that_are_left() -> None:
    """With slots of at most 2 the state 5 = 2 + 1·3 says: the first is busy for 2, the other 1."""
    assert aged_states(2, 2)[:, 5].tolist() == [5, 1, 0]


def test_nobody_serves_two_types_or_two_tasks_at_once() -> None:
    config = OFFLOADING_PRESETS["joint"].override(horizon=30)
    problem = make_problem(config, foresight(config, 0))
    instance, owner = problem.instance, assign_specialists(problem)
    assert (owner >= 0).mean() > 0.5
    for m in range(config.num_servers):
        mine = np.flatnonzero(owner == m)
        assert np.unique(instance.types[mine]).size <= 1
        ends = instance.slot[mine] + instance.slots[mine, m]
        assert (instance.slot[mine][1:] >= ends[:-1]).all()


def test_trainings_too_long_for_the_programme_are_left_to_the_annealing() -> None:
    config = OFFLOADING_PRESETS["default"].override(horizon=5, max_delay=5000, slot_seconds=1e-4)
    problem = make_problem(config, foresight(config, 0))
    assert problem.instance.slots.max() > 1500
    assert (assign_specialists(problem) == -1).all()
