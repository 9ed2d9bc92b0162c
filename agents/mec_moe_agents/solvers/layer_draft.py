"""Plans of one layer that change in place, their value and the prices of their links, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.selection_bound import FEASIBILITY_RTOL
from mec_moe_agents.solvers.subcarrier_allocation import match_batch
from mec_moe_agents.solvers.token_choice import TokenScratch, Weighed, token_scratch
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel


class Draft(NamedTuple):
    """A plan that changes in place."""

    selected: Flags  # (I, Q, C)
    load: Integers  # (I, C), states on each link; 0 in situ
    subcarrier: Integers  # (I, C), −1 for links that carry nothing


class Room(NamedTuple):
    """Scratch for one layer; R links at most are in use at once."""

    price: Floats  # (I, C)
    taken: Flags  # (S,)
    present: Draft  # where the search stands
    trial: Draft
    turned: Draft  # a descent's next plan
    tokens: TokenScratch
    ruined: Flags  # (I, Q), tokens that choose anew
    weight: Floats  # (R,)
    unit: Floats  # (R, S)
    link: Integers  # (R,), i·C + c
    matched: Integers  # (R,)
    blocked: Flags  # (R,)
    energy: Floats  # (1,)
    count: Integers  # (1,)
    one: Floats  # (1,), 1
    numbers: Floats  # (3, max(R, S))
    integers: Integers  # (4, max(R, S))


@kernel
def draft(sources: int, tokens: int, experts: int) -> Draft:
    """Allocate a plan that does nothing."""
    return Draft(
        np.zeros((sources, tokens, experts), np.bool_),
        np.zeros((sources, experts), np.int64),
        np.full((sources, experts), -1, np.int64),
    )


@kernel
def room_for(layer: Weighed) -> Room:
    """Allocate the scratch."""
    sources, tokens, experts = layer.score.shape
    subcarriers = layer.unit.shape[2]
    links = min(sources * experts, subcarriers)
    width = max(links, subcarriers)
    return Room(
        np.empty((sources, experts)),
        np.empty(subcarriers, np.bool_),
        draft(sources, tokens, experts),
        draft(sources, tokens, experts),
        draft(sources, tokens, experts),
        token_scratch(tokens, experts, layer.most),
        np.empty((sources, tokens), np.bool_),
        np.empty(links),
        np.empty((links, subcarriers)),
        np.empty(links, np.int64),
        np.empty(links, np.int64),
        np.empty(links, np.bool_),
        np.empty(1),
        np.empty(1, np.int64),
        np.ones(1),
        np.empty((3, width)),
        np.empty((4, width), np.int64),
    )


@device
def copy_draft(source: Draft, target: Draft) -> None:
    """Copy a plan."""
    sources, tokens, experts = source.selected.shape
    for i in range(sources):
        for c in range(experts):
            target.load[i, c] = source.load[i, c]
            target.subcarrier[i, c] = source.subcarrier[i, c]
        for q in range(tokens):
            for c in range(experts):
                target.selected[i, q, c] = source.selected[i, q, c]


@kernel
def settle(layer: Weighed, plan: Draft, room: Room) -> float:
    """Assign subcarriers to the links that the selection uses; return the plan's value.

    +inf where there are not enough, and then no subcarriers are given.
    """
    links = gather_links(layer, plan, room)
    if links < 0:
        return np.inf
    radio = 0.0
    if links > 0:
        room.count[0] = links
        match_batch(
            room.weight[:links],
            room.unit[:links],
            room.count,
            room.one,
            room.matched[:links],
            room.energy,
            room.blocked[:links],
            room.numbers,
            room.integers,
        )
        radio = room.energy[0]
    if radio == np.inf:
        return np.inf
    experts = plan.load.shape[1]
    for r in range(links):
        plan.subcarrier[room.link[r] // experts, room.link[r] % experts] = room.matched[r]
    return radio + token_value(layer, plan)


@device
def gather_links(layer: Weighed, plan: Draft, room: Room) -> int:
    """Count the states on every link and collect those in use; return how many, −1: too many."""
    sources, tokens, experts = plan.selected.shape
    links = 0
    for i in range(sources):
        for c in range(experts):
            states = 0
            for q in range(tokens):
                states += plan.selected[i, q, c]
            plan.load[i, c] = states if layer.remote[i, c] else 0
            plan.subcarrier[i, c] = -1
            if plan.load[i, c] == 0:
                continue
            if links == room.weight.shape[0]:
                return -1
            room.weight[links] = float(states)
            room.link[links] = i * experts + c
            for s in range(room.unit.shape[1]):
                room.unit[links, s] = layer.unit[i, c, s]
            links += 1
    return links


@device
def token_value(layer: Weighed, plan: Draft) -> float:
    """Sum what computation and violations cost."""
    value = 0.0
    sources, tokens, experts = plan.selected.shape
    for i in range(sources):
        for q in range(tokens):
            relevance = 0.0
            for c in range(experts):
                if plan.selected[i, q, c]:
                    relevance += layer.score[i, q, c]
                    value += layer.compute[i, c]
            if relevance < layer.goal[i, q] * (1.0 - FEASIBILITY_RTOL):
                value += layer.charge[i, q] * (2.0 - relevance / layer.wanted[i, q])
    return value


@device
def price_plan(layer: Weighed, plan: Draft, taken: Flags, price: Floats) -> None:
    """Price every link at its subcarrier, an unused one at its best free one, (I, C)."""
    sources, experts, subcarriers = layer.unit.shape
    for s in range(subcarriers):
        taken[s] = False
    for i in range(sources):
        for c in range(experts):
            if plan.subcarrier[i, c] >= 0:
                taken[plan.subcarrier[i, c]] = True
    for i in range(sources):
        for c in range(experts):
            if not layer.remote[i, c]:
                price[i, c] = 0.0
            elif plan.subcarrier[i, c] >= 0:
                price[i, c] = layer.unit[i, c, plan.subcarrier[i, c]]
            else:
                price[i, c], _ = cheapest_free(layer, i, c, taken)


@device
def cheapest_free(layer: Weighed, i: int, c: int, taken: Flags) -> tuple[float, int]:
    """Return what a state costs over the best free subcarrier of a link, and that subcarrier.

    (+inf, −1) where there is none.
    """
    for place in range(layer.nearest.shape[2]):
        s = layer.nearest[i, c, place]
        if not taken[s]:
            cost = float(layer.unit[i, c, s])
            return cost, s if cost < np.inf else -1
    least, best = np.inf, -1
    for s in range(taken.shape[0]):
        if not taken[s] and layer.unit[i, c, s] < least:
            least, best = float(layer.unit[i, c, s]), s
    return least, best
