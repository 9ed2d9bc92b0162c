"""The most valuable programme of one server over all its labels, compiled.

Under a label (`labels`) tasks have separable costs, so that the server's best plan is an interval
scheduling problem; what it is worth at all is at most the largest value over all labels. A label
is worth no more than the least of the problems with its ring's costs, its medoid's, and their
mean. Most are never solved: `ceilings` bound them.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.bounds.anchors import (
    empty_parts,
    write_distance,
    write_distances,
    write_known,
)
from mec_moe_agents.bounds.ceilings import label_value, write_promises
from mec_moe_agents.bounds.labels import Label, label_cost
from mec_moe_agents.bounds.relaxation import Relaxation
from mec_moe_agents.bounds.schedule import Programme, narrow_programme, write_programme
from mec_moe_agents.bounds.search import Search, search_for
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel


@kernel
def best_label(
    relaxation: Relaxation, multipliers: Floats, m: int, least: float, trained: int, tries: int
) -> tuple[float, Label]:
    """Return the most that server m is worth, and under which label, if more than `least`.

    A label with nearest = −1 says that none is worth more. Only ℓ of type `trained` count, or all
    if it is −1, and only the `tries` of them that promise most: a guess, no certificate.
    """
    search = search_for(relaxation, multipliers, m)
    write_promises(relaxation, search, trained)
    most, label = least, Label(-1, -1, -1, -1, 1.0)
    for _ in range(tries):
        at = int(np.argmax(search.promised))
        if search.promised[at] <= most:
            break
        search.promised[at] = -np.inf
        last = at if relaxation.anchors.basis.shape[0] > 0 else -1
        prepare(relaxation, search, last)
        if highest_medoid(relaxation, search, last, most) > most:
            most, label = best_with_last(relaxation, search, last, most, label)
    return most, label


@device
def prepare(relaxation: Relaxation, search: Search, last: int) -> None:
    """Write the programme of ℓ, and what ℓ decides of its tasks' errors."""
    instance, programme, parts = relaxation.instance, search.programme, search.parts
    hopes = search.hopes[instance.types[last] if last >= 0 else 0]
    write_programme(instance, relaxation.servers, hopes, search.server, last, programme)
    tasks = programme.task[: programme.sizes[1]]
    write_known(relaxation.cells, relaxation.anchors, last, tasks, parts)
    for i in tasks:
        search.hoped[i] = search.values[i] - instance.params.weights[0] * parts.known[i]
    narrow_programme(search.hoped, programme)


@device
def highest_medoid(relaxation: Relaxation, search: Search, last: int, least: float) -> float:
    """Write what ℓ is worth with each medoid, if more than `least`, and return the most."""
    N, highest = search.medoids.shape[0], -np.inf
    if relaxation.instance.params.quadratic.shape[1] > 0:
        search.medoids[:] = np.inf
        return float(np.inf)
    tasks = search.programme.task[: search.programme.sizes[1]]
    for b in range(N):
        search.medoids[b] = search.of_medoids[b, max(last, 0)]
        if search.medoids[b] > least:
            write_distance(relaxation.cells, relaxation.anchors, last, b, tasks, search.parts)
            value = label_value(relaxation, search, Label(last, 0, 0, b, 0.0))
            search.medoids[b] = min(value, search.medoids[b])
        highest = max(highest, search.medoids[b])
    return highest


@device
def best_with_last(
    relaxation: Relaxation, search: Search, last: int, least: float, otherwise: Label
) -> tuple[float, Label]:
    """Return what ℓ is worth, and under which label, if more than `least`, else what is given.

    Programme and medoids are those of ℓ, and so is the part of the errors that it decides.
    """
    tasks = search.programme.task[: search.programme.sizes[1]]
    write_distances(
        relaxation.instance, relaxation.cells, relaxation.anchors, last, tasks, search.parts
    )
    N, R = search.of_cells.shape[:2]
    most, label = least, otherwise
    for a in range(N):
        for ring in range(R):
            if search.of_cells[a, ring, max(last, 0)] > most:
                most, label = best_in_cell(
                    relaxation, search, Label(last, a, ring, 0, 1.0), most, label
                )
    return most, label


@device
def best_in_cell(
    relaxation: Relaxation, search: Search, cell: Label, least: float, otherwise: Label
) -> tuple[float, Label]:
    """Return the same for one cell and all medoids; `cell` has the ring's costs alone."""
    euclidean = relaxation.instance.params.quadratic.shape[1] == 0
    last, a, ring, _, _ = cell
    in_ring = label_value(relaxation, search, cell)
    most, label = least, otherwise
    for b in range(search.medoids.shape[0] if euclidean else 1):
        value, weight = in_ring, 1.0
        if search.medoids[b] < value:
            value, weight = search.medoids[b], 0.0
        if value <= most:
            continue
        if euclidean:
            mixed = label_value(relaxation, search, Label(last, a, ring, b, 0.5))
            if mixed < value:
                value, weight = mixed, 0.5
        if value > most:
            most, label = value, Label(last, a, ring, b, weight)
    return most, label


@kernel
def write_label_programme(
    relaxation: Relaxation, m: int, label: Label, out: Programme, values: Floats
) -> None:
    """Write server m's programme under a label without multipliers, and its tasks' values, (n,)."""
    instance, cells, anchors = relaxation.instance, relaxation.cells, relaxation.anchors
    N, n = cells.distance.shape
    parts = empty_parts(N, n, anchors.basis.shape[1])
    tasks, worth, scale = np.arange(n), np.empty(n), instance.params.weights[0]
    write_known(cells, anchors, label.last, tasks, parts)
    write_distances(instance, cells, anchors, label.last, tasks, parts)
    for i in range(n):
        worth[i] = relaxation.servers.gain[m, i] - scale * label_cost(relaxation, parts, label, i)
    write_programme(instance, relaxation.servers, worth, m, label.last, out)
    for index in range(out.sizes[1]):
        values[index] = worth[out.task[index]]
