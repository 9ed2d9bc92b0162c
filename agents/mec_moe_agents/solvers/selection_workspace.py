"""The scratch of a selection: the experts still in question, packed, and the best few of them.

A max-heap of positions by their keys finds the smallest few. It beats a sort where only a few of
many keys are wanted, and compiles in a tenth of the time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.inputs import Floats, Integers
from mec_moe_env.core.kernels import device


class Workspace(NamedTuple):
    """Scratch of one selection among K experts."""

    energy: Floats  # (K,) packed: experts still in question come first
    score: Floats  # (K,) likewise
    reduced: Floats  # (K,) e − λt
    expert: Integers  # (K + 1,) the expert behind each packed position
    heap: Integers  # (K + 1,) packed positions of the best set at the last multiplier
    best: Integers  # (K + 1,) experts of the best set found so far


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

    At least `least`, at most `most`; between the two only negative keys enter. A max-heap beats
    a sort because almost every key is turned away by one comparison with the root.
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
