"""What each label of a server is worth at most, without looking at each last training, compiled.

Costs that lie below those of every ℓ of a type bound all of them by one programme: prefixes of its
table are what can be had before each ℓ.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.bounds.anchors import Parts
from mec_moe_agents.bounds.labels import Label, label_cost
from mec_moe_agents.bounds.relaxation import Relaxation
from mec_moe_agents.bounds.schedule import fill, forced_value, schedule_value, write_programme
from mec_moe_agents.bounds.search import Search
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device


@device
def write_values(
    relaxation: Relaxation, search: Search, parts: Parts, count: int, label: Label
) -> None:
    """Write what the first `count` tasks of the programme are worth under a label."""
    scale = relaxation.instance.params.weights[0]
    for k in range(count):
        i = search.programme.task[k]
        search.costed[k] = search.values[i] - scale * label_cost(relaxation, parts, label, i)


@device
def label_value(relaxation: Relaxation, search: Search, label: Label) -> float:
    """Return what the programme of the label's ℓ is worth under it."""
    first, count = search.programme.sizes
    write_values(relaxation, search, search.parts, count, label)
    joules = relaxation.servers.joules[search.server, max(label.last, 0)]
    experts = relaxation.instance.params.max_experts
    costed, before = search.costed[:count], search.programme.before
    return float(schedule_value(costed, before, first, joules, experts, search.best))


@device
def write_ceiling(
    relaxation: Relaxation,
    search: Search,
    parts: Parts,
    trained: int,
    label: Label,
    ceiling: Floats,
) -> None:
    """Raise each ℓ's `ceiling`, (n,), to what it is worth at most under costs of its type.

    The programme is that of ℓ = −1.
    """
    instance, servers, m = relaxation.instance, relaxation.servers, search.server
    T, scale = instance.params.horizon, instance.params.weights[0]
    count = search.programme.sizes[0]
    write_values(relaxation, search, parts, count, label)
    completed = search.programme.ended[T]
    fill(search.costed, search.programme.before, completed, search.best)
    pending = 0.0
    for k in range(completed, count):
        pending = max(pending, search.costed[k])
    for last in range(ceiling.shape[0]):
        if instance.types[last] == trained and servers.end[m, last] <= T:
            own = search.values[last] - scale * label_cost(relaxation, parts, label, last)
            own = forced_value(own, servers.joules[m, last], instance.params.max_experts)
            earlier = search.best[search.programme.ended[instance.slot[last]]]
            ceiling[last] = max(ceiling[last], earlier + own + pending)


@device
def write_ceilings(relaxation: Relaxation, search: Search) -> None:
    """Write what every ℓ is worth at most with each medoid and in each cell."""
    anchors, m = relaxation.anchors, search.server
    N, R = search.of_cells.shape[:2]
    search.of_medoids[:] = -np.inf
    search.of_cells[:] = -np.inf
    for trained in range(N):
        hopes = search.hopes[trained]
        write_programme(relaxation.instance, relaxation.servers, hopes, m, -1, search.programme)
        known, distance = anchors.least_known[trained], anchors.least_distance[trained]
        parts = Parts(known, relaxation.cells.radius, distance, search.parts.along)
        for b in range(N):
            label, ceiling = Label(-1, 0, 0, b, 0.0), search.of_medoids[b]
            write_ceiling(relaxation, search, parts, trained, label, ceiling)
        for a in range(N):
            for ring in range(R):
                label, ceiling = Label(-1, a, ring, 0, 1.0), search.of_cells[a, ring]
                write_ceiling(relaxation, search, parts, trained, label, ceiling)


@device
def write_promises(relaxation: Relaxation, search: Search, trained: int) -> None:
    """Write what each ℓ is worth at most, if it is named; only those of type `trained` count.

    All of them if that is −1.
    """
    if relaxation.anchors.basis.shape[0] == 0:
        return
    write_ceilings(relaxation, search)
    N, R, n = search.of_cells.shape
    for last in range(n):
        search.promised[last] = -np.inf
        if trained < 0 or relaxation.instance.types[last] == trained:
            in_cells, of_medoids = -np.inf, -np.inf
            for a in range(N):
                of_medoids = max(of_medoids, search.of_medoids[a, last])
                for ring in range(R):
                    in_cells = max(in_cells, search.of_cells[a, ring, last])
            search.promised[last] = min(in_cells, of_medoids)
