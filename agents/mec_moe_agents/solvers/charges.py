"""What the return of a DMoE layer charges, from the problem that a scheduler sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.inputs import Instance, LayerProblem, checked, spread
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import lean_kernel
from mec_moe_env.dmoe.reserve import (
    NOBODY,
    find_best,
    most_links,
    reserved_joules,
    wanted_relevance,
)
from mec_moe_env.dmoe.step import TOLERANCE


@dataclass(frozen=True, eq=False)
class Charges:
    """The terms of a layer's return (our extension); leading axes as in the problem.

    The return is −value / reference, with the value that schedulers minimise

        w_energy·J + w_err·Σ over violated tokens of ρ_q·(1 + m_q),

    J the joules, t_q the wanted relevance, m_q = (t_q − relevance)/t_q what is missing of it;
    a token is violated where m_q exceeds the tolerance.
    """

    wanted: NDArray[np.float64]
    """(..., I, Q), t_q: the threshold, or what the D best available experts reach if less."""
    reserve: NDArray[np.float64]
    """(..., I, Q), ρ_q: joules of the token's D best experts, each over the L-th best subcarrier
    of its link, L the most links that can be in use (S where that is less)."""
    error_weight: float
    """w_err ≥ 0."""
    energy_weight: float
    """w_energy ≥ 0."""
    tolerance: float = TOLERANCE
    """In [0, 1)."""

    def __post_init__(self) -> None:
        """Check the scalars."""
        for name in ("error_weight", "energy_weight", "tolerance"):
            if checked(name, getattr(self, name)).ndim != 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one number ≥ 0")
        if self.tolerance >= 1.0:
            raise ValueError(f"tolerance is {self.tolerance}; it must be below 1")

    @property
    def reference(self) -> Floats:
        """E_ref = Σ_q ρ_q in joules, (...,); 1 where that is 0."""
        total: Floats = self.reserve.sum(axis=(-2, -1))
        return np.where(total > 0, total, 1.0)

    @property
    def goal(self) -> Floats:
        """(..., I, Q), the relevance from which on a token is not violated."""
        return self.wanted * (1.0 - self.tolerance)


def charge_layer(
    problem: LayerProblem,
    *,
    error_weight: float = 1.0,
    energy_weight: float = 1.0,
    tolerance: float = TOLERANCE,
) -> Charges:
    """Return what a layer's return charges, as `DMoEEnv` defines it for given gates.

    Args:
        problem: one layer or a batch.
        error_weight: w_err ≥ 0.
        energy_weight: w_energy ≥ 0.
        tolerance: in [0, 1).

    Raises:
        ValueError: a scalar is out of range, or a token's reserve is infinite: its D best experts
            include one whose link has fewer than L usable subcarriers.
    """
    arrays = problem.arrays
    tokens = arrays.score.shape[:3]
    wanted, reserve = np.empty(tokens), np.empty(tokens)
    best = np.empty((*tokens, min(arrays.most, arrays.score.shape[3])), np.int64)
    named = np.zeros(arrays.best.shape, np.bool_)
    write_wanted(arrays.score, np.isfinite(arrays.compute), arrays.threshold, best, named, wanted)
    write_reserves(reserve_joules(arrays, named), best, reserve)
    if not np.isfinite(reserve).all():
        raise ValueError(
            "rate leaves an expert that a token may need too few subcarriers of a rate above 0: "
            "what its violation costs would be infinite"
        )
    shape = (*problem.batch, *tokens[1:])
    return Charges(
        np.maximum(wanted, 0.0).reshape(shape),
        reserve.reshape(shape),
        error_weight,
        energy_weight,
        tolerance,
    )


@lean_kernel
def write_wanted(
    score: Floats,
    available: Flags,
    threshold: Floats,
    best: Integers,
    named: Flags,
    wanted: Floats,
) -> None:
    """Write each token's best experts, (B, I, Q, D), and its t_q, (B, I, Q).

    Marks in `named`, (B, I, K), which experts any token of a source has among its best.
    """
    layers, sources, tokens, places = best.shape
    for b in range(layers):
        for i in range(sources):
            for q in range(tokens):
                scores, chosen = score[b, i, q], best[b, i, q]
                find_best(scores, available[b], chosen)
                wanted[b, i, q] = wanted_relevance(threshold[b, i, q], scores, chosen)
                for place in range(places):
                    if chosen[place] != NOBODY:
                        named[b, i, chosen[place]] = True


@lean_kernel
def write_reserves(joules: Floats, best: Integers, reserve: Floats) -> None:
    """Write each token's ρ_q, (B, I, Q), given what its best experts cost, (B, I, K)."""
    layers, sources, tokens = reserve.shape
    for b in range(layers):
        for i in range(sources):
            for q in range(tokens):
                reserve[b, i, q] = reserved_joules(joules[b, i], best[b, i, q])


def link_limit(layers: Instance) -> int:
    """Return L, most links that can be in use at once."""
    sources, tokens, experts = layers.score.shape[1:]
    return most_links(sources, tokens, experts, layers.most)


def reserve_joules(layers: Instance, named: Flags) -> Floats:
    """Return a_k + c̄_ik of the experts named by a source, (B, I, K); 0 for the others.

    c̄ are the joules of a state over the L-th best subcarrier of a link, the S-th where S is less;
    0 in situ.
    """
    rank = min(link_limit(layers), layers.unit.shape[-1])
    b, i, k = np.nonzero(named)
    unit = layers.unit[b, i, k]
    ranked = np.partition(unit, rank - 1, axis=-1)[:, rank - 1] if rank > 0 else np.inf
    joules = np.zeros(named.shape)
    joules[b, i, k] = layers.compute[b, k] + np.where(layers.remote[i, k], ranked, 0.0)
    return joules


def layer_value(
    problem: LayerProblem, charges: Charges, selected: ArrayLike, subcarrier: ArrayLike
) -> Floats:
    """Return the value of an allocation, to be minimised, (...,); no constraint is checked.

    Args:
        problem: one layer or a batch.
        charges: of that problem.
        selected: (..., I, Q, K) booleans.
        subcarrier: (..., I, K), −1 for a link that carries nothing.
    """
    arrays = problem.arrays
    shape = arrays.score.shape
    chosen = spread("selected", np.asarray(selected, np.bool_), (*problem.batch, *shape[1:]))
    chosen = chosen.reshape(shape)
    owner = np.asarray(subcarrier, np.int64).reshape(arrays.best.shape)[..., np.newaxis]
    states = chosen.sum(axis=2)
    unit = np.take_along_axis(arrays.unit, np.maximum(owner, 0), axis=-1)[..., 0]
    sent = (states > 0) & arrays.remote
    joules = np.where(sent, states * np.where(sent, unit, 0.0), 0.0).sum(axis=(1, 2))
    tokens = states.sum(axis=1)
    joules += np.where(tokens > 0, tokens * np.where(tokens > 0, arrays.compute, 0.0), 0.0).sum(1)
    wanted, goal = charges.wanted.reshape(shape[:3]), charges.goal.reshape(shape[:3])
    relevance = (arrays.score * chosen).sum(axis=-1)
    violated = relevance < goal * (1.0 - 1e-12)
    missing = 1.0 - relevance / np.where(wanted > 0, wanted, 1.0)
    charged = np.where(violated, charges.reserve.reshape(shape[:3]) * (1.0 + missing), 0.0)
    value: Floats = charges.energy_weight * joules + charges.error_weight * charged.sum(axis=(1, 2))
    shaped: Floats = value.reshape(problem.batch)
    return shaped
