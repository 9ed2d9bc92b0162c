"""The compiled calls: act and look, or only look."""

from __future__ import annotations

import numpy as np

from mec_moe_env.compilation import compiled
from mec_moe_env.dmoe.dynamics import act, infer, settle
from mec_moe_env.dmoe.perception import observe, write_mask
from mec_moe_env.dmoe.state import Flags, Integers, Physics, Singles, State, World
from mec_moe_env.moe.weights import MoEWeights
from mec_moe_env.tasks.stream import Floats


@compiled
def advance(
    physics: Physics,
    weights: MoEWeights,
    state: State,
    world: World,
    actions: Integers,
    active: Flags,
    first: int,
    last: int,
    measures: Floats,
    counts: Integers,
    observation: Singles,
    masks: Flags,
) -> int:
    """Advance the active among sub-environments first..last−1 by one layer and observe them all.

    Shapes: actions (n, I·Q·D + I·K), active (n,), masks (n, I·Q·D·(K + 1) + I·K·S).
    Returns how many are now in the last slot of a block.
    """
    block, ends = world.available.shape[1] // 2, 0
    I, Q, K = world.gates.shape[2:]
    selected = np.empty((I * Q, K), np.bool_)
    taken = np.empty(world.spectral_efficiency.shape[4], np.bool_)
    for i in range(first, last):
        if active[i]:
            act(physics, state, world, i, actions[i], selected, taken, measures, counts)
            if state.hidden.shape[2] > 0:
                infer(weights, state, world, i, selected, measures)
            settle(physics, state, world, i, measures)
        observe(physics, state, world, i, observation[i])
        write_mask(physics, state, world, i, masks[i])
        ends += (world.cursor[i] + 1) % block == 0
    return ends


@compiled
def perceive(
    physics: Physics,
    state: State,
    world: World,
    which: Flags,
    first: int,
    last: int,
    out: Singles,
    masks: Flags,
) -> None:
    """Write the observations and masks of the chosen among sub-environments first..last−1."""
    for i in range(first, last):
        if which[i]:
            observe(physics, state, world, i, out[i])
            write_mask(physics, state, world, i, masks[i])
