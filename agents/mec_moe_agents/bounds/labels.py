"""What a label makes every task of a server cost at least, compiled.

Two kinds of costs hold for each final model w, with the parts of (3):

Ring: w lies in a cell (a, [r, R]), so |Q(w − w_τ)| ≥ |Q(w_τ − μ_a)| − R, and a is the nearest type,
so |Q(w − μ_n)| ≥ r for the type n of τ and |Q(w − w_τ)| ≥ r − |Q(w_τ − μ_n)|.

Medoid: Σ s_τ|Q(w − w_τ)|² over the tasks served, of shares s, is least at their mean, where it is
Σ_σ (s_σ/Σs)·Σ_τ s_τ·½|Q(w_σ − w_τ)|²: an average over σ, so some σ has
Σ_τ s_τ·½|Q(w_σ − w_τ)|² ≤ Σ s_τ|Q(w − w_τ)|². If it is of type b, a task of another type costs at
least ½(|Q(w_τ − μ_b)| − ρ_b)₊², ρ_b the largest radius of the type, and one of b nothing.

The first bounds each task, the second their sum: so does each mean of both, with any weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.anchors import Anchors, Parts, write_parts
from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel


class Label(NamedTuple):
    """What a server's programme assumes of its final model."""

    last: int
    """ℓ, the last training that the server completes, −1 where it is not named."""
    nearest: int
    """a, the type nearest to the final model; −1 where no label is worth more than nothing."""
    ring: int
    medoid: int
    """b, the type of the medoid."""
    weight: float
    """Of the ring's costs; the medoid's have the rest."""


@device
def ring_cost(instance: Instance, cells: Cells, parts: Parts, a: int, ring: int, i: int) -> float:
    """Return the least error of task i in a cell."""
    if instance.params.quadratic.shape[1] > 0:
        away = cells.reach[a, ring, instance.types[i]] - cells.radius[i]
    else:
        away = max(
            parts.distance[i, a] - cells.edges[ring + 1], cells.edges[ring] - parts.radius[i]
        )
    away = max(away, 0.0)
    return float(parts.known[i] + away * away)


@device
def medoid_cost(instance: Instance, cells: Cells, parts: Parts, b: int, i: int) -> float:
    """Return what task i costs if the medoid is of type b; A = I."""
    if instance.types[i] == b:
        return float(parts.known[i])
    away = max(parts.distance[i, b] - cells.widest[b], 0.0)
    return float(parts.known[i] + 0.5 * away * away)


@device
def write_ring_costs(
    instance: Instance, cells: Cells, parts: Parts, a: int, ring: int, costs: Floats
) -> None:
    """Write the costs of all tasks in a cell, (n,)."""
    for i in range(costs.shape[0]):
        costs[i] = ring_cost(instance, cells, parts, a, ring, i)


@device
def write_mixed_costs(
    instance: Instance,
    cells: Cells,
    parts: Parts,
    a: int,
    ring: int,
    b: int,
    weight: float,
    costs: Floats,
) -> None:
    """Write weight·ring + (1 − weight)·medoid of all tasks, (n,)."""
    for i in range(costs.shape[0]):
        of_ring = ring_cost(instance, cells, parts, a, ring, i) if weight > 0.0 else 0.0
        of_medoid = medoid_cost(instance, cells, parts, b, i) if weight < 1.0 else 0.0
        costs[i] = weight * of_ring + (1.0 - weight) * of_medoid


@device
def write_common_parts(cells: Cells, anchors: Anchors, trained: int, out: Parts) -> None:
    """Write parts that lie below those of every ℓ of type `trained`."""
    for i in range(out.known.shape[0]):
        out.known[i] = anchors.least_known[trained, i]
        out.radius[i] = cells.radius[i]
        for a in range(out.distance.shape[1]):
            out.distance[i, a] = anchors.least_distance[trained, i, a]


@kernel
def label_costs(instance: Instance, cells: Cells, anchors: Anchors, label: Label) -> Floats:
    """Return the least error of every task under a label, (n,)."""
    n, N = cells.distance.shape
    costs, parts = np.empty(n), Parts(np.empty(n), np.empty(n), np.empty((n, N)))
    last, a, ring, b, weight = label
    write_parts(instance, cells, anchors, last, parts)
    write_mixed_costs(instance, cells, parts, a, ring, b, weight, costs)
    return costs
