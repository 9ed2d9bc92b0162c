"""The Lagrangian bound of DES: it prices the threshold and keeps the expert limit exact.

For a multiplier λ ≥ 0 on the threshold, every set x of `least`..`most` experts that reaches it has

    energy(x) ≥ λ·threshold + min over such sets of Σ (e_j − λ·t_j)

and the minimum only asks for the smallest reduced costs e − λt. Maximised over λ this is the
linear relaxation of both rows, found here in a few linear passes instead of a sort or a simplex.
A max-heap of positions by their keys finds the smallest few: it beats a sort where only a few of
many keys are wanted, and compiles in a tenth of the time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, lean_kernel

# Scores reach a threshold up to this relative shortfall: sums of floats depend on their order.
FEASIBILITY_RTOL = 1e-12
# What counts as optimal, relative to the energy: above the noise of summing floats, and coarse
# enough that costs which follow the scores (e = t + c) do not ask for a miracle of digits.
OPTIMALITY_RTOL = 1e-10
MAX_ROUNDS = 40
# Relative distance of bound and best set from which it pays to drop experts between two rounds.
NEAR = 0.125


class Workspace(NamedTuple):
    """Scratch of one selection among K experts."""

    energy: Floats  # (K,) packed: experts still in question come first
    score: Floats  # (K,) likewise
    reduced: Floats  # (K,) e − λt
    expert: Integers  # (K + 1,) the expert behind each packed position
    heap: Integers  # (K + 1,) packed positions of the best set at the last multiplier
    best: Integers  # (K + 1,) experts of the best set found so far


class Bounded(NamedTuple):
    """What the bound, and then the search, know of a token."""

    size: int  # packed experts still in question
    least: int  # fewest experts that reach the threshold
    most: int
    threshold: float
    multiplier: float  # λ of the bound
    members: int  # of the best set; −1 where no set reaches the threshold
    energy: float  # of the best set
    bound: float


@lean_kernel
def bound_rows(
    energy: Floats,
    score: Floats,
    threshold: Floats,
    most: int,
    gap: float,
    selected: Flags,
    spent: Floats,
    bound: Floats,
    numbers: Floats,
    integers: Integers,
) -> int:
    """Select for every row up to the first one that the bound leaves open.

    Energies, scores and selections (all False) are (N, K), scratch (3, K) and (3, K + 1), the
    other arrays (N,); `gap` is the relative distance to the optimum that is close enough.

    Returns:
        The row left open; N if there is none.
    """
    work = Workspace(numbers[0], numbers[1], numbers[2], integers[0], integers[1], integers[2])
    gap = max(gap, OPTIMALITY_RTOL)
    rows: int = threshold.shape[0]
    for row in range(rows):
        token = bound_token(energy[row], score[row], threshold[row], most, work)
        if token.bound < token.energy * (1.0 - gap):
            return row
        spent[row], bound[row] = finish(token, work, energy[row], score[row], selected[row])
    return rows


@device
def bound_token(
    energy: Floats, score: Floats, threshold: float, most: int, work: Workspace
) -> Bounded:
    """Bound the energy of one token, and find a set that comes close."""
    required = threshold * (1.0 - FEASIBILITY_RTOL)
    if threshold <= 0.0:
        return Bounded(0, 0, most, required, 0.0, 0, 0.0, 0.0)
    size = pack_usable(energy, score, required, work)
    most = min(most, size)
    least = fewest_needed(work, size, required, most)
    if least > most:
        return Bounded(size, least, most, required, 0.0, -1, np.inf, np.inf)
    return maximise_bound(work, size, required, least, most)


@device
def maximise_bound(work: Workspace, size: int, threshold: float, least: int, most: int) -> Bounded:
    """Maximise the bound over λ by intersecting the lines of the last sets on either side.

    `least` must be the fewest experts that reach the threshold, and they must come first in the
    heap. Every multiplier tried may improve the best set, raise the bound, and shrink the experts
    in question.
    """
    best_count = keep_best(work, least)
    high_energy = sum_at(work.energy, work.heap, least)
    high_score = sum_at(work.score, work.heap, least)
    count = smallest(work.energy, size, least, most, work.heap)
    low_energy = sum_at(work.energy, work.heap, count)
    low_score = sum_at(work.score, work.heap, count)
    if low_score >= threshold:  # the cheapest sets of all suffice
        count = keep_best(work, count)
        return Bounded(size, least, most, threshold, 0.0, count, low_energy, low_energy)
    best_energy = high_energy
    bound, multiplier = low_energy, 0.0
    slope = (high_energy - low_energy) / (high_score - low_score)
    for _ in range(MAX_ROUNDS):
        if not (0.0 < slope < np.inf):
            break
        reduce_costs(work, size, slope)
        count = smallest(work.reduced, size, least, most, work.heap)
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
        if near:
            size = drop_hopeless(work, size, count, most, best_energy - tolerance - value)
        if converged or bound >= best_energy - tolerance or value >= expected - tolerance:
            break
    return Bounded(size, least, most, threshold, multiplier, best_count, best_energy, bound)


@device
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


@device
def finish(
    token: Bounded, work: Workspace, energy: Floats, score: Floats, selected: Flags
) -> tuple[float, float]:
    """Select the best set, or the highest scores where none is feasible; return energy, bound."""
    if token.members < 0:
        return take_highest(energy, score, token.most, selected), np.inf
    total = 0.0
    for c in range(token.members):
        selected[work.best[c]] = True
        total += energy[work.best[c]]
    proven = token.bound >= token.energy * (1.0 - OPTIMALITY_RTOL)
    return total, total if proven else min(token.bound, total)


@device
def take_highest(energy: Floats, score: Floats, most: int, selected: Flags) -> float:
    """Select the reachable experts of the highest score, ties to the lower index; return Σe."""
    for _ in range(most):
        highest = -1
        for j in range(energy.shape[0]):
            free = energy[j] < np.inf and not selected[j]
            if free and (highest < 0 or score[j] > score[highest]):
                highest = j
        if highest < 0:
            break
        selected[highest] = True
    total = 0.0
    for j in range(energy.shape[0]):
        if selected[j]:
            total += energy[j]
    return total


@device
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


@device
def fewest_needed(work: Workspace, size: int, threshold: float, most: int) -> int:
    """Return the fewest experts whose scores reach the threshold; `most` + 1 if too few do.

    The heap then holds the highest scores in falling order.
    """
    for position in range(size):
        work.reduced[position] = -work.score[position]
    count = smallest(work.reduced, size, most, most, work.heap)
    sort_by(work.reduced, work.heap, count)
    total = 0.0
    for c in range(count):
        total += work.score[work.heap[c]]
        if total >= threshold:
            return c + 1
    return most + 1


@device
def reduce_costs(work: Workspace, size: int, multiplier: float) -> None:
    """Write e − λt of the experts still in question."""
    for j in range(size):
        work.reduced[j] = work.energy[j] - multiplier * work.score[j]


@device
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


@device
def keep_best(work: Workspace, count: int) -> int:
    """Record the set in the heap as the best one; return its size."""
    for c in range(count):
        work.best[c] = work.expert[work.heap[c]]
    return count


@device
def sum_at(values: Floats, positions: Integers, count: int) -> float:
    """Sum `values` at the first `count` of `positions`."""
    total = 0.0
    for c in range(count):
        total += values[positions[c]]
    return total


@device
def smallest(key: Floats, size: int, least: int, most: int, heap: Integers) -> int:
    """Fill `heap` with the positions of the smallest keys; return how many.

    At least `least`, at most `most`; between the two only negative keys enter. Almost every key is
    turned away by one comparison with the root.
    """
    count = 0
    limit = np.inf
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
            sift_down(key, heap, 0, count)
        if count >= least:
            root = key[heap[0]] if count > 0 else 0.0
            limit = max(root, 0.0) if count < most else root
    return count


@device
def sort_by(key: Floats, heap: Integers, size: int) -> None:
    """Sort positions by rising keys."""
    for root in range(size // 2 - 1, -1, -1):
        sift_down(key, heap, root, size)
    for end in range(size - 1, 0, -1):
        heap[0], heap[end] = heap[end], heap[0]
        sift_down(key, heap, 0, end)


@device
def sift_down(key: Floats, heap: Integers, at: int, size: int) -> None:
    """Restore a max-heap below position `at`."""
    item = heap[at]
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


@device
def sift_up(key: Floats, heap: Integers, at: int) -> None:
    """Restore a max-heap after position `at` was appended."""
    item = heap[at]
    while at > 0:
        parent = (at - 1) // 2
        if key[heap[parent]] >= key[item]:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = item
