"""Local search for one layer: experts and subcarriers of the least value, compiled.

A plan descends by turns of selection at the prices of its links and exact assignment, as JESA
does. Single links are then closed and opened, as JESA+ does, and tokens are rebuilt at random;
each move ends in a descent.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.solvers.layer_draft import (
    Draft,
    Room,
    copy_draft,
    price_plan,
    room_for,
    settle,
)
from mec_moe_agents.solvers.rebuild import rebuild
from mec_moe_agents.solvers.token_choice import Weighed, choose_tokens
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import kernel

CLOSE_ENOUGH = 1e-9
"""Relative distance to the bound that counts as none."""
BETTER = 1.0 - 1e-12
MOST_TURNS = 16
"""Of a descent."""
PROMISING = 1.3
"""A plan that is worse than the best one by a larger factor is not worth a descent."""
DETOUR = 0.2
"""The search goes on from plans that are so much worse than the best one, relatively, just after
that was found, and ever less."""


@kernel
def descend_draft(layer: Weighed, plan: Draft, value: float, room: Room) -> float:
    """Select and assign in turns while the plan gets better; return its value."""
    sources, tokens = layer.goal.shape
    for _ in range(MOST_TURNS):
        price_plan(layer, plan, room.taken, room.price)
        for i in range(sources):
            selected = room.turned.selected[i]
            choose_tokens(layer, i, 0, tokens, room.price[i], selected, room.tokens)
        turned = settle(layer, room.turned, room)
        if not turned < value * BETTER:
            break
        copy_draft(room.turned, plan)
        value = turned
    return value


@kernel
def improve(
    layer: Weighed, plan: Draft, bound: float, random: Floats, patience: int
) -> tuple[float, int]:
    """Improve a plan in place until it is as good as the bound or all moves are spent.

    Single links in order while that helps, then rebuilt tokens, until `patience` of these in a row
    have found nothing better. `random`, one row a move, is uniform on [0, 1) and as wide as
    `count_numbers` says.

    Returns:
        The value, and the number of moves tried.
    """
    room = room_for(layer)
    best = settle(layer, plan, room)
    best = descend_draft(layer, plan, best, room)
    copy_draft(plan, room.present)
    links, moves = layer.remote.size, random.shape[0]
    value, tried, failed, link = best, 0, 0, 0
    while tried < moves and failed < patience and best > bound * (1.0 + CLOSE_ENOUGH):
        copy_draft(room.present, room.trial)
        if link < links:
            link += 1
            if not move_link(layer, room, link - 1):
                continue
        else:
            rebuild(layer, room.trial, room, random[tried])
            failed += 1
        tried += 1
        trial = settle(layer, room.trial, room)
        if trial < best * PROMISING:
            trial = descend_draft(layer, room.trial, trial, room)
        if trial < value * BETTER or trial < best * (1.0 + DETOUR * (1.0 - failed / patience)):
            copy_draft(room.trial, room.present)
            value = trial
        if trial < best * BETTER:
            copy_draft(room.trial, plan)
            best, link, failed = trial, 0, 0
    return best, tried


@kernel
def move_link(layer: Weighed, room: Room, link: int) -> bool:
    """Close a link of the trial, or open it at its best subcarrier; its source selects anew.

    Returns whether the link can be moved at all.
    """
    experts = layer.remote.shape[1]
    i, c = link // experts, link % experts
    best = layer.unit[i, c, layer.nearest[i, c, 0]]
    if not layer.remote[i, c] or best == np.inf or layer.compute[i, c] == np.inf:
        return False
    price_plan(layer, room.trial, room.taken, room.price)
    room.price[i, c] = np.inf if room.trial.load[i, c] > 0 else best
    tokens = layer.goal.shape[1]
    selected = room.trial.selected[i]
    choose_tokens(layer, i, 0, tokens, room.price[i], selected, room.tokens)
    return True
