"""The truth that no agent may see: a yardstick for oracles, tests and plots."""

from __future__ import annotations

import numpy as np

from mec_moe_env.core.kernels import compiled
from mec_moe_env.experts import Floats, learn, model_error
from mec_moe_env.offloading.dynamics import server_error
from mec_moe_env.offloading.state import Physics, State, World


@compiled
def write_model_errors(physics: Physics, state: State, world: World, out: Floats) -> None:
    """Write the error of every server's model of now on every waiting task, (n, U, M)."""
    for i in range(out.shape[0]):
        b = world.cursor[i]
        for u in range(out.shape[1]):
            for m in range(out.shape[2]):
                out[i, u, m] = model_error(
                    state.model[i, m],
                    physics.quadratic[world.types[i, b, u]],
                    world.linear[i, b, u],
                    world.constant[i, b, u],
                )


@compiled
def write_error_increments(physics: Physics, state: State, world: World, out: Floats) -> None:
    """Write by how much E grows once server m has learned task u, (n, U, M); inf while busy."""
    trained = np.empty(state.model.shape[2])
    scratch = np.empty((physics.samples_per_task + 1, physics.samples_per_task))
    for i in range(out.shape[0]):
        b = world.cursor[i]
        for u in range(out.shape[1]):
            for m in range(out.shape[2]):
                if state.remaining[i, m] > 0 or not state.working[i, m]:
                    out[i, u, m] = np.inf
                    continue
                learn(
                    state.model[i, m],
                    world.features[i, b, u],
                    world.labels[i, b, u],
                    physics.proximal,
                    trained,
                    scratch,
                )
                own = model_error(
                    trained,
                    physics.quadratic[world.types[i, b, u]],
                    world.linear[i, b, u],
                    world.constant[i, b, u],
                )
                after = server_error(physics, state, i, m, trained)
                out[i, u, m] = own + after - state.learned_error[i, m]
