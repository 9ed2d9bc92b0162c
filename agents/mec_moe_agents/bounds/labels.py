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

from mec_moe_agents.bounds.anchors import Parts
from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.relaxation import Relaxation
from mec_moe_env.core.kernels import device


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
    """Return by how much the error of task i is above its floor in a cell."""
    if instance.params.quadratic.shape[1] > 0:
        away = cells.reach[a, ring, instance.types[i]] - cells.radius[i]
    else:
        away = max(
            parts.distance[a, i] - cells.edges[ring + 1], cells.edges[ring] - parts.radius[i]
        )
    away = max(away, 0.0)
    return float(parts.known[i] + away * away)


@device
def medoid_cost(instance: Instance, cells: Cells, parts: Parts, b: int, i: int) -> float:
    """Return what task i costs above its floor if the medoid is of type b; A = I."""
    if instance.types[i] == b:
        return float(parts.known[i])
    away = max(parts.distance[b, i] - cells.widest[b], 0.0)
    return float(parts.known[i] + 0.5 * away * away)


@device
def label_cost(relaxation: Relaxation, parts: Parts, label: Label, i: int) -> float:
    """Return weight·ring + (1 − weight)·medoid for task i."""
    instance, cells, cost = relaxation.instance, relaxation.cells, 0.0
    if label.weight > 0.0:
        ring = ring_cost(instance, cells, parts, label.nearest, label.ring, i)
        cost += label.weight * ring
    if label.weight < 1.0:
        cost += (1.0 - label.weight) * medoid_cost(instance, cells, parts, label.medoid, i)
    return cost
