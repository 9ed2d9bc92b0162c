"""The one compiled call of a step: act, then look."""

from __future__ import annotations

from mec_moe_env.compilation import lean
from mec_moe_env.experts import Floats
from mec_moe_env.offloading.dynamics import step
from mec_moe_env.offloading.perception import Singles, observe, write_mask
from mec_moe_env.offloading.state import Flags, Integers, Physics, State, World


@lean
def advance(
    physics: Physics,
    state: State,
    world: World,
    sum_bound: float,
    actions: Integers,
    active: Flags,
    first: int,
    last: int,
    picked: Integers,
    scratch: Floats,
    measures: Floats,
    counts: Integers,
    observation: Singles,
    masks: Flags,
) -> int:
    """Advance the active among sub-environments first..last−1 by one slot and observe them all.

    Acting and looking in one call, because handing this many arrays to compiled code costs as
    much as the slot itself. Shapes: actions (n, 2·U·D), active (n,), masks (n, U·D·(M + 1 + S));
    scratch: picked (D,), scratch (k + 1, k). Returns how many are now in the last slot of a block.
    """
    block, ends = world.types.shape[1] // 2, 0
    for i in range(first, last):
        if active[i]:
            step(physics, state, world, i, actions[i], picked, scratch, measures, counts)
        observe(physics, state, world, sum_bound, i, observation[i])
        write_mask(physics, state, world, i, masks[i])
        ends += (world.cursor[i] + 1) % block == 0
    return ends
