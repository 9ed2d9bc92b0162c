"""The one compiled call: begin episodes, draw the world, act, then look."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.claims import Crew, claim, linger, mark_done, ring
from mec_moe_env.core.buffers import Buffers
from mec_moe_env.core.kernels import lean
from mec_moe_env.experts import Floats
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.dynamics import step
from mec_moe_env.offloading.exogenous import (
    Exogenous,
    Scratch,
    begin_world,
    fill_world,
    make_scratch,
)
from mec_moe_env.offloading.perception import observe, write_mask
from mec_moe_env.offloading.state import Integers, Physics, State, World, clear_state
from mec_moe_env.orders import IGNORE, NOTHING_DUE, START, STEP, Orders, due_row
from mec_moe_env.streams import Streams


class Workspace(NamedTuple):
    """Room for a thread to work in."""

    drawing: Scratch
    picked: Integers
    """(D,)."""
    training: Floats
    """(k + 1, k)."""


def make_workspace(config: OffloadingConfig) -> Workspace:
    """Allocate one thread's room."""
    k = config.samples_per_task
    return Workspace(
        make_scratch(config), np.empty(config.max_experts, np.int64), np.empty((k + 1, k))
    )


@lean
def advance(
    physics: Physics,
    exogenous: Exogenous,
    state: State,
    world: World,
    streams: Streams,
    sum_bound: float,
    orders: Orders,
    actions: Integers,
    rows: Buffers,
    crew: Crew,
    thread: int,
    most: int,
    work: Workspace,
) -> None:
    """Do as ordered with the sub-environments of as many claims as a thread can and may take.

    One call for everything, because handing this many arrays to compiled code costs as much as
    a slot itself, and because Python lets one thread at a time hand them over. Shapes: orders
    (n,), actions (n, 2·U·D).
    """
    ring(crew, thread)
    for _ in range(most):
        first, last = claim(crew, thread)
        if first == last:
            break
        for i in range(first, last):
            due = due_row(orders[i], world.cursor[i], exogenous.block)
            if orders[i] == START:
                clear_state(state, i)
                begin_world(streams, exogenous, i, work.drawing, world)
            if due != NOTHING_DUE:
                fill_world(streams, exogenous, i, due, work.drawing, world)
            if orders[i] == STEP:
                step(
                    physics,
                    state,
                    world,
                    i,
                    actions[i],
                    work.picked,
                    work.training,
                    rows.measures,
                    rows.counts,
                )
            if orders[i] != IGNORE:
                observe(physics, state, world, sum_bound, i, rows.observation[i])
                write_mask(physics, state, world, i, rows.masks[i])
        mark_done(crew, thread, last - first)
    linger(crew, thread)
