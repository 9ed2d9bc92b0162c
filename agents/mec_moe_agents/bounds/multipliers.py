"""Prices λ_τ ≥ 0 on tasks that several servers want, improved over a few labels, compiled.

With every task at most once relaxed, Σλ + Σ_m (most that m is worth under λ) bounds what all
servers together are worth, for any λ ≥ 0 (weak duality). Here only labels collected so far are
looked at: that guides λ, and certifies nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.schedule import mark_schedule, schedule_value
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel

DEFLECTION = 0.7
"""Weight of the newest subgradient in the direction of descent."""
PATIENCE = 0.2
"""Share of the iterations after which, without progress, the aim is brought nearer."""


class Collected(NamedTuple):
    """Programmes that were a server's best at some λ, W of them, K tasks together."""

    server: Integers
    """(W,)."""
    joules: Floats
    """(W,), those of ℓ, weighed."""
    first: Integers
    """(W,), how many tasks come first in a programme."""
    begin: Integers
    """(W + 1,), where the tasks of each programme begin."""
    task: Integers
    """(K,)."""
    before: Integers
    """(K,)."""
    value: Floats
    """(K,), under the label, without multipliers."""


class Work(NamedTuple):
    """Scratch for the longest programme."""

    values: Floats
    best: Floats
    chosen: Flags


@device
def collected_value(
    collected: Collected, multipliers: Floats, experts: int, row: int, work: Work
) -> float:
    """Return what a programme is worth under λ."""
    begin, count = collected.begin[row], collected.begin[row + 1] - collected.begin[row]
    for k in range(count):
        price = multipliers[collected.task[begin + k]]
        work.values[k] = collected.value[begin + k] - price
    before, values = collected.before[begin : begin + count], work.values[:count]
    first, joules = collected.first[row], collected.joules[row]
    return float(schedule_value(values, before, first, joules, experts, work.best))


@device
def relaxed_value(
    collected: Collected,
    multipliers: Floats,
    experts: int,
    worth: Floats,
    choice: Integers,
    work: Work,
) -> float:
    """Return Σλ + Σ_m worth over the programmes; write each server's worth and best, −1: none."""
    for m in range(worth.shape[0]):
        worth[m], choice[m] = 0.0, -1
    for row in range(collected.server.shape[0]):
        m = collected.server[row]
        value = collected_value(collected, multipliers, experts, row, work)
        if value > worth[m]:
            worth[m], choice[m] = value, row
    total = 0.0
    for i in range(multipliers.shape[0]):
        total += multipliers[i]
    for m in range(worth.shape[0]):
        total += worth[m]
    return total


@device
def write_usage(
    collected: Collected,
    multipliers: Floats,
    experts: int,
    choice: Integers,
    slope: Floats,
    work: Work,
) -> None:
    """Write 1 − how many servers take each task, a subgradient."""
    for i in range(slope.shape[0]):
        slope[i] = 1.0
    for m in range(choice.shape[0]):
        row = choice[m]
        if row < 0:
            continue
        collected_value(collected, multipliers, experts, row, work)
        begin, count = collected.begin[row], collected.begin[row + 1] - collected.begin[row]
        before, chosen = collected.before[begin : begin + count], work.chosen
        first = collected.first[row]
        mark_schedule(work.values[:count], before, first, work.best, chosen)
        for k in range(count):
            if chosen[k]:
                slope[collected.task[begin + k]] -= 1.0


@device
def move(multipliers: Floats, slope: Floats, direction: Floats, distance: float) -> None:
    """Step down so far that a linear function would fall by `distance`, λ ≥ 0 kept."""
    squared = 0.0
    for i in range(slope.shape[0]):
        direction[i] = DEFLECTION * slope[i] + (1.0 - DEFLECTION) * direction[i]
        if multipliers[i] <= 0.0 and direction[i] > 0.0:
            direction[i] = 0.0
        squared += direction[i] * direction[i]
    if squared > 0.0:
        for i in range(slope.shape[0]):
            multipliers[i] = max(multipliers[i] - distance / squared * direction[i], 0.0)


@kernel
def improve(
    collected: Collected,
    start: Floats,
    num_servers: int,
    experts: int,
    aim: float,
    iterations: int,
) -> Floats:
    """Return better multipliers than `start` for the programmes collected.

    A subgradient method with Polyak's step towards the best value so far less `aim`.
    """
    n = start.shape[0]
    work = Work(np.empty(n), np.empty(n + 1), np.empty(n, np.bool_))
    worth, choice = np.empty(num_servers), np.empty(num_servers, np.int64)
    multipliers, kept = start.copy(), start.copy()
    slope, direction = np.empty(n), np.zeros(n)
    least, waited = np.inf, 0
    for _ in range(iterations):
        value = relaxed_value(collected, multipliers, experts, worth, choice, work)
        waited += 1
        if value < least:
            if value < least - 0.1 * aim:
                waited = 0
            least = value
            kept[:] = multipliers
        if waited > PATIENCE * iterations:
            aim, waited = 0.5 * aim, 0
            multipliers[:] = kept
            direction[:] = 0.0
            relaxed_value(collected, multipliers, experts, worth, choice, work)
            value = least
        write_usage(collected, multipliers, experts, choice, slope, work)
        move(multipliers, slope, direction, value - least + aim)
    return kept


@kernel
def collected_worths(
    collected: Collected, multipliers: Floats, num_servers: int, experts: int
) -> Floats:
    """Return the most that each server is worth over its programmes, (M,)."""
    n = multipliers.shape[0]
    work = Work(np.empty(n), np.empty(n + 1), np.empty(n, np.bool_))
    worth, choice = np.empty(num_servers), np.empty(num_servers, np.int64)
    relaxed_value(collected, multipliers, experts, worth, choice, work)
    return worth
