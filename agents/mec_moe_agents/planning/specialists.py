"""Which server should specialise in which task type, if each served its own type alone (ours).

Types then touch each other only through the servers that they have. What a type makes of given
servers is exact (`type_schedule`); who gets which server is found by annealing.
"""

from __future__ import annotations

import math

import numpy as np

from mec_moe_agents.planning.problem import Problem, train_on
from mec_moe_agents.planning.type_schedule import (
    Market,
    Room,
    aged_states,
    assign_type,
    type_value,
)
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import kernel
from mec_moe_env.core.rng import Streams, next_uniform
from mec_moe_env.experts import model_error

MOST_STATES = 1500
"""Bounds how many servers of one type are scheduled together."""
TRIALS_PER_SERVER = 150
STARTS = 2
SWAPS = 0.6
"""Share of the trials in which two servers change places; in the others one gets a new type."""
HOT, COLD = 0.8, 0.03
"""Temperatures of the annealing at its beginning and end, in rejected tasks of mean error."""
FIRST_KEY = 0x6D6563


def assign_specialists(problem: Problem) -> Integers:
    """Return who serves each task, (n,), −1 for nobody, when every server serves one type."""
    instance = problem.instance
    n, servers = instance.slots.shape
    longest = int(instance.slots.max())
    most = min(int(math.log(MOST_STATES) / math.log(longest + 1)), servers)
    if most == 0:
        return np.full(n, -1)
    saved = np.empty(n)
    write_savings(problem, saved)
    market = Market(
        by_type=problem.by_type,
        first=problem.first,
        slot=instance.slot,
        value=np.where(instance.served, saved[:, np.newaxis] - instance.price, -np.inf),
        slots=instance.slots,
        ageing=aged_states(longest, most),
        most=most,
    )
    states = (longest + 1) ** most
    room = Room(
        best=np.empty((2, states)),
        choice=np.empty((np.diff(problem.first).max(), states), np.int8),
        team=np.empty(servers, np.int64),
        owner=np.full(n, -1),
    )
    unit = max(float(saved.mean()), 1e-12)
    found = [_anneal(market, room, unit, start) for start in range(STARTS)]
    return max(found, key=lambda pair: pair[0])[1]


@kernel
def write_savings(problem: Problem, out: Floats) -> None:
    """Write what serving each task saves, its error by the model that met all of its type."""
    instance = problem.instance
    k, d = instance.features.shape[1:]
    model, work = np.empty(d), np.empty((2 * k + 2, k))
    for a in range(problem.first.shape[0] - 1):
        model[:] = 0.0
        for place in range(problem.first[a], problem.first[a + 1]):
            train_on(problem, problem.by_type[place], model, work)
        for place in range(problem.first[a], problem.first[a + 1]):
            task = problem.by_type[place]
            constant, linear = instance.constant[task], instance.linear[task]
            error = model_error(model, instance.params.quadratic[a], linear, constant)
            out[task] = instance.params.weights[0] * (constant - error)


def _anneal(market: Market, room: Room, unit: float, start: int) -> tuple[float, Integers]:
    servers = market.slots.shape[1]
    labels = np.empty(servers, np.int64)
    streams = np.array([FIRST_KEY + start], np.uint64)
    trials = TRIALS_PER_SERVER * servers
    value = anneal_labels(market, room, streams, trials, HOT * unit, COLD * unit, labels)
    return value, room.owner.copy()


@kernel
def anneal_labels(
    market: Market,
    room: Room,
    streams: Streams,
    trials: int,
    hot: float,
    cold: float,
    labels: Integers,
) -> float:
    """Write each server's type, (M,), N for none, and who serves each task; return the value."""
    M, N = labels.shape[0], market.first.shape[0] - 1
    for m in range(M):
        labels[m] = m % N if m < N * market.most else N
    worth = np.zeros(N + 1)
    for a in range(N):
        worth[a] = type_value(market, room, labels, a)
    value = worth.sum()
    best, kept = value, labels.copy()
    for trial in range(trials):
        m, other = int(next_uniform(streams, 0) * M), int(next_uniform(streams, 0) * M)
        a, b, theirs = labels[m], labels[other], labels[other]
        if next_uniform(streams, 0) < SWAPS:
            theirs = a
        else:
            b = int(next_uniform(streams, 0) * (N + 1))
        if a == b:
            continue
        kept_theirs = labels[other]
        labels[other], labels[m] = theirs, b
        new_a, new_b = type_value(market, room, labels, a), type_value(market, room, labels, b)
        change = new_a + new_b - worth[a] - worth[b]
        temperature = hot * (cold / hot) ** (trial / trials)
        if change < 0 and next_uniform(streams, 0) >= math.exp(change / temperature):
            labels[other], labels[m] = kept_theirs, a
            continue
        worth[a], worth[b] = new_a, new_b
        value += change
        if value > best:
            best = value
            kept[:] = labels
    labels[:] = kept
    write_owners(market, room, labels)
    return float(best)


@kernel
def write_owners(market: Market, room: Room, labels: Integers) -> None:
    """Write who serves each task, given each server's type."""
    room.owner[:] = -1
    for a in range(market.first.shape[0] - 1):
        type_value(market, room, labels, a)
        assign_type(market, room, a)
