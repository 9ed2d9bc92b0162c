"""The best schedule of one type's tasks at given servers, exact by dynamic programming.

Interval scheduling on unrelated machines: a state says for how many slots each server is busy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device, kernel


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


def aged_states(longest: int, most: int) -> Integers:
    """Return each state after g = 0, …, longest slots, (longest + 1, (longest + 1)^most).

    Digit z of a state, to the base longest + 1, counts the slots that server z is still busy.
    """
    base = longest + 1
    digits = np.arange(base**most)[:, np.newaxis] // base ** np.arange(most) % base
    aged = np.maximum(digits - np.arange(base)[:, np.newaxis, np.newaxis], 0)
    return np.asarray(aged @ base ** np.arange(most), np.int64)


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
