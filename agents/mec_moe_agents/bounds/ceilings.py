"""What each label of a server is worth at most, without looking at each last training, compiled.

Costs that lie below those of every ℓ of a type bound all of them by one programme: prefixes of its
table are what can be had before each ℓ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.anchors import Anchors, Parts
from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.labels import mixed_cost
from mec_moe_agents.bounds.schedule import (
    Programme,
    Servers,
    fill,
    forced_value,
    schedule_value,
    write_programme,
)
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device


class Search(NamedTuple):
    """What the search over the labels of a server works on."""

    values: Floats
    """(n,), what each task is worth at its least error, its multiplier paid."""
    hopes: Floats
    """(N, n), what it is worth at most by each type of ℓ; one row if none is named."""
    hoped: Floats
    """(n,), what tasks of the programme are worth at most by ℓ itself."""
    parts: Parts
    programme: Programme
    costed: Floats
    """(n,), values of the programme's tasks under a label."""
    best: Floats
    """(n + 1,), of `fill`."""
    medoids: Floats
    """(N,), what ℓ is worth at most with each medoid."""
    of_medoids: Floats
    """(N, n), what each ℓ is worth at most with each medoid; (N, 1) and inf if none is named."""
    of_cells: Floats
    """(N, R, n), what each ℓ is worth at most in each cell; likewise."""


@device
def write_values(
    instance: Instance,
    cells: Cells,
    search: Search,
    parts: Parts,
    count: int,
    a: int,
    ring: int,
    b: int,
    weight: float,
) -> None:
    """Write what the first `count` tasks of the programme are worth under a label."""
    scale = instance.params.weights[0]
    for k in range(count):
        i = search.programme.task[k]
        cost = mixed_cost(instance, cells, parts, a, ring, b, weight, i)
        search.costed[k] = search.values[i] - scale * cost


@device
def label_value(
    instance: Instance,
    servers: Servers,
    cells: Cells,
    search: Search,
    m: int,
    last: int,
    a: int,
    ring: int,
    b: int,
    weight: float,
) -> float:
    """Return what the programme of ℓ is worth under a label."""
    first, count = search.programme.sizes
    write_values(instance, cells, search, search.parts, count, a, ring, b, weight)
    joules = servers.joules[m, max(last, 0)]
    experts = instance.params.max_experts
    costed, before = search.costed[:count], search.programme.before
    return float(schedule_value(costed, before, first, joules, experts, search.best))


@device
def write_ceiling(
    instance: Instance,
    servers: Servers,
    cells: Cells,
    search: Search,
    parts: Parts,
    m: int,
    trained: int,
    a: int,
    ring: int,
    b: int,
    weight: float,
    ceiling: Floats,
) -> None:
    """Raise each ℓ's `ceiling`, (n,), to what it is worth at most under costs of its type.

    The programme is that of ℓ = −1.
    """
    T, scale = instance.params.horizon, instance.params.weights[0]
    count = search.programme.sizes[0]
    write_values(instance, cells, search, parts, count, a, ring, b, weight)
    completed = search.programme.ended[T]
    fill(search.costed, search.programme.before, completed, search.best)
    pending = 0.0
    for k in range(completed, count):
        pending = max(pending, search.costed[k])
    for last in range(ceiling.shape[0]):
        if instance.types[last] == trained and servers.end[m, last] <= T:
            cost = mixed_cost(instance, cells, parts, a, ring, b, weight, last)
            own = search.values[last] - scale * cost
            own = forced_value(own, servers.joules[m, last], instance.params.max_experts)
            earlier = search.best[search.programme.ended[instance.slot[last]]]
            ceiling[last] = max(ceiling[last], earlier + own + pending)


@device
def write_ceilings(
    instance: Instance, servers: Servers, cells: Cells, anchors: Anchors, search: Search, m: int
) -> None:
    """Write what every ℓ is worth at most with each medoid and in each cell."""
    N, R = search.of_cells.shape[:2]
    search.of_medoids[:] = -np.inf
    search.of_cells[:] = -np.inf
    for trained in range(N):
        write_programme(instance, servers, search.hopes[trained], m, -1, search.programme)
        known, distance = anchors.least_known[trained], anchors.least_distance[trained]
        parts = Parts(known, cells.radius, distance, search.parts.along)
        for b in range(N):
            ceiling = search.of_medoids[b]
            write_ceiling(
                instance, servers, cells, search, parts, m, trained, 0, 0, b, 0.0, ceiling
            )
        for a in range(N):
            for ring in range(R):
                ceiling = search.of_cells[a, ring]
                write_ceiling(
                    instance, servers, cells, search, parts, m, trained, a, ring, 0, 1.0, ceiling
                )
