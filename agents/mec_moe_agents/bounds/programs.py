"""The most valuable programme of one server over all its labels, compiled.

Under a label (`labels`) tasks have separable costs, so that the server's best plan is an interval
scheduling problem; what it is worth at all is at most the largest value over all labels. A label
is worth no more than the least of the problems with its ring's costs, its medoid's, and their
mean. Most are never solved: problems with costs common to all ℓ of a type bound them.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.bounds.anchors import Anchors, Parts, write_parts
from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.labels import (
    Label,
    write_common_parts,
    write_mixed_costs,
    write_ring_costs,
)
from mec_moe_agents.bounds.schedule import (
    best_value,
    completes,
    forced_value,
    last_pending,
    task_value,
)
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel


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
def write_ceiling(
    instance: Instance,
    costs: Floats,
    multipliers: Floats,
    m: int,
    trained: int,
    best: Floats,
    ceiling: Floats,
) -> None:
    """Raise each ℓ's `ceiling`, (n,), to what it is worth at most under costs of its type."""
    fill_forward(instance, costs, multipliers, m, best)
    pending = last_pending(instance, costs, multipliers, m, 0)
    rest = 0.0
    if pending >= 0:
        rest = task_value(instance, costs, multipliers, pending, m)
    for last in range(ceiling.shape[0]):
        if instance.types[last] == trained and completes(instance, last, m):
            own = forced_value(instance, costs, multipliers, last, m)
            ceiling[last] = max(ceiling[last], best[instance.slot[last]] + own + rest)


@device
def write_ceilings(
    instance: Instance,
    cells: Cells,
    anchors: Anchors,
    multipliers: Floats,
    m: int,
    parts: Parts,
    costs: Floats,
    best: Floats,
    of_medoids: Floats,
    ceilings: Floats,
) -> None:
    """Write what every ℓ is worth at most: over all medoids, (n,), and in each cell, (N, R, n)."""
    N, R = ceilings.shape[:2]
    for last in range(of_medoids.shape[0]):
        of_medoids[last] = -np.inf
        for a in range(N):
            for ring in range(R):
                ceilings[a, ring, last] = -np.inf
    for trained in range(N):
        write_common_parts(cells, anchors, trained, parts)
        for b in range(N):
            write_mixed_costs(instance, cells, parts, 0, 0, b, 0.0, costs)
            write_ceiling(instance, costs, multipliers, m, trained, best, of_medoids)
        for a in range(N):
            for ring in range(R):
                write_ring_costs(instance, cells, parts, a, ring, costs)
                write_ceiling(instance, costs, multipliers, m, trained, best, ceilings[a, ring])


@device
def best_with_last(
    instance: Instance,
    cells: Cells,
    multipliers: Floats,
    m: int,
    last: int,
    parts: Parts,
    ceilings: Floats,
    costs: Floats,
    best: Floats,
    medoids: Floats,
    least: float,
) -> tuple[float, int, int, int, float]:
    """Return value, a, ring, b and weight of the best label of ℓ that is worth more than `least`.

    `parts` are those of ℓ, `ceilings`, (N, R, n), bound its cells; `medoids`, (N,), is scratch.
    """
    N, R = ceilings.shape[:2]
    most, nearest, at_ring, medoid, mixture = least, -1, -1, -1, 1.0
    euclidean = instance.params.quadratic.shape[1] == 0
    for b in range(N):
        medoids[b] = np.inf
        if euclidean:
            write_mixed_costs(instance, cells, parts, 0, 0, b, 0.0, costs)
            medoids[b] = best_value(instance, costs, multipliers, m, last, best)
    highest = medoids[0]
    for b in range(1, N):
        highest = max(highest, medoids[b])
    if highest <= least:
        return most, nearest, at_ring, medoid, mixture
    for a in range(N):
        for ring in range(R):
            if ceilings[a, ring, max(last, 0)] <= most:
                continue
            write_ring_costs(instance, cells, parts, a, ring, costs)
            in_ring = best_value(instance, costs, multipliers, m, last, best)
            for b in range(N if euclidean else 1):
                value, weight = in_ring, 1.0
                if medoids[b] < value:
                    value, weight = medoids[b], 0.0
                if value <= most:
                    continue
                if euclidean:
                    write_mixed_costs(instance, cells, parts, a, ring, b, 0.5, costs)
                    mixed = best_value(instance, costs, multipliers, m, last, best)
                    if mixed < value:
                        value, weight = mixed, 0.5
                if value > most:
                    most, nearest, at_ring, medoid, mixture = value, a, ring, b, weight
    return most, nearest, at_ring, medoid, mixture


@kernel
def best_label(
    instance: Instance, cells: Cells, anchors: Anchors, multipliers: Floats, m: int, hint: int
) -> tuple[float, Label]:
    """Return the most that server m is worth, and under which label; `hint` is an ℓ to begin with.

    A label with nearest = −1 says that none is worth more than nothing.
    """
    n, N = cells.distance.shape
    R = cells.edges.shape[0] - 1
    parts = Parts(np.empty(n), np.empty(n), np.empty((n, N)))
    costs, best, medoids = np.empty(n), np.empty(instance.params.horizon + 1), np.empty(N)
    named = anchors.basis.shape[0]
    ceilings, highest = np.full((N, R, max(named, 1)), np.inf), np.full(max(named, 1), np.inf)
    if named > 0:
        write_ceilings(
            instance, cells, anchors, multipliers, m, parts, costs, best, highest, ceilings
        )
        for last in range(n):
            highest[last] = min(highest[last], ceilings[:, :, last].max())
        if hint >= 0:
            highest[hint] = np.inf
    most, label = 0.0, Label(-1, -1, -1, -1, 1.0)
    while True:
        at = int(np.argmax(highest))
        if highest[at] <= most:
            return most, label
        highest[at] = -np.inf
        last = at if named > 0 else -1
        write_parts(instance, cells, anchors, last, parts)
        value, a, ring, b, weight = best_with_last(
            instance, cells, multipliers, m, last, parts, ceilings, costs, best, medoids, most
        )
        if a >= 0:
            most, label = value, Label(last, a, ring, b, weight)
