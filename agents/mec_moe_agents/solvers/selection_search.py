"""The tree search of DES over the few experts that the bound could not decide.

Depth first, the largest score first, one level per chosen expert; the last two experts of a branch
come from a table instead of a loop over pairs. The search looks first for sets close to the bound
and widens the distance stage by stage: what lies within a small distance involves few experts.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.solvers.selection_bound import (
    OPTIMALITY_RTOL,
    Workspace,
    drop_hopeless,
    keep_best,
    reduce_costs,
    smallest,
    sum_at,
)
from mec_moe_agents.solvers.selection_core import (
    Core,
    build_core,
    cheapest_pair,
    cheapest_single,
    node_value,
    suffix_value,
)
from mec_moe_agents.solvers.selection_groups import (
    MEMBER_BITS,
    Groups,
    build_groups,
    cheapest_group,
    no_groups,
)
from mec_moe_env.core.kernels import compiled

# The first stage looks within this share of the distance between bound and best set.
FIRST_REACH = 1.0 / 64.0
WIDENING = 8.0
# Relative error of one addition.
ROUNDING = 2.3e-16
# So few undecided experts are searched in one stage.
SMALL_CORE = 24
# Nodes after which a stage starts again: with more multipliers, then with a table of groups too.
QUICK_NODES = 4_000
LONG_NODES = 60_000
# Multipliers of a long search, relative to the bound's, when the bound is this far off.
WIDE_GAP = 5e-3
MULTIPLIERS = (1.0, 0.5, 2.0, 0.75, 1.4)


@compiled
def improve_by_swap(
    work: Workspace, size: int, threshold: float, count: int, most: int, best_energy: float
) -> tuple[float, int, int]:
    """Find the cheapest exchange that makes the set in the heap reach the threshold.

    Returns:
        (energy, position in the heap to drop or −1, packed position to add or −1); the energy is
        `best_energy` when no exchange beats it.
    """
    energy = sum_at(work.energy, work.heap, count)
    score = sum_at(work.score, work.heap, count)
    inside = np.zeros(size, np.bool_)
    for c in range(count):
        inside[work.heap[c]] = True
    drop, add = -1, -1
    for j in range(size):
        if inside[j]:
            continue
        added = energy + work.energy[j]
        if count < most and added < best_energy and score + work.score[j] >= threshold:
            best_energy, drop, add = added, -1, j
        for c in range(count):
            i = work.heap[c]
            if (
                energy - work.energy[i] + work.energy[j] < best_energy
                and score - work.score[i] + work.score[j] >= threshold
            ):
                best_energy, drop, add = energy - work.energy[i] + work.energy[j], c, j
    return best_energy, drop, add


@compiled
def settle_members(
    work: Workspace, size: int, count: int, least: int, slack: float
) -> tuple[int, int, float, float]:
    """Move experts that every better set contains from the packed arrays to `work.chosen`.

    The heap holds the best set at the current reduced costs. Leaving out its expert j costs at
    least −(e_j − λt_j), plus the cheapest outsider where one must or may as well come in.

    Returns:
        (experts left, experts settled, their energy, their score)
    """
    inside = np.zeros(size, np.bool_)
    for c in range(count):
        inside[work.heap[c]] = True
    outsider = np.inf
    for j in range(size):
        if not inside[j]:
            outsider = min(outsider, work.reduced[j])
    relief = outsider if (count == least or outsider < 0.0) else 0.0
    kept, settled = 0, 0
    energy, score = 0.0, 0.0
    for j in range(size):
        if inside[j] and relief - work.reduced[j] > slack:
            work.chosen[settled] = work.expert[j]
            settled += 1
            energy += work.energy[j]
            score += work.score[j]
        else:
            work.energy[kept] = work.energy[j]
            work.score[kept] = work.score[j]
            work.expert[kept] = work.expert[j]
            kept += 1
    return kept, settled, energy, score


@compiled
def record(work: Workspace, core: Core, chosen: int, one: int, two: int) -> int:
    """Record the path of `chosen` experts with positions `one` and `two` (−1: none) as best."""
    for c in range(chosen):
        work.best[c] = work.chosen[c]
    work.best[chosen] = core.expert[one]
    if two < 0:
        return chosen + 1
    work.best[chosen + 1] = core.expert[two]
    return chosen + 2


@compiled
def record_group(work: Workspace, core: Core, groups: Groups, chosen: int, entry: int) -> int:
    """Record the path of `chosen` experts with a group as best."""
    for c in range(chosen):
        work.best[c] = work.chosen[c]
    for member in range(groups.size):
        packed = groups.members[entry] >> (MEMBER_BITS * member)
        work.best[chosen + member] = core.expert[packed & ((1 << MEMBER_BITS) - 1)]
    return chosen + groups.size


@compiled
def search_core(
    work: Workspace,
    core: Core,
    groups: Groups,
    threshold: float,
    settled: int,
    settled_energy: float,
    most: int,
    best_count: int,
    best_energy: float,
    within: float,
    node_limit: int,
    gap: float,
) -> tuple[int, float, float, int]:
    """Search the core for every set cheaper than `within` and than the best one less `gap`.

    `threshold` is what the settled experts leave to reach, with `most` further ones.

    Returns:
        (size of the best set, its energy, the least bound of a closed branch, nodes)
    """
    # A core is many arrays: what every node reads is taken out of it once.
    energies, scores, reaches, minima = core.energy, core.score, core.reach, core.minima
    table, wanted, multiplier = core.table[0], core.wanted[0], core.multipliers[0]
    several = core.multipliers.shape[0] > 1
    size = scores.shape[0]
    position = np.zeros(most + 1, np.int64)  # next sibling at each level
    need = np.ones(most + 1, np.int64)  # fewest further experts at each level
    spent = np.full(most + 1, settled_energy)
    missing = np.full(most + 1, threshold)
    # Differences of prefix sums round, and a count of needed experts must never come out too high:
    # a score capped at the threshold would seem to need a second expert.
    rounding = ROUNDING * (size + most) * (reaches[size] + threshold)
    cutoff = min(within, best_energy * (1.0 - gap))
    lowest = np.inf
    depth, nodes = 0, 0
    while depth >= 0:
        j, m, room, lacking = position[depth], need[depth], most - depth, missing[depth]
        while m <= room and j + m <= size and reaches[j + m] - reaches[j] < lacking - rounding:
            m += 1
        if m > room or j + m > size:
            depth -= 1
            continue
        floor = multiplier * lacking
        value = spent[depth] + floor + suffix_value(table, wanted, j, m, room)
        if several and value < cutoff:
            value = node_value(core, j, m, room, spent[depth], lacking, cutoff)
        if value >= cutoff or nodes >= node_limit:
            lowest = min(lowest, value)
            depth -= 1
            continue
        nodes += 1
        if m <= 2 or m == groups.size:
            more = np.inf
            if room > m:
                more = spent[depth] + floor + suffix_value(table, wanted, j, m + 1, room)
            if more >= cutoff:  # exactly m further experts: look them up
                one, two, entry, closed = -1, -1, -1, True
                allowed = best_energy - spent[depth]
                if m == 1:
                    energy, one = cheapest_single(energies, scores, minima, j, lacking, allowed)
                elif m == 2:
                    energy, one, two = cheapest_pair(
                        energies, scores, minima, table, j, lacking, floor, allowed
                    )
                else:
                    high = (cutoff - spent[depth] - table[j, m]) / multiplier
                    energy, entry, closed = cheapest_group(
                        energies, groups, j, lacking, high, allowed
                    )
                if one >= 0:
                    best_count = record(work, core, settled + depth, one, two)
                    best_energy = spent[depth] + energy
                elif entry >= 0:
                    best_count = record_group(work, core, groups, settled + depth, entry)
                    best_energy = spent[depth] + energy
                if closed:
                    cutoff = min(within, best_energy * (1.0 - gap))
                    lowest = min(lowest, more)
                    depth -= 1
                    continue
        need[depth] = m
        position[depth] = j + 1
        if scores[j] >= lacking:
            if spent[depth] + energies[j] < best_energy:
                best_count = record(work, core, settled + depth, j, -1)
                best_energy = spent[depth] + energies[j]
                cutoff = min(within, best_energy * (1.0 - gap))
            continue
        work.chosen[settled + depth] = core.expert[j]
        depth += 1
        spent[depth] = spent[depth - 1] + energies[j]
        missing[depth] = lacking - scores[j]
        position[depth] = j + 1
        need[depth] = m - 1
    return best_count, best_energy, lowest, nodes


@compiled
def useful_most(core: Core, threshold: float, spent: float, most: int, cutoff: float) -> int:
    """Return the largest number of experts with which a set may still be below `cutoff`."""
    most = min(most, core.energy.shape[0])
    while most > 1 and node_value(core, 0, most, most, spent, threshold, cutoff) >= cutoff:
        most -= 1
    return most


@compiled
def search_within(
    work: Workspace,
    size: int,
    threshold: float,
    least: int,
    most: int,
    multiplier: float,
    bound: float,
    reach: float,
    best_count: int,
    best_energy: float,
    node_limit: int,
    gap: float,
) -> tuple[int, float, float, int]:
    """Search every set whose energy is less than `reach` above the bound.

    Returns:
        (size of the best set, its energy, the least bound of a closed branch, nodes)
    """
    reduce_costs(work, size, multiplier)
    count = smallest(work.reduced, size, least, most, work.heap)
    size = drop_hopeless(work, size, count, most, reach)
    reduce_costs(work, size, multiplier)
    count = smallest(work.reduced, size, least, most, work.heap)
    size, settled, spent, reached = settle_members(work, size, count, least, reach)
    if reached >= threshold:  # every set in reach contains these, and these suffice
        if spent < best_energy:
            best_count, best_energy = settled, spent
            for c in range(settled):
                work.best[c] = work.chosen[c]
        return best_count, best_energy, np.inf, 0
    most -= settled
    threshold -= reached
    within = bound + reach
    core = build_core(work, size, most, np.array([multiplier]))
    cutoff = min(within, best_energy * (1.0 - gap))
    most = useful_most(core, threshold, spent, most, cutoff)
    groups = no_groups()
    nodes, phase, lowest = 0, 0, np.inf
    while True:
        allowance = node_limit - nodes
        if phase == 0:
            allowance = min(allowance, QUICK_NODES)
        elif phase == 1:
            allowance = min(allowance, LONG_NODES)
            if best_energy - bound > WIDE_GAP * best_energy:
                core = build_core(work, size, most, multiplier * np.array(MULTIPLIERS))
        elif core.reach[min(most - 1, size)] < threshold:  # all sets in reach are equally large
            groups = build_groups(core, threshold, most)
        best_count, best_energy, lowest, more = search_core(
            work, core, groups, threshold, settled, spent, most, best_count, best_energy, within,
            allowance, gap,
        )  # fmt: skip
        nodes += more
        phase += 1
        if more < allowance or nodes >= node_limit:
            return best_count, best_energy, lowest, nodes


@compiled
def search_undecided(
    work: Workspace,
    size: int,
    threshold: float,
    least: int,
    most: int,
    multiplier: float,
    best_count: int,
    best_energy: float,
    node_limit: int,
    gap: float,
) -> tuple[int, float, float, int]:
    """Improve the best set by one exchange, then search ever further above the bound.

    Returns:
        (size of the best set, its energy, a lower bound on every set's energy, nodes)
    """
    gap = max(gap, OPTIMALITY_RTOL)
    reduce_costs(work, size, multiplier)
    count = smallest(work.reduced, size, least, most, work.heap)
    root = sum_at(work.reduced, work.heap, count) + multiplier * threshold
    energy, drop, add = improve_by_swap(work, size, threshold, count, most, best_energy)
    if add >= 0:
        best_energy = energy
        best_count = keep_best(work, count)
        if drop < 0:
            drop = best_count
            best_count += 1
        work.best[drop] = work.expert[add]
    size = drop_hopeless(work, size, count, most, best_energy * (1.0 - OPTIMALITY_RTOL) - root)
    energies = work.energy[:size].copy()
    scores = work.score[:size].copy()
    indices = work.expert[:size].copy()
    bound, nodes = root, 0
    share = FIRST_REACH if size > SMALL_CORE else 1.0
    reach = share * (best_energy - root)
    while bound < best_energy * (1.0 - gap) and nodes < node_limit:
        farthest = best_energy * (1.0 - OPTIMALITY_RTOL) - root
        reach = min(reach, farthest)
        work.energy[:size] = energies
        work.score[:size] = scores
        work.expert[:size] = indices
        best_count, best_energy, lowest, more = search_within(
            work,
            size,
            threshold,
            least,
            most,
            multiplier,
            root,
            reach,
            best_count,
            best_energy,
            node_limit - nodes,
            gap,
        )
        nodes += more
        if reach == farthest and nodes < node_limit:  # everything has been searched
            return best_count, best_energy, best_energy * (1.0 - gap), nodes
        bound = max(bound, min(root + reach, lowest, best_energy))
        reach *= WIDENING
    return best_count, best_energy, bound, nodes
