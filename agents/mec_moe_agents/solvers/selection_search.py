"""The tree search of DES over the few experts that the bound could not decide.

Depth first, the largest score first, one level per chosen expert; the last two experts of a branch
are looked up together. The search looks first for sets close to the bound and widens the distance
stage by stage.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.selection_bound import (
    OPTIMALITY_RTOL,
    Bounded,
    Workspace,
    bound_token,
    drop_hopeless,
    finish,
    reduce_costs,
    smallest,
    sort_by,
    sum_at,
)
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel

# The first stage looks within this share of the distance between bound and best set.
FIRST_REACH = 1.0 / 64.0
WIDENING = 8.0
# Relative error of one addition.
ROUNDING = 2.3e-16
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
    multiplier: float  # λ of the reduced costs


class Path(NamedTuple):
    """Where the search stands, one entry for each level of the tree."""

    position: Integers  # next sibling
    need: Integers  # fewest further experts
    expert: Integers  # chosen
    spent: Floats  # energy of the experts chosen above
    missing: Floats  # score left to reach


@kernel
def search_rows(
    energy: Floats,
    score: Floats,
    threshold: Floats,
    most: int,
    gap: float,
    node_limit: int,
    first: int,
    selected: Flags,
    spent: Floats,
    bound: Floats,
    nodes: Integers,
    numbers: Floats,
    integers: Integers,
) -> None:
    """Select for every row from `first` on, as `bound_rows` does, and search what it leaves open.

    `node_limit` and `nodes`, (N,), count the nodes of each row's search.
    """
    work = Workspace(numbers[0], numbers[1], numbers[2], integers[0], integers[1], integers[2])
    gap = max(gap, OPTIMALITY_RTOL)
    for row in range(first, threshold.shape[0]):
        token = bound_token(energy[row], score[row], threshold[row], most, work)
        if token.bound < token.energy * (1.0 - gap):
            token, nodes[row] = search(work, token, node_limit, gap)
        spent[row], bound[row] = finish(token, work, energy[row], score[row], selected[row])


@kernel
def search(work: Workspace, token: Bounded, node_limit: int, gap: float) -> tuple[Bounded, int]:
    """Search ever further above the bound; return what is known then, and the nodes it took."""
    reduce_costs(work, token.size, token.multiplier)
    count = smallest(work.reduced, token.size, token.least, token.most, work.heap)
    root = sum_at(work.reduced, work.heap, count) + token.multiplier * token.threshold
    slack = token.energy * (1.0 - OPTIMALITY_RTOL) - root
    size = drop_hopeless(work, token.size, count, token.most, slack)
    core = build_core(work, size, token.most, token.multiplier)
    levels = min(token.most, size) + 1
    path = Path(
        np.zeros(levels, np.int64),
        np.ones(levels, np.int64),
        np.empty(levels, np.int64),
        np.zeros(levels),
        np.full(levels, token.threshold),
    )
    members, best, bound, nodes = token.members, token.energy, token.bound, 0
    reach = FIRST_REACH * (best - root)
    while bound < best * (1.0 - gap) and nodes < node_limit:
        members, best, lowest, more = search_within(
            work, core, path, members, best, root + reach, node_limit - nodes, gap
        )
        bound = max(bound, min(lowest, best))
        nodes += more
        reach *= WIDENING
    least, most, required, multiplier = token.least, token.most, token.threshold, token.multiplier
    return Bounded(size, least, most, required, multiplier, members, best, bound), nodes


@kernel
def build_core(work: Workspace, size: int, most: int, multiplier: float) -> Core:
    """Sort the packed experts and tabulate their suffixes for at most `most` choices."""
    order = np.arange(size)
    for j in range(size):
        work.reduced[j] = -work.score[j]
    sort_by(work.reduced, order, size)
    width = max(2, min(most, size, TABLE_ENTRIES // (size + 1)))
    core = Core(
        work.energy[order],
        work.score[order],
        work.expert[order],
        np.zeros(size + 1),
        np.full((size + 1, width + 2), np.inf),
        np.zeros(size + 1, np.int64),
        multiplier,
    )
    for j in range(size):
        core.reach[j + 1] = core.reach[j] + core.score[j]
    tabulate_suffixes(core, np.empty(width + 1))
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
def search_within(
    work: Workspace,
    core: Core,
    path: Path,
    best_count: int,
    best_energy: float,
    within: float,
    node_limit: int,
    gap: float,
) -> tuple[int, float, float, int]:
    """Search the core for every set cheaper than `within` and than the best one less `gap`.

    Returns:
        (size of the best set, its energy, the least bound of a closed branch, nodes)
    """
    most = path.need.shape[0] - 1
    # Differences of prefix sums round, and a count of needed experts must never come out too high:
    # a score capped at the threshold would seem to need a second expert.
    total = core.reach[core.score.shape[0]] + path.missing[0]
    rounding = ROUNDING * (core.score.shape[0] + most) * total
    lowest = np.inf
    depth, nodes = 0, 0
    path.position[0], path.need[0] = 0, 1
    while depth >= 0:
        cutoff = min(within, best_energy * (1.0 - gap))
        j, room, lacking = path.position[depth], most - depth, path.missing[depth]
        m = fewest_further(core, j, path.need[depth], room, lacking - rounding)
        if m > room:
            depth -= 1
            continue
        priced = path.spent[depth] + core.multiplier * lacking
        value = priced + suffix_value(core, j, m, room)
        if value >= cutoff or nodes >= node_limit:
            lowest = min(lowest, value)
            depth -= 1
            continue
        nodes += 1
        more = priced + suffix_value(core, j, m + 1, room) if room > m else np.inf
        if m <= 2 and more >= cutoff:  # exactly m further experts: look them up
            allowed = best_energy - path.spent[depth]
            energy, one, two = cheapest_last(core, j, m, lacking, allowed)
            if one >= 0:
                best_count = record(work, core, path, depth, one, two)
                best_energy = path.spent[depth] + energy
            lowest = min(lowest, more)
            depth -= 1
            continue
        path.need[depth] = m
        path.position[depth] = j + 1
        spent = path.spent[depth] + core.energy[j]
        if core.score[j] >= lacking:
            if spent < best_energy:
                best_count = record(work, core, path, depth, j, -1)
                best_energy = spent
            continue
        path.expert[depth] = core.expert[j]
        depth += 1
        path.position[depth], path.need[depth] = j + 1, m - 1
        path.spent[depth], path.missing[depth] = spent, lacking - core.score[j]
    return best_count, best_energy, lowest, nodes


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
    last, end = first, core.score.shape[0] - 1
    if count == 1:
        while last <= end and core.score[last] >= missing:
            if core.energy[last] < allowed:
                allowed, one = core.energy[last], last
            last += 1
        return allowed, one, two
    priced = core.multiplier * missing
    while (
        last < end
        and core.score[last] + core.score[last + 1] >= missing
        and priced + core.table[last, 2] < allowed
    ):
        last += 1
    # From the last pair back: the partners of an expert are those of the next one and more.
    partner = cheapest = last
    for i in range(last - 1, first - 1, -1):
        if core.energy[i + 1] < core.energy[cheapest]:
            cheapest = i + 1
        while partner < end and core.score[i] + core.score[partner + 1] >= missing:
            partner += 1
            if core.energy[partner] < core.energy[cheapest]:
                cheapest = partner
        if core.energy[i] + core.energy[cheapest] < allowed:
            allowed, one, two = core.energy[i] + core.energy[cheapest], i, cheapest
    return allowed, one, two


@device
def record(work: Workspace, core: Core, path: Path, chosen: int, one: int, two: int) -> int:
    """Record the path of `chosen` experts with positions `one` and `two` (−1: none) as best."""
    for c in range(chosen):
        work.best[c] = path.expert[c]
    work.best[chosen] = core.expert[one]
    if two < 0:
        return chosen + 1
    work.best[chosen + 1] = core.expert[two]
    return chosen + 2
