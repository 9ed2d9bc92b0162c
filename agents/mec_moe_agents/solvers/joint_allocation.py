"""JESA and JESA+: experts and subcarriers of one layer together (Qin et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.joint_descent import descend, start_plan
from mec_moe_agents.solvers.joint_problem import JointProblem, layer_at, reaches, state_problem
from mec_moe_agents.solvers.refinement import refine
from mec_moe_agents.solvers.validation import whole

# Each selection inside JESA: enough for any gate seen, small enough for a step of an environment.
NODE_LIMIT = 20_000
MAX_ITERATIONS = 64


@dataclass(frozen=True)
class JointAllocation:
    """Experts and subcarriers of one layer; leading axes as in the input.

    Attributes:
        selected: (..., I, Q, K) bool.
        subcarrier: (..., I, K) int, −1 for a link that carries nothing.
        energy: (...,) joules of all transmissions and computations.
        feasible: (..., I, Q) bool, whether the token's threshold is reached.
        served: (..., I, Q) bool, whether the token gets what it asks for: its threshold, or the
            best it can reach where that is less. False only for want of subcarriers.
        trace: (..., n) joules after every turn that the plan kept, from the first valid plan on;
            never rises; filled up with its last value where batch entries took fewer turns.
        evaluations: (...,) int, the descents it took: 1 for JESA, 1 and the moves for JESA+.
    """

    selected: NDArray[np.bool_]
    subcarrier: NDArray[np.int64]
    energy: NDArray[np.float64]
    feasible: NDArray[np.bool_]
    served: NDArray[np.bool_]
    trace: NDArray[np.float64]
    evaluations: NDArray[np.int64]


def allocate_jointly(
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
    max_iterations: int = MAX_ITERATIONS,
) -> JointAllocation:
    """Allocate by JESA: expert selection and assignment in turns (Qin et al. 2025, P1).

    Minimise the energy Σ (compute_energy[k] + power·state_bits/rate[i,k,s])·selected[i,q,k] over
    experts and subcarriers, so that every token's scores reach its threshold (C1) with at most
    `max_experts` experts (C2) and every subcarrier serves at most one link (C3). Tokens are
    selected for exactly (DES) with every link at its best subcarrier; used links are then assigned
    exactly; tokens are selected for again at the prices that follow, an unused link at its best
    free subcarrier (reconstructed); and so on until the plan stops improving. Optimal when all
    links' best subcarriers differ; otherwise a local optimum.

    A token whose threshold no allowed set reaches asks for its top `max_experts` by score among
    the experts that it can reach (less those of score 0, which add nothing), and is reported
    infeasible. Where more links are in use than subcarriers can serve, links are closed one by
    one, each time the one whose tokens are the cheapest to serve over the remaining links; as the
    last resort a token gets less than it asks for, the top `max_experts` of what it can still
    reach (our extension). C2 and C3 hold in every case.

    Args:
        score: gate scores, (..., I, Q, K), ≥ 0.
        rate: bit/s from source i to node k over subcarrier s, (..., I, K, S), ≥ 0; the entries of
            a source to its own node are ignored.
        compute_energy: joules per token, (K,) or (..., K), ≥ 0; +inf marks an unusable expert.
        threshold: scalar, or broadcastable to (..., I, Q).
        max_experts: D ≥ 0.
        state_bits: size of a hidden state in bits, > 0.
        power: transmission power in watts, > 0.
        sources: the node of each source, (I,); node i by default.
        available: bool, broadcastable to (..., K).
        return_rate: bit/s from node k back to source i, shape of `rate`. When given, the results
            return over the same subcarrier of the reverse channel and their energy counts too
            (reconstructed).
        node_limit: of the tree search for each token.
        max_iterations: most turns.

    Raises:
        ValueError: NaN, a negative score, rate or energy, shapes that do not fit, a node of
            `sources` out of range or named twice, or a scalar out of range.
    """
    problem = state_problem(
        score, rate, compute_energy, threshold, max_experts, state_bits, power, sources, available,
        return_rate, node_limit,
    )  # fmt: skip
    return _allocate(problem, whole("max_iterations", max_iterations, 1), 0)


def allocate_jointly_plus(
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
    max_iterations: int = MAX_ITERATIONS,
    effort: int = 2000,
) -> JointAllocation:
    """Allocate by JESA+: JESA, then a local search over open links (our extension).

    Arguments, result and errors as `allocate_jointly`. Never worse than it: in the number of tokens
    `served` first, in energy second. A move closes or opens one or two links
    and descends again, so the cost is up to `effort` times a descent; `evaluations` counts them.

    Args:
        score: as in `allocate_jointly`.
        rate: as in `allocate_jointly`.
        compute_energy: as in `allocate_jointly`.
        threshold: as in `allocate_jointly`.
        max_experts: as in `allocate_jointly`.
        state_bits: as in `allocate_jointly`.
        power: as in `allocate_jointly`.
        sources: as in `allocate_jointly`.
        available: as in `allocate_jointly`.
        return_rate: as in `allocate_jointly`.
        node_limit: as in `allocate_jointly`.
        max_iterations: as in `allocate_jointly`.
        effort: most moves to try; 0 is JESA.

    Raises:
        ValueError: as `allocate_jointly`, or `effort` not an integer ≥ 0.
    """
    problem = state_problem(
        score, rate, compute_energy, threshold, max_experts, state_bits, power, sources, available,
        return_rate, node_limit,
    )  # fmt: skip
    turns = whole("max_iterations", max_iterations, 1)
    return _allocate(problem, turns, whole("effort", effort, 0))


def _allocate(problem: JointProblem, max_iterations: int, effort: int) -> JointAllocation:
    """Run JESA, and with an effort JESA+, on every entry of the batch."""
    count, sources, tokens, experts = problem.score.shape
    selected = np.zeros(problem.score.shape, np.bool_)
    served = np.zeros((count, sources, tokens), np.bool_)
    subcarrier = np.full((count, sources, experts), -1, np.int64)
    energy = np.zeros(count)
    evaluations = np.ones(count, np.int64)
    traces = []
    for b in range(count):
        layer = layer_at(problem, b)
        plan, trace = descend(layer, start_plan(layer), max_iterations)
        if effort:
            plan, trace, tried = refine(layer, plan, trace, effort)
            evaluations[b] += tried
        selected[b], served[b], subcarrier[b] = plan.selected, plan.served, plan.subcarrier
        energy[b] = plan.joules
        traces.append(trace)
    longest = max(map(len, traces), default=1)
    padded = np.array([trace + trace[-1:] * (longest - len(trace)) for trace in traces])
    batch = problem.batch
    feasible = reaches(problem.score, selected, problem.threshold)
    return JointAllocation(
        selected=selected.reshape(*batch, sources, tokens, experts),
        subcarrier=subcarrier.reshape(*batch, sources, experts),
        energy=energy.reshape(batch),
        feasible=feasible.reshape(*batch, sources, tokens),
        served=served.reshape(*batch, sources, tokens),
        trace=padded.reshape(*batch, longest),
        evaluations=evaluations.reshape(batch),
    )
