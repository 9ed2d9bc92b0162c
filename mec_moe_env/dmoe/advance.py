"""The one compiled call: begin episodes, draw the world, act, then look."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.claims import Crew, claim, linger, mark_done, ring
from mec_moe_env.core.buffers import Buffers
from mec_moe_env.core.kernels import compiled
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.dynamics import act, infer, settle
from mec_moe_env.dmoe.exogenous import Exogenous, Scratch, begin_world, fill_world, make_scratch
from mec_moe_env.dmoe.perception import observe, write_mask
from mec_moe_env.dmoe.state import Flags, Integers, Physics, State, World
from mec_moe_env.moe.weights import MoEWeights
from mec_moe_env.orders import IGNORE, NOTHING_DUE, START, STEP, Orders, due_row
from mec_moe_env.streams import Streams


class Workspace(NamedTuple):
    """Room for a thread to work in."""

    drawing: Scratch
    selected: Flags
    """(I·Q, K)."""
    taken: Flags
    """(S,)."""


def make_workspace(config: DMoEConfig) -> Workspace:
    """Allocate one thread's room."""
    tokens = config.sources * config.tokens_per_source
    return Workspace(
        make_scratch(config),
        np.empty((tokens, config.num_nodes), np.bool_),
        np.empty(config.num_subcarriers, np.bool_),
    )


@compiled
def advance(
    physics: Physics,
    exogenous: Exogenous,
    weights: MoEWeights,
    state: State,
    world: World,
    streams: Streams,
    orders: Orders,
    actions: Integers,
    rows: Buffers,
    crew: Crew,
    thread: int,
    most: int,
    work: Workspace,
) -> None:
    """Do as ordered with the sub-environments of as many claims as a thread can and may take.

    Shapes: orders (n,), actions (n, I·Q·D + I·K).
    """
    ring(crew, thread)
    for _ in range(most):
        first, last = claim(crew, thread)
        if first == last:
            break
        for i in range(first, last):
            due = due_row(orders[i], world.cursor[i], exogenous.block)
            if orders[i] == START:
                state.layer[i] = 0
                begin_world(streams[i], exogenous, i, work.drawing, world)
            if due != NOTHING_DUE:
                fill_world(streams[i], exogenous, i, due, work.drawing, world)
            if orders[i] == STEP:
                act(
                    physics,
                    state,
                    world,
                    i,
                    actions[i],
                    work.selected,
                    work.taken,
                    rows.measures,
                    rows.counts,
                )
                if state.hidden.shape[2] > 0:
                    infer(weights, state, world, i, work.selected, rows.measures)
                settle(physics, state, world, i, rows.measures)
            if orders[i] != IGNORE:
                observe(physics, state, world, i, rows.observation[i])
                write_mask(physics, state, world, i, rows.masks[i])
        mark_done(crew, thread, last - first)
    linger(crew, thread)
