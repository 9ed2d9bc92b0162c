"""Yardsticks of the joint problem: a lower bound, and the true optimum of small instances."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.expert_selection import NODE_LIMIT, select_batch
from mec_moe_agents.solvers.joint_model import JointModel, build_model, run_highs
from mec_moe_agents.solvers.joint_plan import Choice, Flags, Floats, Layer, assign_subcarriers
from mec_moe_agents.solvers.joint_problem import layer_at, reaches, state_problem
from mec_moe_agents.solvers.validation import positive

# Gap below which HiGHS's optimum counts as proven: its own arithmetic is no finer.
PROVEN_GAP = 1e-7


@dataclass(frozen=True)
class ExactAllocation:
    """The outcome of `solve_exactly`.

    Attributes:
        selected: (I, Q, K) bool; all False when no allocation was found.
        subcarrier: (I, K) int, −1 for a link that carries nothing.
        energy: joules; +inf when no allocation was found.
        feasible: (I, Q) bool, whether the token's threshold is reached.
        bound: no allocation needs less; +inf when none exists.
        gap: (energy − bound)/energy, 0 when the energy is 0; NaN when no allocation was found.
        proven: whether the gap is at most 1e-7, or that no allocation exists is certain.
    """

    selected: NDArray[np.bool_]
    subcarrier: NDArray[np.int64]
    energy: float
    feasible: NDArray[np.bool_]
    bound: float
    gap: float
    proven: bool


def lower_bound(
    score: ArrayLike,
    rate: ArrayLike,
    compute_energy: ArrayLike,
    threshold: ArrayLike,
    max_experts: int,
    *,
    state_bits: float,
    power: float,
    sources: ArrayLike | None = None,
    available: ArrayLike | None = None,
    return_rate: ArrayLike | None = None,
    node_limit: int = NODE_LIMIT,
) -> NDArray[np.float64]:
    """Bound the energy from below: LB(γ0, D) of Qin et al. 2025.

    Every link is at its own best subcarrier and C3 is ignored. Tokens whose threshold no allowed
    set reaches count with their top `max_experts`, as in `allocate_jointly`. It bounds every
    allocation that gives all tokens what they ask for.

    Args:
        score: as in `allocate_jointly`, with all that follow.
        rate: (..., I, K, S) bit/s.
        compute_energy: joules per token.
        threshold: of each token.
        max_experts: D.
        state_bits: bits.
        power: watts.
        sources: (I,) nodes.
        available: (..., K) bool.
        return_rate: (..., I, K, S) bit/s.
        node_limit: of the tree search for each token.

    Returns:
        Joules, (...,).

    Raises:
        ValueError: as `allocate_jointly`.
    """
    problem = state_problem(
        score, rate, compute_energy, threshold, max_experts, state_bits, power, sources, available,
        return_rate, node_limit,
    )  # fmt: skip
    bounds = np.empty(problem.score.shape[0])
    for b in range(bounds.size):
        bounds[b] = _floor(layer_at(problem, b))
    return bounds.reshape(problem.batch)


def solve_exactly(
    score: ArrayLike,
    rate: ArrayLike,
    compute_energy: ArrayLike,
    threshold: ArrayLike,
    max_experts: int,
    *,
    state_bits: float,
    power: float,
    sources: ArrayLike | None = None,
    available: ArrayLike | None = None,
    return_rate: ArrayLike | None = None,
    time_limit: float = 60.0,
) -> ExactAllocation:
    """Solve one layer to optimality by mixed-integer programming (HiGHS through SciPy).

    The problem of `allocate_jointly`, no batch. A token whose threshold no allowed set reaches
    must get its top `max_experts` by score; every other token must reach its threshold. So there
    may be no allocation at all where JESA has to give tokens less than they ask for.

    HiGHS accepts small violations, so its answer is only taken for which experts it selects: a set
    that misses its threshold is cut off and the program solved again, and the assignment and the
    energy are computed anew, exactly.

    Args:
        score: as in `allocate_jointly`, with all that follow, without a batch axis.
        rate: (I, K, S) bit/s.
        compute_energy: joules per token.
        threshold: of each token.
        max_experts: D.
        state_bits: bits.
        power: watts.
        sources: (I,) nodes.
        available: (K,) bool.
        return_rate: (I, K, S) bit/s.
        time_limit: seconds, > 0.

    Raises:
        ValueError: as `allocate_jointly`, a batch, or `time_limit` not above 0.
    """
    problem = state_problem(
        score, rate, compute_energy, threshold, max_experts, state_bits, power, sources, available,
        return_rate, NODE_LIMIT,
    )  # fmt: skip
    if problem.batch:
        raise ValueError(f"score has batch axes {problem.batch}; solve_exactly takes one layer")
    layer = layer_at(problem, 0)
    end = time.monotonic() + positive("time_limit", time_limit)
    bound = _floor(layer)
    model = build_model(layer, bound or 1.0)
    while (left := end - time.monotonic()) > 0:
        selected, highs_bound, impossible = run_highs(model, left)
        if impossible:
            return _nothing(layer, np.inf if model.complete else bound, proven=model.complete)
        bound = max(bound, highs_bound)
        if selected is None:
            break
        served = reaches(layer.score, selected, layer.goal)
        if served.all():
            return _finish(layer, problem.threshold[0], Choice(selected, served), bound)
        model = _cut_off(model, selected, ~served)
    return _nothing(layer, bound, proven=False)


def _floor(layer: Layer) -> float:
    """Sum the tokens' least energies with every link at its best subcarrier."""
    energy = layer.compute + np.broadcast_to(layer.best[:, None, :], layer.score.shape)
    experts = energy.shape[2]
    rows = energy.size // experts if experts else 0
    values = np.empty((rows, 2))
    select_batch(
        energy.reshape(rows, experts),
        layer.score.reshape(rows, experts),
        layer.goal.reshape(rows),
        layer.most,
        layer.node_limit,
        0.0,
        np.zeros((rows, experts), np.bool_),
        values,
        np.empty(rows, np.bool_),
        np.empty(rows, np.int64),
    )
    return float(values[:, 1].sum())


def _cut_off(model: JointModel, selected: Flags, misses: Flags) -> JointModel:
    """Ask every token that missed its threshold for one more expert from outside its set."""
    cuts = []
    for i, q in np.argwhere(misses):
        cut = np.zeros(selected.shape)
        cut[i, q] = ~selected[i, q]
        cuts.append(cut.reshape(-1))
    return model._replace(cuts=[*model.cuts, *cuts])


def _finish(layer: Layer, threshold: Floats, choice: Choice, bound: float) -> ExactAllocation:
    """Assign subcarriers exactly and compare with the bound."""
    plan, _ = assign_subcarriers(layer, choice)
    if plan is None:
        return _nothing(layer, bound, proven=False)
    # HiGHS's bound is exact only to its tolerances, and no bound exceeds what was reached.
    bound = min(bound, plan.joules)
    gap = (plan.joules - bound) / plan.joules if plan.joules > 0 else 0.0
    feasible = reaches(layer.score, plan.selected, threshold)
    return ExactAllocation(
        plan.selected, plan.subcarrier, plan.joules, feasible, bound, gap, gap <= PROVEN_GAP
    )


def _nothing(layer: Layer, bound: float, *, proven: bool) -> ExactAllocation:
    """Report that no allocation was found."""
    sources, tokens, _ = layer.score.shape
    return ExactAllocation(
        np.zeros(layer.score.shape, np.bool_),
        np.full(layer.best.shape, -1, np.int64),
        np.inf,
        np.zeros((sources, tokens), np.bool_),
        bound,
        np.nan,
        proven,
    )
