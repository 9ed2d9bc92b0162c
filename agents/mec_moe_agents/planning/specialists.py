"""Which server should specialise in which task type, if each served its own type alone (ours).

Types then touch each other only through the servers that they have. What a type makes of given
servers is an interval scheduling problem on unrelated machines, exact by dynamic programming over
the slots for which each of them is still busy; who gets which server is found by annealing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.planning.problem import Problem, train_on
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device, kernel
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


class Market(NamedTuple):
    """What servers are worth to types."""

    by_type: Integers
    """The tasks by type, then by slot, (n,)."""
    first: Integers
    """Where each type begins in `by_type`, (N + 1,)."""
    slot: Integers
    """(n,)."""
    value: Floats
    """(n, M), gain over a rejection of a task served by a specialist."""
    slots: Integers
    """(n, M), for which it keeps the server busy."""
    ageing: Integers
    """The state after g slots, (longest + 1, states): see `aged_states`."""
    most: int
    """Most servers of a type."""


class Room(NamedTuple):
    """Where the dynamic programme works."""

    best: Floats
    """Value of the present task and the next by state, (2, states)."""
    choice: NDArray[np.int8]
    """Who serves each of the type's tasks in each state, −1 for nobody, (most tasks, states)."""
    team: Integers
    """The type's servers, (M,)."""
    owner: Integers
    """Who serves each task in the end, −1 for nobody, (n,)."""


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


def aged_states(longest: int, most: int) -> Integers:
    """Return each state after g = 0, …, longest slots, (longest + 1, (longest + 1)^most).

    Digit z of a state, to the base longest + 1, counts the slots that server z is still busy.
    """
    base = longest + 1
    digits = np.arange(base**most)[:, np.newaxis] // base ** np.arange(most) % base
    aged = np.maximum(digits - np.arange(base)[:, np.newaxis, np.newaxis], 0)
    return np.asarray(aged @ base ** np.arange(most), np.int64)


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


@kernel
def type_value(market: Market, room: Room, labels: Integers, a: int) -> float:
    """Return what type a's tasks gain at the servers with its label; fill `room.choice`.

    −inf with more servers than fit. The programme runs backwards over the type's tasks: in each
    state a task is left out, or starts on a server that is not busy.
    """
    if a == market.first.shape[0] - 1:
        return 0.0
    size = 0
    for m in range(labels.shape[0]):
        if labels[m] == a:
            room.team[size] = m
            size += 1
    if size > market.most:
        return -np.inf
    base, last = market.ageing.shape[0], market.first[a + 1] - 1
    states = base**size
    room.best[(last + 1) & 1, :states] = 0.0
    for place in range(last, market.first[a] - 1, -1):
        aged = market.ageing[gap_after(market, place, last)]
        solve_task(market, room, place, size, states, aged, place - market.first[a])
    return float(room.best[market.first[a] & 1, 0])


@device
def gap_after(market: Market, place: int, last: int) -> int:
    """Return the slots from a task to the type's next one, at most what any training takes."""
    longest = market.ageing.shape[0] - 1
    if place == last:
        return int(longest)
    gap = market.slot[market.by_type[place + 1]] - market.slot[market.by_type[place]]
    return int(min(gap, longest))


@device
def solve_task(
    market: Market, room: Room, place: int, size: int, states: int, aged: Integers, row: int
) -> None:
    """Write the best choice for one task in every state."""
    task, base = market.by_type[place], market.ageing.shape[0]
    here, after = place & 1, (place + 1) & 1
    for state in range(states):
        best, choice = room.best[after, aged[state]], -1
        rest, unit = state, 1
        for z in range(size):
            m = room.team[z]
            if rest % base == 0 and market.value[task, m] > 0.0:
                then = aged[state + unit * market.slots[task, m]]
                value = market.value[task, m] + room.best[after, then]
                if value > best:
                    best, choice = value, z
            rest //= base
            unit *= base
        room.best[here, state] = best
        room.choice[row, state] = choice


@device
def assign_type(market: Market, room: Room, a: int) -> None:
    """Follow the choices of the programme that was solved last, of type a, into `room.owner`."""
    base, last = market.ageing.shape[0], market.first[a + 1] - 1
    state = 0
    for place in range(market.first[a], last + 1):
        task = market.by_type[place]
        z = room.choice[place - market.first[a], state]
        if z >= 0:
            room.owner[task] = room.team[z]
            state += base**z * market.slots[task, room.team[z]]
        state = market.ageing[gap_after(market, place, last), state]
