"""The tree search of DES over the few experts that the bound could not decide.

Depth first, the largest score first, one level per chosen expert; the last two experts of a branch
come from a table instead of a loop over pairs. The search looks first for sets close to the bound
and widens the distance stage by stage: what lies within a small distance involves few experts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.inputs import Flags, Floats, Integers
from mec_moe_agents.solvers.selection_bound import (
    OPTIMALITY_RTOL,
    Bounded,
    bound_token,
    finish,
    is_open,
)
from mec_moe_agents.solvers.selection_core import (
    Core,
    build_core,
    cheapest_last,
    fewest_further,
    suffix_value,
)
from mec_moe_agents.solvers.selection_workspace import (
    Workspace,
    drop_hopeless,
    keep_best,
    reduce_costs,
    smallest,
    sum_at,
)
from mec_moe_env.core.kernels import device, kernel

# The first stage looks within this share of the distance between bound and best set.
FIRST_REACH = 1.0 / 64.0
WIDENING = 8.0
# So few undecided experts are searched in one stage.
SMALL_CORE = 24
# Relative error of one addition.
ROUNDING = 2.3e-16


class Path(NamedTuple):
    """Where the search stands, one entry for each level of the tree."""

    position: Integers  # next sibling
    need: Integers  # fewest further experts
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
    feasible: Flags,
    nodes: Integers,
    numbers: Floats,
    integers: Integers,
) -> None:
    """Select for every row from `first` on, as `bound_rows` does, and search what it leaves open.

    `node_limit` and `nodes`, (N,), count the nodes of each row's search.
    """
    work = Workspace(
        numbers[0], numbers[1], numbers[2], integers[0], integers[1], integers[2], integers[3]
    )
    for row in range(first, threshold.shape[0]):
        token = bound_token(energy[row], score[row], threshold[row], most, work)
        if is_open(token, gap):
            token, nodes[row] = search(work, token, node_limit, max(gap, OPTIMALITY_RTOL))
        feasible[row] = token.members >= 0
        spent[row], bound[row] = finish(token, work, energy[row], score[row], selected[row])


@kernel
def search(work: Workspace, token: Bounded, node_limit: int, gap: float) -> tuple[Bounded, int]:
    """Search ever further above the bound; return what is known then, and the nodes it took."""
    reduce_costs(work, token.size, token.multiplier)
    count = smallest(work.reduced, token.size, token.least, token.most, work.heap)
    root = sum_at(work.reduced, work.heap, count) + token.multiplier * token.threshold
    best_count, best_energy = improve_by_swap(work, token, count)
    farthest = best_energy * (1.0 - OPTIMALITY_RTOL) - root
    size = drop_hopeless(work, token.size, count, token.most, farthest)
    energies, scores = work.energy[:size].copy(), work.score[:size].copy()
    experts = work.expert[:size].copy()
    share = FIRST_REACH if size > SMALL_CORE else 1.0
    bound, nodes = root, 0
    reach = share * (best_energy - root)
    while bound < best_energy * (1.0 - gap) and nodes < node_limit:
        farthest = best_energy * (1.0 - OPTIMALITY_RTOL) - root
        reach = min(reach, farthest)
        for j in range(size):
            work.energy[j], work.score[j], work.expert[j] = energies[j], scores[j], experts[j]
        stage = restate(token, size, best_count, best_energy, root)
        best_count, best_energy, lowest, more = search_within(
            work, stage, reach, node_limit - nodes, gap
        )
        nodes += more
        if reach == farthest and nodes < node_limit:  # everything has been searched
            bound = best_energy * (1.0 - gap)
        else:
            bound = max(bound, min(root + reach, lowest, best_energy))
        reach *= WIDENING
    return restate(token, size, best_count, best_energy, max(bound, token.bound)), nodes


@device
def restate(token: Bounded, size: int, count: int, energy: float, bound: float) -> Bounded:
    """Return a token with what has been learned since."""
    return Bounded(
        size, token.least, token.most, token.threshold, token.multiplier, count, energy, bound
    )


@kernel
def improve_by_swap(work: Workspace, token: Bounded, count: int) -> tuple[int, float]:
    """Record the set in the heap with its cheapest exchange that reaches the threshold, if best.

    Returns:
        (size of the best set, its energy)
    """
    energy, score = sum_at(work.energy, work.heap, count), sum_at(work.score, work.heap, count)
    inside = np.zeros(token.size, np.bool_)
    for c in range(count):
        inside[work.heap[c]] = True
    best, drop, add = token.energy, -1, -1
    for j in range(token.size):
        if inside[j]:
            continue
        with_j, reached = energy + work.energy[j], score + work.score[j]
        if count < token.most and with_j < best and reached >= token.threshold:
            best, drop, add = with_j, count, j
        for c in range(count):
            i = work.heap[c]
            exchanged = energy - work.energy[i] + work.energy[j]
            if exchanged < best and score - work.score[i] + work.score[j] >= token.threshold:
                best, drop, add = exchanged, c, j
    if add < 0:
        return token.members, best
    keep_best(work, count)
    work.best[drop] = work.expert[add]
    return max(count, drop + 1), best


@kernel
def search_within(
    work: Workspace, token: Bounded, reach: float, node_limit: int, gap: float
) -> tuple[int, float, float, int]:
    """Search every set whose energy is less than `reach` above the token's bound.

    Returns:
        (size of the best set, its energy, the least bound of a closed branch, nodes)
    """
    multiplier, least, most = token.multiplier, token.least, token.most
    reduce_costs(work, token.size, multiplier)
    count = smallest(work.reduced, token.size, least, most, work.heap)
    size = drop_hopeless(work, token.size, count, most, reach)
    reduce_costs(work, size, multiplier)
    count = smallest(work.reduced, size, least, most, work.heap)
    size, settled, spent, reached = settle_members(work, size, count, least, reach)
    missing = token.threshold - reached
    if reached >= token.threshold:  # every set in reach contains these, and these suffice
        if spent >= token.energy:
            return token.members, token.energy, np.inf, 0
        for c in range(settled):
            work.best[c] = work.chosen[c]
        return settled, spent, np.inf, 0
    core = build_core(work, size, most - settled, multiplier)
    within = token.bound + reach
    most = min(most - settled, size)
    path = Path(
        np.empty(most + 1, np.int64),
        np.empty(most + 1, np.int64),
        np.empty(most + 1),
        np.empty(most + 1),
    )
    path.position[0], path.need[0], path.spent[0], path.missing[0] = 0, 1, spent, missing
    return search_core(
        work, core, path, settled, token.members, token.energy, within, node_limit, gap
    )


@kernel
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


@device
def search_core(
    work: Workspace,
    core: Core,
    path: Path,
    settled: int,
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
    cutoff = min(within, best_energy * (1.0 - gap))
    lowest = np.inf
    depth, nodes = 0, 0
    while depth >= 0:
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
                best_count = record(work, core, settled + depth, one, two)
                best_energy = path.spent[depth] + energy
                cutoff = min(within, best_energy * (1.0 - gap))
            lowest = min(lowest, more)
            depth -= 1
            continue
        path.need[depth] = m
        path.position[depth] = j + 1
        spent = path.spent[depth] + core.energy[j]
        if core.score[j] >= lacking:
            if spent < best_energy:
                best_count = record(work, core, settled + depth, j, -1)
                best_energy = spent
                cutoff = min(within, best_energy * (1.0 - gap))
            continue
        work.chosen[settled + depth] = core.expert[j]
        depth += 1
        path.position[depth], path.need[depth] = j + 1, m - 1
        path.spent[depth], path.missing[depth] = spent, lacking - core.score[j]
    return best_count, best_energy, lowest, nodes


@device
def record(work: Workspace, core: Core, chosen: int, one: int, two: int) -> int:
    """Record the path of `chosen` experts with positions `one` and `two` (−1: none) as best."""
    for c in range(chosen):
        work.best[c] = work.chosen[c]
    work.best[chosen] = core.expert[one]
    if two < 0:
        return chosen + 1
    work.best[chosen + 1] = core.expert[two]
    return chosen + 2
