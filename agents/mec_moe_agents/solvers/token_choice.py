"""The best experts of a source's tokens at given link prices: meet the threshold, or violate it.

Prices make tokens independent. To meet is DES. To violate costs, with m_q = 1 − relevance/t_q,

    f(Y) = charge·(2 − Σ_Y g/t_q) + Σ_Y e,

linear in the picks, so that the D experts of the least e − charge·g/t_q < 0 minimise it, among
those that fall short of the goal alone (no violating set holds another). Where that set X meets
the goal after all, violating never pays: lower the charge's slope by a factor λ from 1 to 0 and
the best set goes from X to ∅ by swaps and removals of one expert, each worth less than t_q. So for
some λ it has a relevance between the goal and 2·t_q, and every violating Y costs at least
charge·(1 + λ·(1 − relevance/t_q)) + energy ≥ the energy of that set, which meets the goal. So the
lesser of the two alternatives is the optimum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.expert_selection import MOST_EXPERTS_FOR_PAIRS, select_few
from mec_moe_agents.solvers.selection_bound import FEASIBILITY_RTOL
from mec_moe_agents.solvers.selection_search import search_rows
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel


class Weighed(NamedTuple):
    """A layer with all that it costs in units of the return's value: I sources, Q tokens,
    C candidate experts of each source, S subcarriers.
    """

    score: Floats  # (I, Q, C)
    unit: Floats  # (I, C, S), for one state; +inf: impossible
    compute: Floats  # (I, C), for one token; +inf: unavailable
    wanted: Floats  # (I, Q), t_q
    goal: Floats  # (I, Q), relevance from which on a token is not violated
    charge: Floats  # (I, Q), of a violation that misses nothing; twice that where all is missing
    remote: Flags  # (I, C), False in situ
    nearest: Integers  # (I, C, T), the T cheapest subcarriers of each link by rising cost
    most: int  # experts of a token
    node_limit: int  # of the tree search for each token


class TokenScratch(NamedTuple):
    """Room to choose for one source's tokens, and what is known of each."""

    energy: Floats  # (Q, C)
    spent: Floats  # (Q,), value of the choice
    bound: Floats  # (Q,), no choice has less
    nodes: Integers  # (Q,)
    numbers: Floats  # (3, C)
    integers: Integers  # (3, C + 1)
    picks: Integers  # (≥ 1,), of one token


@kernel
def token_scratch(tokens: int, experts: int, most: int) -> TokenScratch:
    """Allocate it."""
    return TokenScratch(
        np.empty((tokens, experts)),
        np.empty(tokens),
        np.empty(tokens),
        np.zeros(tokens, np.int64),
        np.empty((3, experts)),
        np.empty((3, experts + 1), np.int64),
        np.empty(max(1, min(most, experts)), np.int64),
    )


@kernel
def choose_tokens(
    layer: Weighed,
    i: int,
    first: int,
    last: int,
    price: Floats,
    selected: Flags,
    scratch: TokenScratch,
) -> None:
    """Choose for tokens first, …, last − 1 of source i when a state on its link to c costs price[c].

    Writes their rows of `selected`, (Q, C), and of the scratch's `spent` and `bound`.
    """
    for q in range(first, last):
        for c in range(price.shape[0]):
            scratch.energy[q, c] = layer.compute[i, c] + price[c]
            selected[q, c] = False
    energy, score = scratch.energy[first:last], layer.score[i, first:last]
    goal, chosen = layer.goal[i, first:last], selected[first:last]
    spent, bound = scratch.spent[first:last], scratch.bound[first:last]
    if layer.most < 2 or (layer.most == 2 and price.shape[0] <= MOST_EXPERTS_FOR_PAIRS):
        select_few(energy, score, goal, layer.most, chosen, spent, bound)
    else:
        search_rows(
            energy,
            score,
            goal,
            layer.most,
            0.0,
            layer.node_limit,
            0,
            chosen,
            spent,
            bound,
            scratch.nodes,
            scratch.numbers,
            scratch.integers,
        )
    for q in range(first, last):
        consider_violating(layer, i, q, scratch, selected[q])


@device
def consider_violating(
    layer: Weighed, i: int, q: int, scratch: TokenScratch, selected: Flags
) -> None:
    """Replace a token's choice, (C,), by the best one that violates where that costs less."""
    charge, goal = layer.charge[i, q], layer.goal[i, q]
    if scratch.bound[q] == np.inf:  # no reachable set meets the goal
        scratch.spent[q] = np.inf
    if charge >= scratch.spent[q]:  # an empty comparison too where nothing is asked for
        return
    energy, score = scratch.energy[q], layer.score[i, q]
    slope = charge / layer.wanted[i, q]
    required = goal * (1.0 - FEASIBILITY_RTOL)
    count = pick_gainers(energy, score, slope, required, scratch.picks, layer.most)
    relevance, value = 0.0, 2.0 * charge
    for p in range(count):
        relevance += score[scratch.picks[p]]
        value += energy[scratch.picks[p]] - slope * score[scratch.picks[p]]
    meets = relevance >= required and scratch.spent[q] < np.inf
    if meets or value >= scratch.spent[q]:
        return
    for c in range(selected.shape[0]):
        selected[c] = False
    for p in range(count):
        selected[scratch.picks[p]] = True
    scratch.spent[q] = value
    scratch.bound[q] = min(scratch.bound[q], value)


@device
def pick_gainers(
    energy: Floats, score: Floats, slope: float, required: float, picks: Integers, most: int
) -> int:
    """Write the experts, `most` at most, of the least energy − slope·score < 0; return how many.

    Scores of `required` and more are left out.
    """
    count = 0
    while count < min(most, energy.shape[0]):
        best, least = -1, 0.0
        for c in range(energy.shape[0]):
            net = energy[c] - slope * score[c]
            if net < least and score[c] < required:
                taken = False
                for p in range(count):
                    taken = taken or picks[p] == c
                if not taken:
                    best, least = c, net
        if best < 0:
            break
        picks[count] = best
        count += 1
    return count
