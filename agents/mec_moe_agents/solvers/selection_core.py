"""The undecided core of a selection, sorted, with the tables that make its bounds O(1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.selection_bound import Floats, Ints, Workspace, reduce_costs
from mec_moe_env.core.kernels import compiled

# Entries of the suffix table; a larger core keeps its threshold bound and loses the count's.
TABLE_ENTRIES = 2_000_000


class Core(NamedTuple):
    """Experts by falling score, and what is known of every suffix j.. of them.

    Attributes:
        energy, score, expert: (n,), the experts.
        reach: (n + 1,) prefix sums of the score.
        multipliers: (L,) the values of λ; the first is that of the bound.
        table: (L, n + 1, width + 2); [l, j, d] is the sum of the d smallest reduced costs from j
            on, [l, j, width + 1] the sum of all the negative ones.
        wanted: (L, n + 1) how many reduced costs from j on are negative.
        minima: [l, j] is where the least energy lies among the 2^l positions from j on.
    """

    energy: Floats
    score: Floats
    expert: Ints
    reach: Floats
    multipliers: Floats
    table: Floats
    wanted: Ints
    minima: Ints


@compiled
def build_core(work: Workspace, size: int, most: int, multipliers: Floats) -> Core:
    """Sort the packed experts and tabulate their suffixes for at most `most` choices."""
    sort_by_score(work, size)
    entries = TABLE_ENTRIES // (size + 1) // multipliers.shape[0]
    width = max(2, min(most, size, entries))
    table = np.full((multipliers.shape[0], size + 1, width + 2), np.inf)
    wanted = np.zeros((multipliers.shape[0], size + 1), np.int64)
    for c in range(multipliers.shape[0]):
        reduce_costs(work, size, multipliers[c])
        tabulate_suffixes(work.reduced, size, width, table[c], wanted[c])
    reach = np.zeros(size + 1)
    for j in range(size):
        reach[j + 1] = reach[j] + work.score[j]
    return Core(
        work.energy[:size],
        work.score[:size],
        work.expert[:size],
        reach,
        multipliers,
        table,
        wanted,
        range_minima(work.energy, size),
    )


@compiled
def suffix_value(table: Floats, wanted: Ints, j: int, fewest: int, most: int) -> float:
    """Return the least sum of reduced costs of `fewest`..`most` experts from position j on."""
    count = min(max(wanted[j], fewest), most)
    last = table.shape[1] - 1
    value: float = table[j, count if count < last else last]
    return value


@compiled
def node_value(
    core: Core, j: int, fewest: int, most: int, spent: float, lacking: float, cutoff: float
) -> float:
    """Bound the energy of a node: the first multiplier's bound at or above `cutoff`, or the best.

    Large experts taken or left out move the price of the threshold, so other multipliers than the
    root's may close a branch that the root's leaves open.
    """
    value = -np.inf
    for c in range(core.multipliers.shape[0]):
        tail = suffix_value(core.table[c], core.wanted[c], j, fewest, most)
        value = max(value, spent + core.multipliers[c] * lacking + tail)
        if value >= cutoff:
            break
    return value


@compiled
def sort_by_score(work: Workspace, size: int) -> None:
    """Sort the packed experts by falling score (heap sort: no recursion, no scratch)."""
    heap = np.arange(size)
    key = -work.score[:size]
    for start in range(size // 2 - 1, -1, -1):
        sift_from(key, heap, start, size)
    for end in range(size - 1, 0, -1):
        heap[0], heap[end] = heap[end], heap[0]
        sift_from(key, heap, 0, end)
    work.energy[:size] = work.energy[:size][heap]
    work.score[:size] = work.score[:size][heap]
    work.expert[:size] = work.expert[:size][heap]


@compiled
def sift_from(key: Floats, heap: Ints, at: int, size: int) -> None:
    """Restore the max-heap below position `at`; equal keys keep their order by position."""
    item = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and after(key, heap[child + 1], heap[child]):
            child += 1
        if not after(key, heap[child], item):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = item


@compiled
def after(key: Floats, first: int, second: int) -> bool:
    """Say whether `first` sorts behind `second`."""
    return key[first] > key[second] or (key[first] == key[second] and first > second)


@compiled
def tabulate_suffixes(reduced: Floats, size: int, width: int, table: Floats, wanted: Ints) -> None:
    """Fill one multiplier's `table` and `wanted`, the table being inf everywhere before."""
    ranked = np.empty(width + 1)
    length = 0
    table[size, 0] = 0.0
    table[size, width + 1] = 0.0
    for j in range(size - 1, -1, -1):
        value = reduced[j]
        wanted[j] = wanted[j + 1] + (1 if value < 0.0 else 0)
        table[j, width + 1] = table[j + 1, width + 1] + min(value, 0.0)
        at = min(length, width)
        if length < width:
            length += 1
        while at > 0 and ranked[at - 1] > value:
            ranked[at] = ranked[at - 1]
            at -= 1
        ranked[at] = value
        total = 0.0
        table[j, 0] = 0.0
        for d in range(length):
            total += ranked[d]
            table[j, d + 1] = total


