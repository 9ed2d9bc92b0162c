"""JESA and JESA+: experts and subcarriers of one layer together (Qin et al. 2025)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.solvers.inputs import Instance, LayerProblem, whole
from mec_moe_agents.solvers.joint_plan import (
    Choice,
    Plan,
    assign_subcarriers,
    choose_anew,
    descend,
    link_prices,
    reaches,
    start_plan,
)
from mec_moe_env.core.buffers import Floats

# Each selection inside JESA: enough for any gate seen, small enough for a step of an environment.
NODE_LIMIT = 20_000
MAX_ITERATIONS = 64
# Iterations of the descent after a move of JESA+.
ITERATIONS_AFTER_MOVE = 16


@dataclass(frozen=True)
class JointAllocation:
    """Experts and subcarriers of one layer; leading axes as in the problem."""

    selected: NDArray[np.bool_]
    """(..., I, Q, K)."""
    subcarrier: NDArray[np.int64]
    """(..., I, K), −1 for a link that carries nothing."""
    energy: NDArray[np.float64]
    """(...,) joules of all transmissions and computations."""
    feasible: NDArray[np.bool_]
    """(..., I, Q), whether the token's threshold is reached."""
    served: NDArray[np.bool_]
    """(..., I, Q), whether the token gets what it asks for: its threshold, or the best it can
    reach where that is less. False only where links outnumber subcarriers."""
    trace: NDArray[np.float64]
    """(..., n) joules after every iteration that the plan kept, with the charge of tokens that are
    not served, from the first plan on that serves as many as the last one, all or not all; never
    rises; filled up with its last value where batch entries took fewer."""
    evaluations: NDArray[np.int64]
    """(...,), the descents it took: 1 for JESA, 1 and the moves for JESA+."""


def allocate_jointly(
    problem: LayerProblem, *, node_limit: int = NODE_LIMIT, max_iterations: int = MAX_ITERATIONS
) -> JointAllocation:
    """Allocate by JESA: alternating expert selection and assignment (Qin et al. 2025, P1).

    Tokens are selected for exactly (DES) with every link at its best subcarrier; used links are
    then assigned exactly; tokens are selected for again at the prices that follow, an unused link
    at its best free subcarrier (reconstructed); and so on until the plan stops improving. Optimal
    when all links' best subcarriers differ; otherwise a local optimum.

    A token whose threshold no allowed set reaches asks for its top `max_experts` by score among
    the experts that it can reach (less those of score 0, which add nothing), and is reported
    infeasible. Where more links are in use than subcarriers can serve, P1 says nothing about whom
    to leave out. Links are then closed one by one, each time the one that is the cheapest to lose:
    its tokens choose anew over the remaining links, or get less than they ask for, the top
    `max_experts` of what they still reach, and are charged as `DMoEEnv` charges a violation (our
    extension). C2 and C3 hold in every case.

    Args:
        problem: one layer or a batch.
        node_limit: of the tree search for each token.
        max_iterations: most iterations, each a selection and an assignment.

    Example:
        >>> import numpy as np
        >>> from mec_moe_agents.solvers import LayerProblem, allocate_jointly
        >>> problem = LayerProblem(
        ...     score=[[[0.5, 0.3, 0.2]]],  # one token, whose source is node 0
        ...     rate=np.full((1, 3, 2), [1e6, 2e6]),
        ...     compute_energy=[1e-3, 1e-3, 1e-3],
        ...     threshold=0.7,
        ...     max_experts=2,
        ...     state_bits=1e4,
        ...     power=0.1,
        ... )
        >>> found = allocate_jointly(problem)
        >>> found.selected, found.subcarrier, float(found.energy)
        (array([[[ True,  True, False]]]), array([[-1,  1, -1]]), 0.0025)

    Raises:
        ValueError: `node_limit` is not an integer ≥ 0, or `max_iterations` not one ≥ 1.
    """
    return allocate_jointly_plus(
        problem, node_limit=node_limit, max_iterations=max_iterations, effort=0
    )


