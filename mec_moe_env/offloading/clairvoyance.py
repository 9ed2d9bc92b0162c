"""The truth that no agent may see: a reference for clairvoyant agents, tests and plots."""

from __future__ import annotations

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import kernel
from mec_moe_env.experts import learn, model_error
from mec_moe_env.offloading.learning import server_error
from mec_moe_env.offloading.pricing import is_idle
from mec_moe_env.offloading.state import Exogenous, Params, State


@kernel
def write_model_errors(params: Params, state: State, exogenous: Exogenous, out: Floats) -> None:
    """Write the error of every server's model of now on every waiting task, (n, U, M)."""
    for i in range(out.shape[0]):
        for u in range(out.shape[1]):
            task = exogenous.tasks[i, u]
            for m in range(out.shape[2]):
                out[i, u, m] = model_error(
                    state.model[i, m],
                    params.quadratic[task["type"]],
                    exogenous.linear[i, u],
                    task["constant"],
                )


@kernel
def write_error_increments(params: Params, state: State, exogenous: Exogenous, out: Floats) -> None:
    """Write by how much E grows once server m has learned task u, (n, U, M); inf while busy."""
    trained = np.empty(state.model.shape[2])
    scratch = np.empty((params.samples_per_task + 1, params.samples_per_task))
    for i in range(out.shape[0]):
        for u in range(out.shape[1]):
            task, linear = exogenous.tasks[i, u], exogenous.linear[i, u]
            for m in range(out.shape[2]):
                if not is_idle(state, i, m):
                    out[i, u, m] = np.inf
                    continue
                learn(
                    state.model[i, m],
                    exogenous.features[i, u],
                    exogenous.labels[i, u],
                    params.proximal,
                    trained,
                    scratch,
                )
                quadratic = params.quadratic[task["type"]]
                own = model_error(trained, quadratic, linear, task["constant"])
                after = server_error(params, state, i, m, trained)
                out[i, u, m] = own + after - state.servers[i, m]["learned_error"]
