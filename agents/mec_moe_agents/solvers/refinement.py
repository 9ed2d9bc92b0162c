"""JESA+: local search over which links are open, on top of JESA's descent (our extension).

The descent stops where no single block can improve, though a link may be worth closing to free its
subcarrier for others, or opening at a subcarrier that somebody else holds. A move closes or opens
one or two links, for a whole source or for one token, re-selects, re-assigns and descends again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from mec_moe_agents.solvers.joint_descent import descend, extend_trace, reselect
from mec_moe_agents.solvers.joint_plan import (
    Choice,
    Floats,
    Layer,
    Plan,
    assign_subcarriers,
    price_links,
)

# Turns of the descent after a move.
TURNS = 16


class Move(NamedTuple):
    """Close link source→expert if it carries states, else open it; for one token or for all."""

    source: int
    expert: int
    token: int | None


def list_moves(layer: Layer, plan: Plan) -> list[Move]:
    """List the single moves worth trying, closings first."""
    moves = []
    for i, k in np.argwhere(plan.load > 0):
        moves.append(Move(int(i), int(k), None))
        if plan.load[i, k] > 1:
            tokens = np.flatnonzero(plan.selected[i, :, k])
            moves.extend(Move(int(i), int(k), int(q)) for q in tokens)
    reachable = np.isfinite(layer.best + layer.compute) & layer.remote
    for i, k in np.argwhere(reachable & (plan.load == 0)):
        moves.append(Move(int(i), int(k), None))
    return moves


def neighbourhood(moves: list[Move]) -> Iterator[tuple[Move, ...]]:
    """Yield the single moves, then the pairs."""
    yield from ((move,) for move in moves)
    yield from combinations(moves, 2)


def apply_moves(layer: Layer, plan: Plan, base: Floats, moves: tuple[Move, ...]) -> Choice:
    """Select anew after the moves changed the prices `base` of their links."""
    price = base.copy()
    choice = Choice(plan.selected, plan.served)
    for move in moves:
        i, k, token = move
        price[i, k] = np.inf if plan.load[i, k] else layer.best[i, k]
        fresh = reselect(layer, choice, price, i)
        if token is not None:
            others = np.arange(fresh.served.shape[1]) != token
            fresh.selected[i, others] = choice.selected[i, others]
            fresh.served[i, others] = choice.served[i, others]
        choice = fresh
    return choice


def refine(
    layer: Layer, plan: Plan, trace: list[float], effort: int
) -> tuple[Plan, list[float], int]:
    """Improve `plan` by single moves, then by pairs, until none helps or `effort` is spent.

    Returns:
        (plan, trace, moves tried)
    """
    tried = 0
    while True:
        base = price_links(plan.subcarrier, layer.unit, layer.remote)
        for moves in neighbourhood(list_moves(layer, plan)):
            if tried == effort:
                return plan, trace, tried
            tried += 1
            trial, _ = assign_subcarriers(layer, apply_moves(layer, plan, base, moves))
            if trial is None:
                continue
            trial, _ = descend(layer, trial, TURNS)
            if trial.beats(plan):
                trace = extend_trace(trace, plan, trial)
                plan = trial
                break
        else:
            return plan, trace, tried
