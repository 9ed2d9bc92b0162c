"""What the last training that a server completed tells about its final model.

With κ = 0 and A = I (Li & Duan 2024, Lemma 1) training on task ℓ sets the model's part in the span
of ℓ's samples, whatever the model was: with P_ℓ the projector on that span and p_ℓ = X(XᵀX)⁻¹y,
the model afterwards has P_ℓw = p_ℓ. If no other training is completed after ℓ, the final model has
it too. So with Q = I − P_ℓ

    error_τ = f_τ + |p_ℓ − P_ℓw_τ|² + |Q(w − w_τ)|²,                                    (3)

the second term known exactly, the third bounded as in `cells`, within the range of Q: for cells
(a, ring) of |Qw − Qμ_a| and ρ_ℓτ = |Q(w_τ − μ_n)|. Where the samples of ℓ are almost linearly
dependent, rounding may keep Lemma 1 from interpolating: there P_ℓ = 0, and (3) is (1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.cells import Cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel
from mec_moe_env.experts import inner

CONDITION = 1e4
"""Largest ratio of the samples' singular values for which Lemma 1 is taken as exact."""


class Anchors(NamedTuple):
    """n tasks, N types, k samples, d features; n = 0 where trainings tell nothing."""

    basis: Floats
    """Orthonormal rows that span the samples of each task, (n, k, d); zeros where P = 0."""
    position: Floats
    """p_ℓ in that basis, (n, k)."""
    between: Floats
    """|Q(μ_a − μ_n)| for each ℓ, (n, N, N)."""
    least_known: Floats
    """Least |p_ℓ − P_ℓw_τ|² over all ℓ of type a, for each τ, (N, n); inf without an ℓ."""
    least_between: Floats
    """Least |Q(μ_a − μ_n)| over all ℓ of a type, (N, N, N)."""


def no_anchors(instance: Instance, cells: Cells) -> Anchors:
    """Return what trainings tell that do not interpolate: nothing."""
    k, d = instance.features.shape[1:]
    N = len(cells.centre)
    return Anchors(
        basis=np.empty((0, k, d)),
        position=np.empty((0, k)),
        between=np.empty((0, N, N)),
        least_known=np.zeros((N, len(cells.truth))),
        least_between=np.zeros((N, N, N)),
    )


def make_anchors(instance: Instance, cells: Cells) -> Anchors:
    """Work out P_ℓ and p_ℓ of every task."""
    basis, position = _projectors(instance)
    n, N = len(basis), len(cells.centre)
    difference = cells.centre[:, None] - cells.centre[None]
    along = np.einsum("lkf,abf->labk", basis, difference)
    squared = (difference**2).sum(axis=2) - (along**2).sum(axis=3)
    between = np.sqrt(np.maximum(squared, 0.0))
    least_known = np.full((N, n), np.inf)
    write_least_known(instance, cells, basis, position, least_known)
    least_between = np.full((N, N, N), np.inf)
    for a in np.unique(instance.types):
        least_between[a] = between[instance.types == a].min(axis=0)
    return Anchors(basis, position, between, least_known, least_between)


def _projectors(instance: Instance) -> tuple[Floats, Floats]:
    """Return basis and position of every task: X = UΣVᵀ has P = UUᵀ and Uᵀp = Σ⁻¹Vᵀy."""
    left, sizes, right = np.linalg.svd(instance.features, full_matrices=False)
    # Rows of `features` are samples: the span of the samples is that of the right factor.
    trusted = sizes[:, -1] * CONDITION > sizes[:, 0]
    if instance.features.shape[1] > instance.features.shape[2]:
        trusted[:] = False
    along = np.einsum("nks,nk->ns", left, instance.labels)
    scale = np.where(trusted[:, None], sizes, 1.0)
    position = np.where(trusted[:, None], along / scale, 0.0)
    basis = np.where(trusted[:, None, None], right, 0.0)
    k = instance.features.shape[1]
    missing = k - basis.shape[1]
    return (
        np.ascontiguousarray(np.pad(basis, ((0, 0), (0, missing), (0, 0)))),
        np.ascontiguousarray(np.pad(position, ((0, 0), (0, missing)))),
    )


@device
def known_part(basis: Floats, position: Floats, last: int, truth: Floats) -> float:
    """Return |p_ℓ − P_ℓw|² of a truth w."""
    total = 0.0
    for row in range(basis.shape[1]):
        gap = position[last, row] - inner(basis[last, row], truth)
        total += gap * gap
    return total


@device
def hidden_radius(cells: Cells, basis: Floats, last: int, i: int, n: int) -> float:
    """Return |Q(w_τ − μ_n)| of task i of type n."""
    total = cells.radius[i] * cells.radius[i]
    for row in range(basis.shape[1]):
        along = inner(basis[last, row], cells.truth[i]) - inner(basis[last, row], cells.centre[n])
        total -= along * along
    return float(np.sqrt(max(total, 0.0)))


@kernel
def write_least_known(
    instance: Instance, cells: Cells, basis: Floats, position: Floats, out: Floats
) -> None:
    """Write the least |p_ℓ − P_ℓw_τ|² over the ℓ of each type, (N, n); `out` is inf on entry."""
    for last in range(basis.shape[0]):
        a = instance.types[last]
        for i in range(out.shape[1]):
            out[a, i] = min(out[a, i], known_part(basis, position, last, cells.truth[i]))
