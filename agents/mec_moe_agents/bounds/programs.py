"""The most valuable programme of one server over all its labels, compiled.

Under a label (`labels`) tasks have separable costs, so that the server's best plan is an interval
scheduling problem; what it is worth at all is at most the largest value over all labels. A label
is worth no more than the least of the problems with its ring's costs, its medoid's, and their
mean. Most are never solved: problems with costs common to all ℓ of a type bound them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.anchors import (
    Anchors,
    Parts,
    write_distance,
    write_distances,
    write_known,
)
from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.labels import Label, mixed_cost
from mec_moe_agents.bounds.schedule import (
    Programme,
    Servers,
    fill,
    forced_value,
    narrow_programme,
    schedule_value,
    write_programme,
)
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel


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


@device
def highest_medoid(
    instance: Instance,
    servers: Servers,
    cells: Cells,
    anchors: Anchors,
    search: Search,
    m: int,
    last: int,
    least: float,
) -> float:
    """Write what ℓ is worth with each medoid, if more than `least`, and return the most."""
    N, highest = search.medoids.shape[0], -np.inf
    if instance.params.quadratic.shape[1] > 0:
        search.medoids[:] = np.inf
        return float(np.inf)
    tasks = search.programme.task[: search.programme.sizes[1]]
    for b in range(N):
        search.medoids[b] = search.of_medoids[b, max(last, 0)]
        if search.medoids[b] > least:
            write_distance(cells, anchors, last, b, tasks, search.parts)
            value = label_value(instance, servers, cells, search, m, last, 0, 0, b, 0.0)
            search.medoids[b] = min(value, search.medoids[b])
        highest = max(highest, search.medoids[b])
    return highest


@device
def best_with_last(
    instance: Instance,
    servers: Servers,
    cells: Cells,
    search: Search,
    m: int,
    last: int,
    least: float,
) -> tuple[float, int, int, int, float]:
    """Return value, a, ring, b and weight of the best label of ℓ that is worth more than `least`.

    Programme, parts and medoids are those of ℓ.
    """
    N, R = search.of_cells.shape[:2]
    most, nearest, at_ring, medoid, mixture = least, -1, -1, -1, 1.0
    euclidean = instance.params.quadratic.shape[1] == 0
    for a in range(N):
        for ring in range(R):
            if search.of_cells[a, ring, max(last, 0)] <= most:
                continue
            in_ring = label_value(instance, servers, cells, search, m, last, a, ring, 0, 1.0)
            for b in range(N if euclidean else 1):
                value, weight = in_ring, 1.0
                if search.medoids[b] < value:
                    value, weight = search.medoids[b], 0.0
                if value <= most:
                    continue
                if euclidean:
                    mixed = label_value(instance, servers, cells, search, m, last, a, ring, b, 0.5)
                    if mixed < value:
                        value, weight = mixed, 0.5
                if value > most:
                    most, nearest, at_ring, medoid, mixture = value, a, ring, b, weight
    return most, nearest, at_ring, medoid, mixture


@device
def prepare(
    instance: Instance,
    servers: Servers,
    cells: Cells,
    anchors: Anchors,
    search: Search,
    m: int,
    last: int,
) -> None:
    """Write the programme of ℓ, and what ℓ decides of its tasks' errors."""
    programme, parts, scale = search.programme, search.parts, instance.params.weights[0]
    hopes = search.hopes[instance.types[last] if last >= 0 else 0]
    write_programme(instance, servers, hopes, m, last, programme)
    tasks = programme.task[: programme.sizes[1]]
    write_known(cells, anchors, last, tasks, parts)
    for i in tasks:
        search.hoped[i] = search.values[i] - scale * parts.known[i]
    narrow_programme(search.hoped, programme)


@kernel
def best_label(
    instance: Instance,
    servers: Servers,
    cells: Cells,
    anchors: Anchors,
    multipliers: Floats,
    m: int,
    least: float,
    trained: int,
    tries: int,
) -> tuple[float, Label]:
    """Return the most that server m is worth, and under which label, if more than `least`.

    A label with nearest = −1 says that none is worth more. Only ℓ of type `trained` count, or all
    if it is −1, and only the `tries` of them that promise most: a guess, no certificate.
    """
    (N, n), T = cells.distance.shape, instance.params.horizon
    R, named = cells.edges.shape[0] - 1, anchors.basis.shape[0]
    values = servers.gain[m] - multipliers
    hopes = values.copy().reshape((1, n))
    if named > 0:
        hopes = values - instance.params.weights[0] * anchors.least_known
    search = Search(
        values,
        hopes,
        np.empty(n),
        Parts(np.empty(n), np.empty(n), np.empty((N, n)), np.empty((anchors.basis.shape[1], n))),
        Programme(
            np.empty(n, np.int64),
            np.empty(n, np.int64),
            np.empty(2, np.int64),
            np.empty(T + 1, np.int64),
            np.empty(n + 1, np.int64),
        ),
        np.empty(n),
        np.empty(n + 1),
        np.empty(N),
        np.full((N, max(named, 1)), np.inf),
        np.full((N, R, max(named, 1)), np.inf),
    )
    highest = np.full(max(named, 1), np.inf)
    if named > 0:
        write_ceilings(instance, servers, cells, anchors, search, m)
        for last in range(n):
            in_cells, of_medoids = search.of_cells[:, :, last], search.of_medoids[:, last]
            if trained < 0 or instance.types[last] == trained:
                highest[last] = min(in_cells.max(), of_medoids.max())
            else:
                highest[last] = -np.inf
    most, label = least, Label(-1, -1, -1, -1, 1.0)
    for _ in range(tries):
        at = int(np.argmax(highest))
        if highest[at] <= most:
            break
        highest[at] = -np.inf
        last = at if named > 0 else -1
        prepare(instance, servers, cells, anchors, search, m, last)
        if highest_medoid(instance, servers, cells, anchors, search, m, last, most) <= most:
            continue
        tasks = search.programme.task[: search.programme.sizes[1]]
        write_distances(instance, cells, anchors, last, tasks, search.parts)
        value, a, ring, b, weight = best_with_last(instance, servers, cells, search, m, last, most)
        if a >= 0:
            most, label = value, Label(last, a, ring, b, weight)
    return most, label


@kernel
def write_label_programme(
    instance: Instance,
    servers: Servers,
    cells: Cells,
    anchors: Anchors,
    m: int,
    label: Label,
    out: Programme,
    values: Floats,
) -> None:
    """Write server m's programme under a label without multipliers, and its tasks' values, (n,)."""
    (N, n), k = cells.distance.shape, anchors.basis.shape[1]
    parts = Parts(np.empty(n), np.empty(n), np.empty((N, n)), np.empty((k, n)))
    tasks, worth, scale = np.arange(n), np.empty(n), instance.params.weights[0]
    last, a, ring, b, weight = label
    write_known(cells, anchors, last, tasks, parts)
    write_distances(instance, cells, anchors, last, tasks, parts)
    for i in range(n):
        cost = mixed_cost(instance, cells, parts, a, ring, b, weight, i)
        worth[i] = servers.gain[m, i] - scale * cost
    write_programme(instance, servers, worth, m, last, out)
    for index in range(out.sizes[1]):
        values[index] = worth[out.task[index]]
