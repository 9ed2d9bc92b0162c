"""The undecided core of a selection, sorted, with the tables that make its bounds O(1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.inputs import Floats, Integers
from mec_moe_agents.solvers.selection_workspace import Workspace, sort_by
from mec_moe_env.core.kernels import device, kernel

# Entries of the suffix table; a larger core keeps its threshold bound and loses the count's.
TABLE_ENTRIES = 2_000_000


class Core(NamedTuple):
    """n undecided experts by falling score, and what is known of every suffix j.. of them."""

    energy: Floats  # (n,)
    score: Floats  # (n,)
    expert: Integers  # (n,)
    reach: Floats  # (n + 1,) prefix sums of the score
    # (n + 1, width + 2): [j, d] is the sum of the d smallest reduced costs from j on,
    # [j, width + 1] the sum of all the negative ones.
    table: Floats
    wanted: Integers  # (n + 1,) how many reduced costs from j on are negative
    minima: Integers  # [l, j] is where the least energy lies among the 2^l positions from j on
    multiplier: float  # λ of the reduced costs


@kernel
def build_core(work: Workspace, size: int, most: int, multiplier: float) -> Core:
    """Sort the packed experts and tabulate their suffixes for at most `most` choices."""
    order = np.empty(size, np.int64)
    for j in range(size):
        order[j] = j
        work.reduced[j] = -work.score[j]
    sort_by(work.reduced, order, size)
    levels = 1
    while (1 << levels) <= size:
        levels += 1
    width = max(2, min(most, size, TABLE_ENTRIES // (size + 1)))
    core = Core(
        np.empty(size),
        np.empty(size),
        np.empty(size, np.int64),
        np.zeros(size + 1),
        np.full((size + 1, width + 2), np.inf),
        np.zeros(size + 1, np.int64),
        np.zeros((levels, max(size, 1)), np.int64),
        multiplier,
    )
    for j in range(size):
        core.energy[j], core.score[j] = work.energy[order[j]], work.score[order[j]]
        core.expert[j] = work.expert[order[j]]
        core.reach[j + 1] = core.reach[j] + core.score[j]
    tabulate_suffixes(core, np.empty(width + 1))
    tabulate_minima(core)
    return core


@device
def tabulate_suffixes(core: Core, ranked: Floats) -> None:
    """Fill `table`, inf everywhere before, and `wanted`; `ranked` is scratch, (width + 1,)."""
    size, width = core.energy.shape[0], ranked.shape[0] - 1
    length = 0
    core.table[size, 0] = 0.0
    core.table[size, width + 1] = 0.0
    for j in range(size - 1, -1, -1):
        value = core.energy[j] - core.multiplier * core.score[j]
        core.wanted[j] = core.wanted[j + 1] + (1 if value < 0.0 else 0)
        core.table[j, width + 1] = core.table[j + 1, width + 1] + min(value, 0.0)
        at = min(length, width)
        if length < width:
            length += 1
        while at > 0 and ranked[at - 1] > value:
            ranked[at] = ranked[at - 1]
            at -= 1
        ranked[at] = value
        total = 0.0
        core.table[j, 0] = 0.0
        for d in range(length):
            total += ranked[d]
            core.table[j, d + 1] = total


@device
def tabulate_minima(core: Core) -> None:
    """Fill `minima`, level by level."""
    for j in range(core.energy.shape[0]):
        core.minima[0, j] = j
    for level in range(1, core.minima.shape[0]):
        half = 1 << (level - 1)
        for j in range(core.energy.shape[0] - 2 * half + 1):
            left, right = core.minima[level - 1, j], core.minima[level - 1, j + half]
            core.minima[level, j] = left if core.energy[left] <= core.energy[right] else right


@device
def fewest_further(core: Core, j: int, fewest: int, room: int, lacking: float) -> int:
    """Return how many experts from position j on are needed; room + 1 if too few do."""
    size = core.score.shape[0]
    m = fewest
    while m <= room and j + m <= size and core.reach[j + m] - core.reach[j] < lacking:
        m += 1
    return m if j + m <= size else room + 1


@device
def suffix_value(core: Core, j: int, fewest: int, most: int) -> float:
    """Return the least sum of reduced costs of `fewest`..`most` experts from position j on."""
    count = min(max(core.wanted[j], fewest), most)
    last = core.table.shape[1] - 1
    value: float = core.table[j, count if count < last else last]
    return value


@device
def cheapest_last(
    core: Core, first: int, count: int, missing: float, allowed: float
) -> tuple[float, int, int]:
    """Find the cheapest one or two experts from `first` on that reach `missing` together.

    Returns:
        (energy, position, position or −1); (allowed, −1, −1) if none are below `allowed`
    """
    one, two = -1, -1
    if count == 1:
        last = last_reaching(core, first, missing)
        if last >= first:
            single = cheapest_between(core, first, last)
            if core.energy[single] < allowed:
                allowed, one = core.energy[single], single
        return allowed, one, two
    priced = core.multiplier * missing
    partner = last_reaching(core, first, missing - core.score[first])
    for i in range(first, core.energy.shape[0] - 1):
        while partner > i and core.score[i] + core.score[partner] < missing:
            partner -= 1
        if partner <= i or priced + core.table[i, 2] >= allowed:
            break
        j = cheapest_between(core, i + 1, partner)
        if core.energy[i] + core.energy[j] < allowed:
            allowed, one, two = core.energy[i] + core.energy[j], i, j
    return allowed, one, two


@device
def last_reaching(core: Core, first: int, missing: float) -> int:
    """Return the last position from `first` on whose score is at least `missing`, or first − 1."""
    low, high = first, core.score.shape[0]
    while low < high:
        middle = (low + high) // 2
        if core.score[middle] >= missing:
            low = middle + 1
        else:
            high = middle
    return low - 1


@device
def cheapest_between(core: Core, first: int, last: int) -> int:
    """Return the position of the least energy in first..last, both included."""
    level = 0
    while (2 << level) <= last - first + 1:
        level += 1
    left: int = core.minima[level, first]
    right: int = core.minima[level, last - (1 << level) + 1]
    return left if core.energy[left] <= core.energy[right] else right
