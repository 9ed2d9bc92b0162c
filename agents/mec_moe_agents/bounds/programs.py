"""The most valuable programme of one server over all its labels, compiled.

A label names the last training ℓ that the server completes (or −1: not named) and the cell of its
final model. It makes the costs of tasks known from below and separable, so that what the server is
worth under it is an interval scheduling problem; what it is worth at all is at most the largest of
these. Most labels are never solved: a cheap problem for all ℓ of a type at once bounds them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.anchors import Anchors, hidden_radius, known_part
from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.schedule import (
    best_value,
    completes,
    forced_value,
    last_pending,
    task_value,
)
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel


class Label(NamedTuple):
    """What a server's programme assumes of its final model."""

    last: int
    """ℓ, −1 where it is not named."""
    nearest: int
    """a, the type nearest to the final model; −1 where no label is worth more than nothing."""
    ring: int


@device
def write_parts(
    instance: Instance, cells: Cells, anchors: Anchors, last: int, known: Floats, radius: Floats
) -> None:
    """Write what ℓ tells of every task, (n,): f_τ + |p_ℓ − P_ℓw_τ|², and the radius left."""
    for i in range(known.shape[0]):
        known[i] = cells.floor[i]
        radius[i] = cells.radius[i]
        if last >= 0:
            known[i] += known_part(anchors.basis, anchors.position, last, cells.truth[i])
            n = instance.types[i]
            radius[i] = hidden_radius(cells, anchors.basis, last, i, n)


@device
def write_costs(
    instance: Instance,
    cells: Cells,
    anchors: Anchors,
    last: int,
    a: int,
    ring: int,
    known: Floats,
    radius: Floats,
    costs: Floats,
) -> None:
    """Write the least error of every task, (n,), if the final model lies in a cell."""
    for i in range(costs.shape[0]):
        n = instance.types[i]
        reach = cells.reach[a, ring, n]
        if last >= 0:
            between = anchors.between[last, a, n]
            reach = max(between - cells.edges[ring + 1], cells.edges[ring])
        hidden = max(reach - radius[i], 0.0)
        costs[i] = known[i] + hidden * hidden


@device
def write_common_costs(
    instance: Instance,
    cells: Cells,
    anchors: Anchors,
    trained: int,
    a: int,
    ring: int,
    costs: Floats,
) -> None:
    """Write costs that hold for every ℓ of type `trained`."""
    for i in range(costs.shape[0]):
        n = instance.types[i]
        between = anchors.least_between[trained, a, n]
        reach = max(between - cells.edges[ring + 1], cells.edges[ring])
        hidden = max(reach - cells.radius[i], 0.0)
        costs[i] = cells.floor[i] + anchors.least_known[trained, i] + hidden * hidden


@device
def fill_forward(
    instance: Instance, costs: Floats, multipliers: Floats, m: int, best: Floats
) -> None:
    """Write to `best`, (T + 1,), the most that tasks are worth that end by each slot."""
    U, T = instance.params.num_tasks, instance.params.horizon
    for t in range(T + 1):
        best[t] = 0.0
    for t in range(T):
        best[t + 1] = max(best[t + 1], best[t])
        for i in range(t * U, (t + 1) * U):
            after = t + instance.slots[i, m]
            if after <= T:
                value = task_value(instance, costs, multipliers, i, m) + best[t]
                best[after] = max(best[after], value)


@device
def write_ceilings(
    instance: Instance,
    cells: Cells,
    anchors: Anchors,
    multipliers: Floats,
    m: int,
    costs: Floats,
    best: Floats,
    ceilings: Floats,
) -> None:
    """Write bounds of every label of server m, (n, N, R), from the costs common to a type."""
    N, R = ceilings.shape[1:]
    for trained in range(N):
        for a in range(N):
            for ring in range(R):
                write_common_costs(instance, cells, anchors, trained, a, ring, costs)
                fill_forward(instance, costs, multipliers, m, best)
                pending = last_pending(instance, costs, multipliers, m, 0)
                rest = 0.0
                if pending >= 0:
                    rest = task_value(instance, costs, multipliers, pending, m)
                for last in range(ceilings.shape[0]):
                    if instance.types[last] == trained:
                        ceilings[last, a, ring] = -np.inf
                        if completes(instance, last, m):
                            own = forced_value(instance, costs, multipliers, last, m)
                            ceilings[last, a, ring] = best[instance.slot[last]] + own + rest


@kernel
def best_free_label(
    instance: Instance, cells: Cells, anchors: Anchors, multipliers: Floats, m: int
) -> tuple[float, Label]:
    """Return the most that server m is worth, and under which label; ℓ is not named."""
    n = multipliers.shape[0]
    N, R = cells.reach.shape[:2]
    known, radius, costs = np.empty(n), np.empty(n), np.empty(n)
    best = np.empty(instance.params.horizon + 1)
    most, label = 0.0, Label(-1, -1, -1)
    write_parts(instance, cells, anchors, -1, known, radius)
    for a in range(N):
        for ring in range(R):
            write_costs(instance, cells, anchors, -1, a, ring, known, radius, costs)
            value = best_value(instance, costs, multipliers, m, -1, best)
            if value > most:
                most, label = value, Label(-1, a, ring)
    return most, label


@kernel
def best_anchored_label(
    instance: Instance,
    cells: Cells,
    anchors: Anchors,
    multipliers: Floats,
    m: int,
    floor: float,
) -> tuple[float, Label]:
    """Return the most that server m is worth, and under which label, ℓ named.

    Labels whose bound is below `floor` need not be solved: a value ≥ `floor` is returned, with
    nearest = −1 if no label is worth more.
    """
    n = multipliers.shape[0]
    N, R = cells.reach.shape[:2]
    known, radius, costs = np.empty(n), np.empty(n), np.empty(n)
    best = np.empty(instance.params.horizon + 1)
    ceilings = np.empty((n, N, R))
    write_ceilings(instance, cells, anchors, multipliers, m, costs, best, ceilings)
    highest = np.empty(n)
    for last in range(n):
        highest[last] = ceilings[last].max()
    most, label = floor, Label(-1, -1, -1)
    while True:
        last = int(np.argmax(highest))
        if highest[last] <= most:
            return most, label
        highest[last] = -np.inf
        write_parts(instance, cells, anchors, last, known, radius)
        for a in range(N):
            for ring in range(R):
                if ceilings[last, a, ring] > most:
                    write_costs(instance, cells, anchors, last, a, ring, known, radius, costs)
                    value = best_value(instance, costs, multipliers, m, last, best)
                    if value > most:
                        most, label = value, Label(last, a, ring)


@kernel
def label_costs(instance: Instance, cells: Cells, anchors: Anchors, label: Label) -> Floats:
    """Return the least error of every task under a label, (n,)."""
    n = instance.types.shape[0]
    known, radius, costs = np.empty(n), np.empty(n), np.empty(n)
    last, a, ring = label
    write_parts(instance, cells, anchors, last, known, radius)
    write_costs(instance, cells, anchors, last, a, ring, known, radius, costs)
    return costs
