"""Ruin and recreate for one layer: tokens lose their experts and choose anew one by one, compiled.

A token that chooses pays its links' subcarriers if its source sends over them already, otherwise
the best free ones, at prices that differ from the true ones by random factors. Opening a link thus
costs what is left, so that links never outnumber subcarriers.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.solvers.layer_draft import Draft, Room, cheapest_free
from mec_moe_agents.solvers.token_choice import Weighed, choose_tokens
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel

LINKS, SOURCE = 0.5, 0.7
"""Shares of the rounds that take the tokens of one or two links, then those of a source; the rest
takes tokens at random."""
MOST_TAKEN = 0.8
"""Largest share of the tokens taken at random."""
DEAREST, CHEAPEST = 3.0, -0.5
"""Logarithms of the random factors on the prices of links that are not in use."""
NUMBERS = 6
"""Random numbers of a round beside two for each token and one for each link."""


def count_numbers(sources: int, tokens: int, experts: int) -> int:
    """Return how many random numbers a round takes."""
    return NUMBERS + 2 * sources * tokens + sources * experts


@kernel
def rebuild(layer: Weighed, plan: Draft, room: Room, numbers: Floats) -> None:
    """Take some tokens' experts from a plan with subcarriers, and let them choose anew, in place."""
    sources, tokens, experts = plan.selected.shape
    ruin(plan, room, numbers)
    count = sources * tokens
    order, factors = numbers[NUMBERS : NUMBERS + count], numbers[NUMBERS + 2 * count :]
    mark_free(layer, plan, room)
    for t in np.argsort(order):
        i, q = t // tokens, t % tokens
        if room.ruined[i, q]:
            price_source(layer, plan, room, i, factors[i * experts : (i + 1) * experts])
            choose_tokens(layer, i, q, q + 1, room.price[i], plan.selected[i], room.tokens)
            open_links(layer, plan, room, i, q)


@device
def ruin(plan: Draft, room: Room, numbers: Floats) -> None:
    """Take the experts of the tokens that the numbers name, and mark those tokens."""
    sources, tokens, experts = plan.selected.shape
    kind, source = numbers[0], int(numbers[1] * sources)
    links = sources * experts
    first = next_in_use(plan, int(numbers[1] * links))
    second = next_in_use(plan, int(numbers[2] * links)) if numbers[3] < 0.5 else first
    share = MOST_TAKEN * numbers[4]
    for i in range(sources):
        for q in range(tokens):
            if kind < LINKS:
                taken = uses(plan, i, q, first) or uses(plan, i, q, second)
            elif kind < SOURCE:
                taken = i == source
            else:
                taken = numbers[NUMBERS + sources * tokens + i * tokens + q] < share
            room.ruined[i, q] = taken
            if taken:
                for c in range(experts):
                    plan.load[i, c] -= plan.selected[i, q, c]
                    plan.selected[i, q, c] = False


@device
def next_in_use(plan: Draft, link: int) -> int:
    """Return the next link i·C + c that carries states, from `link` on; `link` if none does."""
    sources, experts = plan.load.shape
    for _ in range(sources * experts):
        if plan.subcarrier[link // experts, link % experts] >= 0:
            break
        link = (link + 1) % (sources * experts)
    return link


@device
def uses(plan: Draft, i: int, q: int, link: int) -> bool:
    """Say whether a token's state travels over a link."""
    experts = plan.load.shape[1]
    return link // experts == i and bool(plan.selected[i, q, link % experts])


@device
def mark_free(layer: Weighed, plan: Draft, room: Room) -> None:
    """Close links that have lost all their states, and mark the subcarriers of the others."""
    for s in range(room.taken.shape[0]):
        room.taken[s] = False
    sources, experts = plan.load.shape
    for i in range(sources):
        for c in range(experts):
            if plan.load[i, c] <= 0:
                plan.subcarrier[i, c] = -1
            if plan.subcarrier[i, c] >= 0:
                room.taken[plan.subcarrier[i, c]] = True


@device
def price_source(layer: Weighed, plan: Draft, room: Room, i: int, factors: Floats) -> None:
    """Price the links of a source: those in use as they are, others by random factors."""
    for c in range(plan.load.shape[1]):
        if not layer.remote[i, c]:
            room.price[i, c] = 0.0
        elif plan.subcarrier[i, c] >= 0:
            room.price[i, c] = layer.unit[i, c, plan.subcarrier[i, c]]
        else:
            least, _ = cheapest_free(layer, i, c, room.taken)
            logarithm = CHEAPEST + (DEAREST - CHEAPEST) * factors[c]
            room.price[i, c] = least * np.exp(logarithm)


@device
def open_links(layer: Weighed, plan: Draft, room: Room, i: int, q: int) -> None:
    """Give every link that a token needs and that has none the best free subcarrier."""
    for c in range(plan.load.shape[1]):
        if not plan.selected[i, q, c] or not layer.remote[i, c]:
            continue
        if plan.subcarrier[i, c] < 0:
            _, s = cheapest_free(layer, i, c, room.taken)
            if s < 0:  # two links of one token wanted the last one
                plan.selected[i, q, c] = False
                continue
            plan.subcarrier[i, c] = s
            room.taken[s] = True
        plan.load[i, c] += 1
