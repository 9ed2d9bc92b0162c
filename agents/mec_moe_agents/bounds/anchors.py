"""What the last training that a server completed tells about its final model.

With κ = 0 and A = I (Li & Duan 2024, Lemma 1) training on task ℓ sets the model's part in the span
of ℓ's samples, whatever the model was: with P_ℓ the projector on that span and p_ℓ = X(XᵀX)⁻¹y,
the model afterwards has P_ℓw = p_ℓ. If no other training is completed after ℓ, the final model has
it too. So with Q = I − P_ℓ

    error_τ = f_τ + |p_ℓ − P_ℓw_τ|² + |Q(w − w_τ)|²,                                    (3)

the second term known exactly, the third bounded as in `cells`, within the range of Q: cells are
cut by |Qw − Qμ_a|. Where the samples of ℓ are almost linearly dependent, rounding may keep Lemma 1
from interpolating: there P_ℓ = 0, and (3) is (1). Where ℓ is not named, likewise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device, kernel
from mec_moe_env.experts import inner

CONDITION = 1e4
"""Largest ratio of the samples' singular values for which Lemma 1 is taken as exact."""


class Anchors(NamedTuple):
    """n tasks, N types, k samples, d features; the first two have no rows where ℓ is not named."""

    basis: Floats
    """Orthonormal rows that span the samples of each task, (n, k, d); zeros where P = 0."""
    position: Floats
    """p_ℓ in that basis, (n, k)."""
    least_known: Floats
    """Least |p_ℓ − P_ℓw_τ|² over all ℓ of a type, (N, n); inf without an ℓ."""
    least_distance: Floats
    """Least |Q(w_τ − μ_a)| over all ℓ of a type, (N, N, n), a before τ."""


class Parts(NamedTuple):
    """What an ℓ tells of every task; n tasks, N types."""

    known: Floats
    """|p_ℓ − P_ℓw_τ|², (n,)."""
    radius: Floats
    """|Q(w_τ − μ_n)|, n the type of τ, (n,)."""
    distance: Floats
    """|Q(w_τ − μ_a)|, (N, n), a before τ."""
    along: Floats
    """P_ℓw_τ in the basis of ℓ, (k, n)."""


@kernel
def empty_parts(types: int, tasks: int, samples: int) -> Parts:
    """Allocate the parts of N, n, k."""
    n = tasks
    return Parts(np.empty(n), np.empty(n), np.empty((types, n)), np.empty((samples, n)))


def make_anchors(instance: Instance, cells: Cells, named: bool) -> Anchors:
    """Work out P_ℓ and p_ℓ of every task, if ℓ is to be named."""
    n, k, d = instance.features.shape
    N = len(cells.centre)
    least_known, least_distance = np.full((N, n), np.inf), np.full((N, N, n), np.inf)
    if not named:
        return Anchors(np.empty((0, k, d)), np.empty((0, k)), least_known, least_distance)
    basis, position = _projectors(instance)
    anchors = Anchors(basis, position, least_known, least_distance)
    write_least(instance, cells, anchors)
    return anchors


def _projectors(instance: Instance) -> tuple[Floats, Floats]:
    """Return basis and position of every task: X = VΣUᵀ has P = VVᵀ and Vᵀp = Σ⁻¹Uᵀy."""
    n, k, d = instance.features.shape
    basis, position = np.zeros((n, k, d)), np.zeros((n, k))
    if k > d:
        return basis, position
    # Rows of `features` are samples: the span of the samples is that of the right factor.
    left, sizes, right = np.linalg.svd(instance.features, full_matrices=False)
    trusted = sizes[:, -1] * CONDITION > sizes[:, 0]
    along = np.einsum("nks,nk->ns", left, instance.labels)
    basis[trusted] = right[trusted]
    position[trusted] = along[trusted] / sizes[trusted]
    return basis, position


@device
def write_known(cells: Cells, anchors: Anchors, last: int, tasks: Integers, out: Parts) -> None:
    """Write the part of some tasks' errors that ℓ decides; nothing is told by ℓ = −1."""
    for i in tasks:
        out.known[i] = 0.0
    for row in range(anchors.basis.shape[1] if last >= 0 else 0):
        position = anchors.position[last, row]
        for i in tasks:
            along = inner(anchors.basis[last, row], cells.truth[i])
            out.along[row, i] = along
            out.known[i] += (position - along) * (position - along)


@device
def write_distance(
    cells: Cells, anchors: Anchors, last: int, a: int, tasks: Integers, out: Parts
) -> None:
    """Write how far some tasks are from the centre of a type, after `write_known`."""
    for i in tasks:
        out.distance[a, i] = cells.distance[a, i] * cells.distance[a, i]
    for row in range(anchors.basis.shape[1] if last >= 0 else 0):
        along = inner(anchors.basis[last, row], cells.centre[a])
        for i in tasks:
            gap = along - out.along[row, i]
            out.distance[a, i] -= gap * gap
    for i in tasks:
        out.distance[a, i] = np.sqrt(max(out.distance[a, i], 0.0))


@device
def write_distances(
    instance: Instance, cells: Cells, anchors: Anchors, last: int, tasks: Integers, out: Parts
) -> None:
    """Write how far some tasks are from all centres, after `write_known`."""
    for a in range(cells.centre.shape[0]):
        write_distance(cells, anchors, last, a, tasks, out)
    for i in tasks:
        out.radius[i] = out.distance[instance.types[i], i]


@kernel
def write_least(instance: Instance, cells: Cells, anchors: Anchors) -> None:
    """Write what holds for every ℓ of a type; both arrays are inf on entry."""
    N, n = anchors.least_known.shape
    parts = empty_parts(N, n, anchors.basis.shape[1])
    tasks = np.arange(n)
    for last in range(n):
        write_known(cells, anchors, last, tasks, parts)
        write_distances(instance, cells, anchors, last, tasks, parts)
        trained = instance.types[last]
        for i in range(n):
            least = min(anchors.least_known[trained, i], parts.known[i])
            anchors.least_known[trained, i] = least
        for a in range(N):
            for i in range(n):
                nearer = min(anchors.least_distance[trained, a, i], parts.distance[a, i])
                anchors.least_distance[trained, a, i] = nearer
