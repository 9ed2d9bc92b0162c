"""The Lagrangian bound of DES: it prices the threshold and keeps the expert limit exact.

For a multiplier λ ≥ 0 on the threshold, every set x of `least`..`most` experts that reaches it has

    energy(x) ≥ λ·threshold + min over such sets of Σ (e_j − λ·t_j)

and the minimum only asks for the smallest reduced costs e − λt. Maximised over λ this is the
linear relaxation of both rows, found here in a few linear passes instead of a sort or a simplex.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What counts as optimal, relative to the energy: above the noise of summing floats, and coarse
# enough that costs which follow the scores (e = t + c) do not ask for a miracle of digits.
OPTIMALITY_RTOL = 1e-10
MAX_ROUNDS = 40
# Relative distance of bound and best set from which it pays to drop experts between two rounds.
NEAR = 0.125


class Workspace(NamedTuple):
    """Scratch of one selection, each array of shape (K,), allocated once for a whole batch."""

    energy: Floats  # packed: experts still in question come first
    score: Floats
    expert: Ints  # the expert behind each packed position
    reduced: Floats  # e − λt
    heap: Ints  # packed positions of the best set at the last multiplier
    best: Ints  # experts of the best set found so far
    chosen: Ints  # experts on the path of the search


@compiled
def new_workspace(size: int) -> Workspace:
    """Allocate scratch for selections among `size` experts."""
    return Workspace(
        np.empty(size),
        np.empty(size),
        np.empty(size, np.int64),
        np.empty(size),
        np.empty(size + 1, np.int64),
        np.empty(size + 1, np.int64),
        np.empty(size + 1, np.int64),
    )


@compiled
def sift_down(key: Floats, heap: Ints, size: int) -> None:
    """Restore a max-heap after its root changed."""
    item = heap[0]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and key[heap[child + 1]] > key[heap[child]]:
            child += 1
        if key[heap[child]] <= key[item]:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = item


@compiled
def sift_up(key: Floats, heap: Ints, at: int) -> None:
    """Restore a max-heap after position `at` was appended."""
    item = heap[at]
    while at > 0:
        parent = (at - 1) // 2
        if key[heap[parent]] >= key[item]:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = item


@compiled
def smallest(
    key: Floats, size: int, least: int, most: int, heap: Ints, limit: float = np.inf
) -> int:
    """Fill `heap` with the positions of the smallest keys; return how many.

    At least `least`, at most `most`; between the two only negative keys enter. A max-heap beats
    a sort because almost every key is turned away by one comparison with the root, all the more
    when the caller knows a `limit` that the keys of the set stay below.
    """
    count = 0
    for position in range(size):
        value = key[position]
        if not value < limit:
            continue
        if count < least or (count < most and (count == 0 or key[heap[0]] < 0.0)):
            heap[count] = position
            sift_up(key, heap, count)
            count += 1
        else:
            heap[0] = position
            sift_down(key, heap, count)
        if count >= least:
            root = key[heap[0]] if count > 0 else 0.0
            limit = max(root, 0.0) if count < most else root
    return count


@compiled
def sum_at(values: Floats, positions: Ints, count: int) -> float:
    """Sum `values` at the first `count` of `positions`."""
    total = 0.0
    for c in range(count):
        total += values[positions[c]]
    return total


@compiled
def keep_best(work: Workspace, count: int) -> int:
    """Record the set in the heap as the best one; return its size."""
    for c in range(count):
        work.best[c] = work.expert[work.heap[c]]
    return count


@compiled
def reduce_costs(work: Workspace, size: int, multiplier: float) -> None:
    """Write e − λt of the experts still in question."""
    for j in range(size):
        work.reduced[j] = work.energy[j] - multiplier * work.score[j]


@compiled
def drop_hopeless(work: Workspace, size: int, count: int, most: int, slack: float) -> int:
    """Pack away every expert that no better set can contain; return how many remain.

    Forcing expert j in costs at least its reduced cost, less that of the worst expert it may push
    out (one must leave a full set; one that costs more than nothing may leave). When that exceeds
    `slack`, the best energy minus the bound, j is out.
    """
    worst = work.reduced[work.heap[0]]
    relief = worst if (count == most or worst > 0.0) else 0.0
    limit = slack + relief
    kept = 0
    for j in range(size):
        if work.reduced[j] <= limit:
            work.energy[kept] = work.energy[j]
            work.score[kept] = work.score[j]
            work.expert[kept] = work.expert[j]
            kept += 1
    return kept


@compiled
def highest_reduced(work: Workspace, count: int, most: int, multiplier: float) -> float:
    """Return a limit that the reduced costs of the next best set stay below.

    The set in the heap is a candidate at the new multiplier too, so the best one needs no expert
    worse than its worst, unless a negative one while there is room.
    """
    worst = -np.inf
    for c in range(count):
        position = work.heap[c]
        worst = max(worst, work.energy[position] - multiplier * work.score[position])
    if count < most:
        worst = max(worst, 0.0)
    return worst + 1e-9 * abs(worst) + 1e-300


@compiled
def replace_worst(
    work: Workspace, size: int, count: int, lacking: float, allowed: float
) -> tuple[float, int]:
    """Find the cheapest expert to take the place of the heap's root, of energy below `allowed`.

    `lacking` is what the set falls short of the threshold, negative where it exceeds it.

    Returns:
        (its energy, its packed position), or (allowed, −1)
    """
    required = work.score[work.heap[0]] + lacking
    substitute = -1
    for j in range(size):
        if work.energy[j] < allowed and work.score[j] >= required:
            inside = False
            for c in range(count):
                inside = inside or work.heap[c] == j
            if not inside:
                allowed, substitute = work.energy[j], j
    return allowed, substitute


@compiled
def maximise_bound(
    work: Workspace, size: int, threshold: float, least: int, most: int
) -> tuple[int, int, float, float, float]:
    """Maximise the bound over λ by intersecting the lines of the last sets on either side.

    `least` must be the fewest experts that reach the threshold, and they must come first in the
    heap. Every multiplier tried may improve the best set, raise the bound, and shrink the experts
    in question.

    Returns:
        (experts left, size of the best set, its energy, the bound, its multiplier)
    """
    best_count = keep_best(work, least)
    high_energy = sum_at(work.energy, work.heap, least)
    high_score = sum_at(work.score, work.heap, least)
    count = smallest(work.energy, size, least, most, work.heap)
    low_energy = sum_at(work.energy, work.heap, count)
    low_score = sum_at(work.score, work.heap, count)
    if low_score >= threshold:  # the cheapest sets of all suffice
        return size, keep_best(work, count), low_energy, low_energy, 0.0
    best_energy = high_energy
    bound, multiplier = low_energy, 0.0
    slope = (high_energy - low_energy) / (high_score - low_score)
    limit = np.inf
    for _ in range(MAX_ROUNDS):
        if not (0.0 < slope < np.inf):
            break
        reduce_costs(work, size, slope)
        count = smallest(work.reduced, size, least, most, work.heap, limit)
        energy = sum_at(work.energy, work.heap, count)
        score = sum_at(work.score, work.heap, count)
        value = energy + slope * (threshold - score)
        expected = low_energy + slope * (threshold - low_score)
        if value > bound:
            bound, multiplier = value, slope
        if score >= threshold and energy < best_energy:
            best_count, best_energy = keep_best(work, count), energy
        near = best_energy - value < NEAR * best_energy
        if near:
            rest = energy - work.energy[work.heap[0]]
            better, substitute = replace_worst(
                work, size, count, threshold - score, best_energy - rest
            )
            if substitute >= 0:
                best_count, best_energy = keep_best(work, count), rest + better
                work.best[0] = work.expert[substitute]
        if score >= threshold:
            converged = score == high_score
            high_energy, high_score = energy, score
        else:
            converged = score == low_score
            low_energy, low_score = energy, score
        tolerance = OPTIMALITY_RTOL * best_energy
        slope = (high_energy - low_energy) / (high_score - low_score)
        limit = highest_reduced(work, count, most, slope)
        if near:
            size = drop_hopeless(work, size, count, most, best_energy - tolerance - value)
        if converged or bound >= best_energy - tolerance or value >= expected - tolerance:
            break
    return size, best_count, best_energy, bound, multiplier
