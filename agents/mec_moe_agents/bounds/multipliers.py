"""Prices λ_τ ≥ 0 on tasks that several servers want, improved over a few labels, compiled.

With every task at most once relaxed, Σλ + Σ_m (most that m is worth under λ) bounds what all
servers together are worth, for any λ ≥ 0 (weak duality). Here only labels collected so far are
looked at: that guides λ, and certifies nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.schedule import best_schedule, best_value
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel

DEFLECTION = 0.7
"""Weight of the newest subgradient in the direction of descent."""
PATIENCE = 6
"""Iterations without progress after which the aim is brought nearer."""


class Collected(NamedTuple):
    """Labels that were the best of a server at some λ, W of them."""

    server: Integers
    """(W,)."""
    last: Integers
    """(W,), ℓ."""
    costs: Floats
    """(W, n)."""


@device
def relaxed_value(
    instance: Instance,
    collected: Collected,
    multipliers: Floats,
    best: Floats,
    worth: Floats,
    choice: Integers,
) -> float:
    """Return Σλ + Σ_m worth over the labels; write each server's worth and label, −1: none."""
    for m in range(worth.shape[0]):
        worth[m], choice[m] = 0.0, -1
    for row in range(collected.server.shape[0]):
        m = collected.server[row]
        costs, last = collected.costs[row], collected.last[row]
        value = best_value(instance, costs, multipliers, m, last, best)
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
    instance: Instance,
    collected: Collected,
    multipliers: Floats,
    choice: Integers,
    best: Floats,
    chosen: Flags,
    slope: Floats,
) -> None:
    """Write 1 − how many servers take each task, a subgradient."""
    for i in range(slope.shape[0]):
        slope[i] = 1.0
    for m in range(choice.shape[0]):
        row = choice[m]
        if row < 0:
            continue
        for i in range(slope.shape[0]):
            chosen[i] = False
        costs, last = collected.costs[row], collected.last[row]
        best_schedule(instance, costs, multipliers, m, last, best, chosen)
        for i in range(slope.shape[0]):
            if chosen[i]:
                slope[i] -= 1.0


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
    instance: Instance, collected: Collected, start: Floats, aim: float, iterations: int
) -> tuple[Floats, float]:
    """Return better multipliers than `start` for the labels collected, and the next aim.

    A subgradient method with Polyak's step towards the best value so far less `aim`.
    """
    n, M = start.shape[0], instance.price.shape[1]
    best, worth = np.empty(instance.params.horizon + 1), np.empty(M)
    choice, chosen = np.empty(M, np.int64), np.empty(n, np.bool_)
    multipliers, kept = start.copy(), start.copy()
    slope, direction = np.empty(n), np.zeros(n)
    least, waited = np.inf, 0
    for _ in range(iterations):
        value = relaxed_value(instance, collected, multipliers, best, worth, choice)
        waited += 1
        if value < least:
            if value < least - 0.1 * aim:
                waited = 0
            least = value
            kept[:] = multipliers
        if waited > PATIENCE:
            aim, waited = 0.5 * aim, 0
            multipliers[:] = kept
            direction[:] = 0.0
            relaxed_value(instance, collected, multipliers, best, worth, choice)
            value = least
        write_usage(instance, collected, multipliers, choice, best, chosen, slope)
        move(multipliers, slope, direction, value - least + aim)
    return kept, aim


@kernel
def worths(instance: Instance, collected: Collected, multipliers: Floats) -> Floats:
    """Return what every server is worth over the labels collected, (M,)."""
    M = instance.price.shape[1]
    worth, choice = np.empty(M), np.empty(M, np.int64)
    best = np.empty(instance.params.horizon + 1)
    relaxed_value(instance, collected, multipliers, best, worth, choice)
    return worth
