"""DES: the cheapest set of experts whose scores reach a threshold (Qin et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.closed_forms import best_pair, best_single
from mec_moe_agents.solvers.selection_bound import (
    OPTIMALITY_RTOL,
    Floats,
    Ints,
    Workspace,
    maximise_bound,
    new_workspace,
    sift_down,
    smallest,
)
from mec_moe_agents.solvers.selection_search import search_undecided
from mec_moe_agents.solvers.validation import flags, nonnegative, numbers, spread, whole
from mec_moe_env.core.kernels import compiled

# Scores reach a threshold up to this relative shortfall: sums of floats depend on their order.
FEASIBILITY_RTOL = 1e-12
# Above this many experts the bound beats the enumeration of pairs.
MOST_EXPERTS_FOR_PAIRS = 64
# Tens to hundreds of milliseconds of search, a matter of how large the tables are.
NODE_LIMIT = 1_000_000


@dataclass(frozen=True)
class ExpertSelection:
    """The experts chosen for each token; leading axes as in the input.

    Attributes:
        selected: (..., K) bool.
        energy: (...,) joules of the selected experts.
        feasible: (...,) bool, whether some allowed set reaches the threshold. Where none does,
            `selected` is the top `max_experts` by score.
        proven: (...,) bool, whether `energy` is the optimum to 1e-10 relative. An infeasible
            token is proven too: that nothing reaches its threshold is certain.
        bound: (...,) lower bound on the energy of every set that reaches the threshold: equal to
            `energy` where proven, +inf where infeasible.
        nodes: (...,) nodes of the tree search; 0 where the bound or a closed form decided.
    """

    selected: NDArray[np.bool_]
    energy: NDArray[np.float64]
    feasible: NDArray[np.bool_]
    proven: NDArray[np.bool_]
    bound: NDArray[np.float64]
    nodes: NDArray[np.int64]


def select_experts(
    energy: ArrayLike,
    score: ArrayLike,
    threshold: ArrayLike,
    max_experts: int,
    available: ArrayLike | None = None,
    node_limit: int = NODE_LIMIT,
    gap: float = 0.0,
) -> ExpertSelection:
    """Select the cheapest experts whose scores reach the threshold (Qin et al. 2025, DES).

    min Σ e_j·α_j  subject to  Σ t_j·α_j ≥ threshold,  Σ α_j ≤ max_experts,  α binary.

    Exact wherever `proven`. The paper's tree search over a linear relaxation is the base; the
    Lagrangian bound, the decisions it makes before the search, and the order of branching are our
    extension. The threshold counts as reached from threshold·(1 − 1e-12) on. A threshold ≤ 0 is
    reached by the empty set, which costs nothing. Ties in energy are broken deterministically;
    ties in score, for infeasible tokens, go to the lower index.

    Args:
        energy: e, (..., K) joules, ≥ 0; +inf marks an expert that cannot be reached.
        score: t, (..., K), ≥ 0.
        threshold: scalar or (...,); may be infinite.
        max_experts: D ≥ 0.
        available: bool, (..., K) or broadcastable; all by default.
        node_limit: most nodes of the tree search for each token.
        gap: relative distance to the optimum at which the search may stop; 0 asks for the optimum.

    Raises:
        ValueError: NaN, a negative energy or score, shapes that do not fit, `max_experts` or
            `node_limit` not an integer ≥ 0, `gap` outside [0, 1).
    """
    energies = nonnegative("energy", energy, 1, infinite=True)
    scores = nonnegative("score", score, 1)
    try:
        shape = np.broadcast_shapes(energies.shape, scores.shape)
    except ValueError:
        raise ValueError(
            f"score has shape {scores.shape}, energy {energies.shape}: no fit"
        ) from None
    if shape[-1] != energies.shape[-1] or shape[-1] != scores.shape[-1]:
        raise ValueError(
            f"score has {scores.shape[-1]} experts, energy {energies.shape[-1]}; both need as many"
        )
    limit = spread("threshold", numbers("threshold", threshold), shape[:-1])
    if available is not None:
        usable = spread("available", flags("available", available), shape)
        energies = np.where(usable, energies, np.inf)
    most, nodes_allowed = whole("max_experts", max_experts, 0), whole("node_limit", node_limit, 0)
    if not isinstance(gap, (int, float)) or not 0.0 <= gap < 1.0:
        raise ValueError(f"gap is {gap!r}; it must be one number in [0, 1)")
    count = limit.size
    selected = np.zeros((count, shape[-1]), np.bool_)
    values = np.empty((count, 2))
    feasible = np.empty(count, np.bool_)
    nodes = np.zeros(count, np.int64)
    select_batch(
        spread("energy", energies, shape).reshape(selected.shape),
        spread("score", scores, shape).reshape(selected.shape),
        limit.reshape(count),
        most,
        nodes_allowed,
        float(gap),
        selected,
        values,
        feasible,
        nodes,
    )
    batch = shape[:-1]
    return ExpertSelection(
        selected=selected.reshape(shape),
        energy=values[:, 0].reshape(batch),
        feasible=feasible.reshape(batch),
        proven=(~feasible | (values[:, 0] <= values[:, 1])).reshape(batch),
        bound=values[:, 1].reshape(batch),
        nodes=nodes.reshape(batch),
    )


@compiled
def select_batch(
    energy: Floats,
    score: Floats,
    threshold: Floats,
    most: int,
    node_limit: int,
    gap: float,
    selected: NDArray[np.bool_],
    values: Floats,
    feasible: NDArray[np.bool_],
    nodes: Ints,
) -> None:
    """Select for every row of (N, K) arrays; `values` takes the energies and bounds, (N, 2)."""
    work = new_workspace(energy.shape[1])
    for row in range(energy.shape[0]):
        values[row, 0], values[row, 1], feasible[row], nodes[row] = select_one(
            energy[row], score[row], threshold[row], most, node_limit, gap, selected[row], work
        )


@compiled
def select_one(
    energy: Floats,
    score: Floats,
    threshold: float,
    most: int,
    node_limit: int,
    gap: float,
    selected: NDArray[np.bool_],
    work: Workspace,
) -> tuple[float, float, bool, int]:
    """Select for one token into `selected`, which must be all False.

    Returns:
        (energy, bound, feasible, nodes)
    """
    if threshold <= 0.0:
        return 0.0, 0.0, True, 0
    threshold *= 1.0 - FEASIBILITY_RTOL
    if most == 1:
        best, single = best_single(energy, score, threshold)
        if single >= 0:
            selected[single] = True
            return best, best, True, 0
    elif most == 2 and energy.shape[0] <= MOST_EXPERTS_FOR_PAIRS:
        best, first, second = best_pair(energy, score, threshold)
        if first >= 0:
            selected[first] = True
            selected[second] = True
            return best, best, True, 0
    elif most > 1:
        size = pack_usable(energy, score, threshold, work)
        most = min(most, size)
        least = fewest_needed(work, size, threshold, most)
        if least <= most:
            return select_by_search(
                energy, size, threshold, least, most, node_limit, gap, selected, work
            )
    return take_highest(energy, score, most, selected, work), np.inf, False, 0


@compiled
def select_by_search(
    energy: Floats,
    size: int,
    threshold: float,
    least: int,
    most: int,
    node_limit: int,
    gap: float,
    selected: NDArray[np.bool_],
    work: Workspace,
) -> tuple[float, float, bool, int]:
    """Bound, then search, one token that is known to be feasible."""
    size, count, best, bound, multiplier = maximise_bound(work, size, threshold, least, most)
    nodes = 0
    if bound < best * (1.0 - max(gap, OPTIMALITY_RTOL)):
        count, best, searched, nodes = search_undecided(
            work, size, threshold, least, most, multiplier, count, best, node_limit, gap
        )
        bound = max(bound, searched)
    total = 0.0
    for c in range(count):
        selected[work.best[c]] = True
        total += energy[work.best[c]]
    if bound >= best * (1.0 - OPTIMALITY_RTOL):
        bound = total
    return total, min(bound, total), True, nodes


@compiled
def pack_usable(energy: Floats, score: Floats, threshold: float, work: Workspace) -> int:
    """Copy the experts that can help to the workspace; return their number.

    A score above the threshold is worth no more than the threshold, and saying so tightens the
    bound.
    """
    size = 0
    for j in range(energy.shape[0]):
        if energy[j] < np.inf and score[j] > 0.0:
            work.energy[size] = energy[j]
            work.score[size] = min(score[j], threshold)
            work.expert[size] = j
            size += 1
    return size


@compiled
def fewest_needed(work: Workspace, size: int, threshold: float, most: int) -> int:
    """Return the fewest experts whose scores reach the threshold; `most` + 1 if too few do."""
    for position in range(size):
        work.reduced[position] = -work.score[position]
    count = smallest(work.reduced, size, most, most, work.heap)
    for end in range(count - 1, 0, -1):  # heap sort: the highest score ends up first
        work.heap[0], work.heap[end] = work.heap[end], work.heap[0]
        sift_down(work.reduced, work.heap, end)
    total = 0.0
    for c in range(count):
        total += work.score[work.heap[c]]
        if total >= threshold:
            return c + 1
    return most + 1


@compiled
def take_highest(
    energy: Floats, score: Floats, most: int, selected: NDArray[np.bool_], work: Workspace
) -> float:
    """Select the reachable experts of the highest score, ties to the lower index; return Σe."""
    size = 0
    for j in range(energy.shape[0]):
        if energy[j] < np.inf:
            work.reduced[size] = -score[j]
            work.expert[size] = j
            size += 1
    count = smallest(work.reduced, size, min(most, size), min(most, size), work.heap)
    if count == 0:
        return 0.0
    last = work.reduced[work.heap[0]]
    room = count
    for c in range(count):
        if work.reduced[work.heap[c]] < last:
            room -= 1
    total = 0.0
    for position in range(size):
        tied = work.reduced[position] == last
        if work.reduced[position] < last or (tied and room > 0):
            selected[work.expert[position]] = True
            total += energy[work.expert[position]]
            room -= 1 if tied else 0
    return total
