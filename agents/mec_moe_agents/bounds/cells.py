"""Where a server's final model may lie, cut into cells, and what each cell makes tasks cost.

The error of task τ of type n under a model w is wᵀA_n w − 2b_τᵀw + c_τ. If A_n ⪰ 0 and b_τ lies
in its range, it is f_τ + |w − w_τ|²_n with w_τ = A_n⁺b_τ, the floor f_τ = c_τ − b_τᵀA_n⁺b_τ and
the seminorm |x|²_n = xᵀA_n x. Let μ_n be the mean of w_τ over the type, ρ_τ = |w_τ − μ_n|_n. By
the triangle inequality

    error_τ ≥ f_τ + (|w − μ_n|_n − ρ_τ)₊².                                              (1)

**Cells.** Let a be the type nearest to w, the one with the least |w − μ_a|_a, and let this
distance lie in the ring [r, R]. Every (a, ring) is a cell, and some cell holds w. In it

    |w − μ_a|_a ≥ r,   |w − μ_n|²_n ≥ max(r², max over s ≥ 0 of (q_an(s) − sR²)),        (2)
    q_an(s) = min over w of |w − μ_n|²_n + s·|w − μ_a|²_a,

the first because a is the nearest, the second by weak duality; any s is valid. With A = I the
second is (|μ_n − μ_a| − R)₊², again by the triangle inequality. Rings end where r² exceeds every
c_τ − f_τ: a server further away gains by no task, so it is worth no more than an empty one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.instance import Instance
from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Floats

RINGS = 12
FINE_RINGS = 48
"""Where A is not the identity: there no last training and no medoid tell more than rings."""
RANK = 1e-11
"""Eigenvalues below this share of the largest count as zero."""
SLACK = 1e-7
"""How far, relative to its own length, b may leave the range of A by rounding."""
PENALTIES = tuple(np.geomspace(1e-3, 1e3, 25).tolist())
"""Values of s that are tried."""


class Cells(NamedTuple):
    """n tasks, N types, d features, R rings."""

    truth: Floats
    """w_τ, (n, d)."""
    floor: Floats
    """f_τ, (n,), the least error that any model has."""
    radius: Floats
    """ρ_τ, (n,)."""
    centre: Floats
    """μ_n, (N, d); zeros for a type without tasks."""
    edges: Floats
    """(R + 1,), where rings begin and end."""
    distance: Floats
    """|w_τ − μ_a| from every type's centre, (N, n), a before τ; only where A = I."""
    widest: Floats
    """Largest ρ of each type, (N,)."""
    reach: Floats
    """(N, R, N): in cell (a, ring) the least distance of w from each μ_n, by (2)."""


def make_cells(instance: Instance) -> Cells:
    """Cut the space of models for an episode.

    Raises:
        ValueError: a stream's A is not positive semidefinite, or a b is not in its range.
    """
    quadratic = instance.params.quadratic
    N, d, euclidean = len(quadratic), instance.linear.shape[1], quadratic.shape[1] == 0
    truth, centre = instance.linear.copy(), np.zeros((N, d))
    if not euclidean:
        for n in range(N):
            own = instance.types == n
            truth[own] = solve(quadratic[n], instance.linear[own])
    offset = np.empty_like(truth)
    for n in range(N):
        own = instance.types == n
        if own.any():
            centre[n] = truth[own].mean(axis=0)
        offset[own] = truth[own] - centre[n]
    floor = instance.constant - (truth * instance.linear).sum(axis=1)
    radius = np.sqrt(_seminorm(instance, offset))
    gain = max(float((instance.constant - floor).max()), 0.0)
    edges = np.linspace(0.0, np.sqrt(gain), (RINGS if euclidean else FINE_RINGS) + 1)
    if euclidean:
        squared = _identity_reach(centre, edges)
    else:
        squared = _quadratic_reach(quadratic, centre, edges)
    reach = np.sqrt(np.maximum(squared, edges[None, :-1, None] ** 2))
    distance = np.linalg.norm(truth[None] - centre[:, None], axis=2)
    widest = np.zeros(N)
    np.maximum.at(widest, instance.types, radius)
    return Cells(truth, floor, radius, centre, edges, distance, widest, reach)


def solve(quadratic: Floats, linear: Floats) -> Floats:
    """Return A⁺b for every row b of `linear`, (n, d).

    Raises:
        ValueError: A is not positive semidefinite, or a b is not in its range.
    """
    values, vectors = np.linalg.eigh((quadratic + quadratic.T) / 2.0)
    largest = max(float(np.abs(values).max()), 1e-300)
    kept = values > RANK * largest
    along = linear @ vectors
    outside = np.abs(along[:, ~kept]).max(initial=0.0)
    if values.min() < -RANK * largest or outside > SLACK * np.abs(linear).max(initial=1e-300):
        raise reject(
            "tasks",
            "a stream whose errors have no least value",
            "a stream whose evaluator.quadratic is positive semidefinite with every b in its "
            "range, or nothing is certified",
        )
    solution: Floats = (along[:, kept] / values[kept]) @ vectors[:, kept].T
    return solution


def _seminorm(instance: Instance, offset: Floats) -> Floats:
    """Return |x|²_n of each task's row of `offset`, n its type."""
    quadratic = instance.params.quadratic
    if quadratic.shape[1] == 0:
        return np.asarray((offset * offset).sum(axis=1))
    forms = np.einsum("if,ifg,ig->i", offset, quadratic[instance.types], offset)
    return np.asarray(np.maximum(forms, 0.0))


def _identity_reach(centre: Floats, edges: Floats) -> Floats:
    """Return (|μ_n − μ_a| − R)₊², (N, rings, N)."""
    between = np.linalg.norm(centre[:, None] - centre[None], axis=2)
    squared: Floats = np.maximum(between[:, None, :] - edges[None, 1:, None], 0.0) ** 2
    return squared


def _quadratic_reach(quadratic: Floats, centre: Floats, edges: Floats) -> Floats:
    """Return the largest q_an(s) − sR² over the penalties tried, (N, rings, N)."""
    N = len(quadratic)
    squared = np.zeros((N, len(edges) - 1, N))
    for a in range(N):
        for n in range(N):
            for s in PENALTIES if n != a else ():
                least = _penalised(quadratic[n], quadratic[a], centre[n] - centre[a], s)
                squared[a, :, n] = np.maximum(squared[a, :, n], least - s * edges[1:] ** 2)
    return squared


def _penalised(of_n: Floats, of_a: Floats, between: Floats, s: float) -> float:
    """Return q_an(s): with x = w − μ_a and δ = μ_n − μ_a, min of |x − δ|²_n + s·|x|²_a."""
    pull = of_n @ between
    nearest = solve(of_n + s * of_a, pull[None])[0]
    return max(float(pull @ between - pull @ nearest), 0.0)