def allocate_jointly_plus(
    problem: LayerProblem,
    *,
    node_limit: int = NODE_LIMIT,
    max_iterations: int = MAX_ITERATIONS,
    effort: int = 2000,
) -> JointAllocation:
    """Allocate by JESA+: JESA, then a local search over open links (our extension).

    JESA's descent stops where no single block can improve, though a link may be worth closing to
    free its subcarrier for others, or opening at a subcarrier that somebody else holds. A move
    closes or opens one or two links, for a whole source or for one token, re-selects, re-assigns
    and descends again, so the cost is up to `effort` times a descent; `evaluations` counts them.
    Never worse than JESA: it serves all tokens if JESA does, and then saves energy; otherwise it
    saves energy and charges together.

    Args:
        problem: as in `allocate_jointly`, with the next two.
        node_limit: of the tree search for each token.
        max_iterations: most iterations of the first descent.
        effort: most moves to try; 0 is JESA.

    Raises:
        ValueError: as `allocate_jointly`, or `effort` not an integer ≥ 0.
    """
    moves = whole("effort", effort, 0)
    iterations = whole("max_iterations", max_iterations, 1)
    batch, arrays = problem.batch, problem.arrays
    selected = np.zeros((*batch, *arrays.score.shape[1:]), np.bool_)
    served = np.zeros((*batch, *arrays.goal.shape[1:]), np.bool_)
    subcarrier = np.full((*batch, *arrays.best.shape[1:]), -1, np.int64)
    energy = np.zeros(batch)
    evaluations = np.ones(batch, np.int64)
    traces = []
    for b, layer in zip(np.ndindex(*batch), problem.instances(node_limit), strict=True):
        plans = descend(layer, start_plan(layer), iterations)
        evaluations[b] += refine(layer, plans, moves)
        plan = plans[-1]
        selected[b], served[b], subcarrier[b] = plan.selected, plan.served, plan.subcarrier
        energy[b] = plan.joules
        # To serve all tokens comes first and may cost energy: the trace begins anew there.
        traces.append([each.value for each in plans if each.serves_all == plan.serves_all])
    longest = max(map(len, traces), default=1)
    padded = np.array([trace + trace[-1:] * (longest - len(trace)) for trace in traces])
    trace = padded.reshape(*batch, longest)
    reached = reaches(arrays.score, selected.reshape(arrays.score.shape), arrays.threshold)
    feasible = reached.reshape(served.shape)
    return JointAllocation(selected, subcarrier, energy, feasible, served, trace, evaluations)


# Close the link of a source to an expert if it carries states, else open it; for one token or all.
Move = tuple[int, int, slice | int]


def refine(layer: Instance, plans: list[Plan], effort: int) -> int:
    """Append better plans, by single moves, then by pairs, until none helps or `effort` is spent.

    Returns:
        The number of moves tried.
    """
    tried = 0
    while tried < effort:
        plan = plans[-1]
        base = link_prices(layer, plan)
        for moves in islice(neighbourhood(layer, plan), effort - tried):
            tried += 1
            trial, _ = assign_subcarriers(layer, apply_moves(layer, plan, base, moves))
            if trial is None:
                continue
            trial = descend(layer, trial, ITERATIONS_AFTER_MOVE)[-1]
            if trial.beats(plan):
                plans.append(trial)
                break
        else:
            break
    return tried


def neighbourhood(layer: Instance, plan: Plan) -> Iterator[tuple[Move, ...]]:
    """Yield the single moves worth trying, closings first, then the pairs."""
    moves: list[Move] = []
    for i, k in np.argwhere(plan.load > 0):
        moves.append((int(i), int(k), slice(None)))
        if plan.load[i, k] > 1:
            tokens = np.flatnonzero(plan.selected[i, :, k])
            moves.extend((int(i), int(k), int(q)) for q in tokens)
    within_reach = np.isfinite(layer.best + layer.compute) & layer.remote
    for i, k in np.argwhere(within_reach & (plan.load == 0)):
        moves.append((int(i), int(k), slice(None)))
    yield from ((move,) for move in moves)
    yield from combinations(moves, 2)


def apply_moves(layer: Instance, plan: Plan, base: Floats, moves: tuple[Move, ...]) -> Choice:
    """Select anew after the moves changed the prices `base` of their links."""
    price = base.copy()
    choice = Choice(plan.selected, plan.served)
    for i, k, tokens in moves:
        price[i, k] = np.inf if plan.load[i, k] else layer.best[i, k]
        choice = choose_anew(layer, choice, price, i, tokens)
    return choice
