"""The most valuable programme of one server over all its labels, compiled.

Under a label (`labels`) tasks have separable costs, so that the server's best plan is an interval
scheduling problem; what it is worth at all is at most the largest value over all labels. A label
is worth no more than the least of the problems with its ring's costs, its medoid's, and their
mean. Most are never solved: `ceilings` bound them.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.bounds.anchors import (
    Anchors,
    Parts,
    write_distance,
    write_distances,
    write_known,
)
from mec_moe_agents.bounds.ceilings import Search, label_value, write_ceilings
from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.labels import Label, mixed_cost
from mec_moe_agents.bounds.schedule import (
    Programme,
    Servers,
    narrow_programme,
    write_programme,
)
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel


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
