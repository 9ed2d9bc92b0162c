"""Local search for one layer: experts and subcarriers of the least value, compiled.

A plan descends by turns of selection at the prices of its links and exact assignment, as JESA
does. Moves then close or open links, for a source or for one token, or blur the prices; each ends
in a descent, and a better plan replaces the present one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.selection_bound import FEASIBILITY_RTOL
from mec_moe_agents.solvers.subcarrier_allocation import match_batch
from mec_moe_agents.solvers.token_choice import (
    TokenScratch,
    Weighed,
    choose_tokens,
    token_scratch,
)
from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, kernel

CLOSE_ENOUGH = 1e-9
"""Relative distance to the bound that counts as none."""
BETTER = 1.0 - 1e-12
MOST_TURNS = 16
"""Of a descent."""
RANDOM_NUMBERS = 11
"""Uniform numbers that a move of links may use: two, then three for each link."""
BLURRED, ALL_TOKENS = 0.3, 0.6
"""Shares of the moves that blur prices, and of the links moved for a whole source."""
LINKS_MOVED = 3
BLUR = 1.0
"""Prices are blurred by factors from e^−BLUR to e^BLUR."""


class Draft(NamedTuple):
    """A plan that changes in place."""

    selected: Flags  # (I, Q, C)
    load: Integers  # (I, C), states on each link; 0 in situ
    subcarrier: Integers  # (I, C), −1 for links that carry nothing


class Room(NamedTuple):
    """Scratch for one layer; R links at most are in use at once."""

    price: Floats  # (I, C)
    taken: Flags  # (S,)
    trial: Draft
    turned: Draft  # a descent's next plan
    tokens: TokenScratch
    fresh: Flags  # (Q, C)
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
        token_scratch(tokens, experts, layer.most),
        np.empty((tokens, experts), np.bool_),
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
                price[i, c] = cheapest_free(layer, i, c, taken)


@device
def cheapest_free(layer: Weighed, i: int, c: int, taken: Flags) -> float:
    """Return what a state costs over the best free subcarrier of a link, +inf if there is none."""
    for place in range(layer.nearest.shape[2]):
        s = layer.nearest[i, c, place]
        if not taken[s]:
            return float(layer.unit[i, c, s])
    least = np.inf
    for s in range(taken.shape[0]):
        if not taken[s] and layer.unit[i, c, s] < least:
            least = layer.unit[i, c, s]
    return least


@kernel
def descend_draft(layer: Weighed, plan: Draft, value: float, room: Room) -> float:
    """Select and assign in turns while the plan gets better; return its value."""
    for _ in range(MOST_TURNS):
        price_plan(layer, plan, room.taken, room.price)
        for i in range(layer.score.shape[0]):
            choose_tokens(layer, i, room.price[i], room.turned.selected[i], room.tokens)
        turned = settle(layer, room.turned, room)
        if not turned < value * BETTER:
            break
        copy_draft(room.turned, plan)
        value = turned
    return value


@kernel
def improve(layer: Weighed, plan: Draft, bound: float, random: Floats) -> tuple[float, int]:
    """Improve a plan in place until it is as good as the bound or all moves are spent.

    Single links in order while that helps, then at random. `random`, (moves, RANDOM_NUMBERS) or
    (moves, I·C) if that is more, is uniform on [0, 1).

    Returns:
        The value, and the number of moves tried.
    """
    room = room_for(layer)
    value = settle(layer, plan, room)
    if value < np.inf:
        value = descend_draft(layer, plan, value, room)
    links = layer.remote.size
    tried = at = 0
    while tried < random.shape[0] and value > bound * (1.0 + CLOSE_ENOUGH):
        copy_draft(plan, room.trial)
        price_plan(layer, plan, room.taken, room.price)
        numbers = random[tried]
        if at < links:
            at += 1
            if not move_link(layer, plan, room, at - 1, -1):
                continue
        elif numbers[0] < BLURRED:
            blur_prices(layer, room, numbers)
        else:
            move_random_links(layer, plan, room, numbers)
        tried += 1
        trial = settle(layer, room.trial, room)
        if trial < np.inf:
            trial = descend_draft(layer, room.trial, trial, room)
        if trial < value * BETTER:
            copy_draft(room.trial, plan)
            value, at = trial, 0
    return value, tried


@kernel
def move_link(layer: Weighed, plan: Draft, room: Room, link: int, token: int) -> bool:
    """Close a link in use, or open another at its best subcarrier, and select its source anew.

    For one token, or all of them for −1. Returns whether the link can be moved at all.
    """
    experts = layer.remote.shape[1]
    i, c = link // experts, link % experts
    best = layer.unit[i, c, layer.nearest[i, c, 0]]
    if not layer.remote[i, c] or best == np.inf or layer.compute[i, c] == np.inf:
        return False
    room.price[i, c] = np.inf if plan.load[i, c] > 0 else best
    reselect(layer, room, i, token)
    return True


@kernel
def reselect(layer: Weighed, room: Room, i: int, token: int) -> None:
    """Select for the trial at the prices in the room, for source i's one token or all (−1)."""
    choose_tokens(layer, i, room.price[i], room.fresh, room.tokens)
    for q in range(room.fresh.shape[0]):
        if token < 0 or q == token:
            for c in range(room.fresh.shape[1]):
                room.trial.selected[i, q, c] = room.fresh[q, c]


@kernel
def move_random_links(layer: Weighed, plan: Draft, room: Room, numbers: Floats) -> None:
    """Move one to three links, as many in use as not."""
    links, tokens = layer.remote.size, layer.score.shape[1]
    experts = layer.remote.shape[1]
    for m in range(1 + int(numbers[1] * LINKS_MOVED)):
        which, used, whole = numbers[3 * m + 2], numbers[3 * m + 3] < 0.5, numbers[3 * m + 4]
        link = int(which * links)
        for _ in range(links):  # the next one that is in use, or not, as drawn
            if (plan.load[link // experts, link % experts] > 0) == used:
                break
            link = (link + 1) % links
        token = -1
        if whole >= ALL_TOKENS:
            token = int((whole - ALL_TOKENS) / (1.0 - ALL_TOKENS) * tokens)
        move_link(layer, plan, room, link, min(token, tokens - 1))


@kernel
def blur_prices(layer: Weighed, room: Room, numbers: Floats) -> None:
    """Select all sources anew at prices that differ by random factors."""
    sources, experts = room.price.shape
    for i in range(sources):
        for c in range(experts):
            room.price[i, c] *= np.exp(BLUR * (2.0 * numbers[i * experts + c] - 1.0))
        reselect(layer, room, i, -1)
