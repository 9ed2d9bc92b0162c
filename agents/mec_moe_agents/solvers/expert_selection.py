"""DES: the cheapest set of experts whose scores reach a threshold (Qin et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_agents.solvers.inputs import checked, common_batch, spread, whole, without_unavailable
from mec_moe_agents.solvers.selection_bound import FEASIBILITY_RTOL, bound_rows, take_highest
from mec_moe_agents.solvers.selection_search import search_rows
from mec_moe_env.config import Real
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, lean_kernel

# Above this many experts the bound beats the enumeration of pairs.
MOST_EXPERTS_FOR_PAIRS = 64
# Tens to hundreds of milliseconds of search, a matter of how large the tables are.
NODE_LIMIT = 1_000_000


@dataclass(frozen=True)
class ExpertSelection:
    """The experts chosen for each token; leading axes as in the input."""

    selected: NDArray[np.bool_]
    """(..., K)."""
    energy: NDArray[np.float64]
    """(...,) joules of the selected experts."""
    feasible: NDArray[np.bool_]
    """(...,), whether some allowed set reaches the threshold. Where none does, `selected` is the
    top `max_experts` by score."""
    proven: NDArray[np.bool_]
    """(...,), whether `energy` is the optimum to 1e-10 relative. An infeasible token is proven
    too: that nothing reaches its threshold is certain."""
    bound: NDArray[np.float64]
    """(...,) lower bound on the energy of every set that reaches the threshold: equal to `energy`
    where proven, +inf where infeasible."""
    nodes: NDArray[np.int64]
    """(...,) nodes of the tree search; 0 where the bound or a closed form decided."""


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

    Example:
        >>> from mec_moe_agents.solvers import select_experts
        >>> found = select_experts([1.0, 2.0, 4.0], [0.2, 0.3, 0.5], threshold=0.5, max_experts=2)
        >>> found.selected, float(found.energy)
        (array([ True,  True, False]), 3.0)

    Raises:
        ValueError: NaN, a negative energy or score, shapes that do not fit, `max_experts` or
            `node_limit` not an integer ≥ 0, `gap` outside [0, 1).
    """
    most, nodes_allowed = whole("max_experts", max_experts, 0), whole("node_limit", node_limit, 0)
    if not Real(0, 1).admits(gap) or gap == 1:
        raise ValueError(f"gap is {gap!r}; it must be one number in [0, 1)")
    energies, scores, limit = _check_tokens(energy, score, threshold, available)
    shape, batch = scores.shape, scores.shape[:-1]
    rows = (limit.size, shape[-1])
    tokens = energies.reshape(rows), scores.reshape(rows), limit.reshape(-1)
    found = select_tokens(*tokens, most, nodes_allowed, float(gap))
    return ExpertSelection(
        selected=found.selected.reshape(shape),
        energy=found.energy.reshape(batch),
        feasible=np.isfinite(found.bound).reshape(batch),
        proven=(found.energy <= found.bound).reshape(batch),
        bound=found.bound.reshape(batch),
        nodes=found.nodes.reshape(batch),
    )


def _check_tokens(
    energy: ArrayLike, score: ArrayLike, threshold: ArrayLike, available: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return energies and scores, (..., K), and thresholds, (...); +inf where unavailable."""
    energies = checked("energy", energy, 1, infinite=True)
    scores = checked("score", score, 1)
    if energies.shape[-1] != scores.shape[-1]:
        raise ValueError(
            f"score has {scores.shape[-1]} experts, energy {energies.shape[-1]}; both need as many"
        )
    shape = (*common_batch("score", scores, 1, "energy", energies, 1), scores.shape[-1])
    limit = checked("threshold", threshold, least=-np.inf, infinite=True)
    limit = spread("threshold", limit, shape[:-1])
    energies = without_unavailable(energies, available, shape)
    return spread("energy", energies, shape), spread("score", scores, shape), limit


class Selected(NamedTuple):
    """The outcome of `select_tokens`, as `ExpertSelection` has it, for N rows of K experts."""

    selected: Flags
    energy: Floats
    bound: Floats
    nodes: Integers


def select_tokens(
    energy: Floats,
    score: Floats,
    threshold: Floats,
    most: int,
    node_limit: int,
    gap: float = 0.0,
) -> Selected:
    """Select for every row of (N, K) arrays, without checking them; thresholds are (N,).

    Each kernel does all that the one before it can do. So a process compiles, or loads, the bound
    only for a token without a closed form, and the search only for one that the bound leaves open.
    """
    rows = len(threshold)
    found = Selected(
        np.zeros(energy.shape, np.bool_),
        np.empty(rows),
        np.empty(rows),
        np.zeros(rows, np.int64),
    )
    experts = energy.shape[1]
    if most < 2 or (most == 2 and experts <= MOST_EXPERTS_FOR_PAIRS):
        select_few(energy, score, threshold, most, *found[:3])
        return found
    numbers, integers = np.empty((3, experts)), np.empty((3, experts + 1), np.int64)
    settled = bound_rows(energy, score, threshold, most, gap, *found[:3], numbers, integers)
    if settled < rows:
        search_rows(
            energy, score, threshold, most, gap, node_limit, settled, *found, numbers, integers
        )
    return found


@lean_kernel
def select_few(
    energy: Floats,
    score: Floats,
    threshold: Floats,
    most: int,
    selected: Flags,
    spent: Floats,
    bound: Floats,
) -> None:
    """Select at most two experts for every row by the closed forms."""
    for row in range(threshold.shape[0]):
        required = threshold[row] * (1.0 - FEASIBILITY_RTOL)
        if threshold[row] <= 0.0:
            spent[row], bound[row] = 0.0, 0.0
            continue
        least, first, second = cheapest_few(energy[row], score[row], required, most)
        spent[row], bound[row] = least, least
        if first >= 0:
            selected[row, first] = True
            selected[row, second] = True
        else:
            spent[row] = take_highest(energy[row], score[row], most, selected[row])


@device
def cheapest_few(
    energy: Floats, score: Floats, threshold: float, most: int
) -> tuple[float, int, int]:
    """Find the cheapest experts, two at most, that reach the threshold; (inf, −1, −1) if none do.

    Twice the same expert stands for that expert alone.
    """
    best, first, second = np.inf, -1, -1
    for j in range(energy.shape[0] if most > 0 else 0):
        if score[j] >= threshold and energy[j] < best:
            best, first, second = energy[j], j, j
    for i in range(energy.shape[0] if most > 1 else 0):
        if energy[i] >= best:
            continue
        for j in range(i):
            if energy[i] + energy[j] < best and score[i] + score[j] >= threshold:
                best, first, second = energy[i] + energy[j], j, i
    return best, first, second