@compiled
def range_minima(energy: Floats, size: int) -> Ints:
    """Tabulate where the least energy lies: entry [l, j] covers the 2^l positions from j on."""
    levels = 1
    while (1 << levels) <= size:
        levels += 1
    table = np.zeros((levels, max(size, 1)), np.int64)
    for j in range(size):
        table[0, j] = j
    for level in range(1, levels):
        half = 1 << (level - 1)
        for j in range(size - 2 * half + 1):
            left, right = table[level - 1, j], table[level - 1, j + half]
            table[level, j] = left if energy[left] <= energy[right] else right
    return table


@compiled
def cheapest_between(energy: Floats, minima: Ints, first: int, last: int) -> int:
    """Return the position of the least energy in first..last, both included."""
    level = 0
    while (2 << level) <= last - first + 1:
        level += 1
    left: int = minima[level, first]
    right: int = minima[level, last - (1 << level) + 1]
    return left if energy[left] <= energy[right] else right


@compiled
def last_reaching(score: Floats, size: int, first: int, missing: float) -> int:
    """Return the last position from `first` on whose score is at least `missing`, or first − 1."""
    low, high = first, size
    while low < high:
        middle = (low + high) // 2
        if score[middle] >= missing:
            low = middle + 1
        else:
            high = middle
    return low - 1


@compiled
def cheapest_pair(
    energy: Floats,
    score: Floats,
    minima: Ints,
    table: Floats,
    first: int,
    missing: float,
    floor: float,
    allowed: float,
) -> tuple[float, int, int]:
    """Find the cheapest two experts from `first` on that reach `missing`, if below `allowed`.

    `floor` plus the `table` of a core's first multiplier bounds what two more experts cost.

    Returns:
        (energy, position, position), or (allowed, −1, −1)
    """
    size = energy.shape[0]
    one, two = -1, -1
    partner = last_reaching(score, size, first, missing - score[first])
    for i in range(first, size - 1):
        while partner > i and score[i] + score[partner] < missing:
            partner -= 1
        if partner <= i or floor + table[i, 2] >= allowed:
            break
        j = cheapest_between(energy, minima, i + 1, partner)
        if energy[i] + energy[j] < allowed:
            allowed, one, two = energy[i] + energy[j], i, j
    return allowed, one, two


@compiled
def cheapest_single(
    energy: Floats, score: Floats, minima: Ints, first: int, missing: float, allowed: float
) -> tuple[float, int]:
    """Find the cheapest expert from `first` on that reaches `missing`, if below `allowed`."""
    last = last_reaching(score, score.shape[0], first, missing)
    if last < first:
        return allowed, -1
    single = cheapest_between(energy, minima, first, last)
    if energy[single] < allowed:
        return energy[single], single
    return allowed, -1
