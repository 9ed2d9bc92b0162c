"""How servers learn and forget, and what their models are worth (Li & Duan 2024), compiled.

The kernels at the end tell the truth that no scheduler may see: a reference for clairvoyant agents,
tests and plots.
"""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, kernel
from mec_moe_env.experts import inner, learn, model_error, quadratic_form
from mec_moe_env.offloading.pricing import is_idle
from mec_moe_env.offloading.state import Exogenous, Params, State


@device
def server_error(params: Params, state: State, i: int, m: int, model: Floats) -> float:
    """Return Σ share·error of the tasks that server m has learned, if its model were `model`."""
    total: float = state.servers[i, m]["learned_constant"]
    total -= 2.0 * inner(state.learned_linear[i, m], model)
    if params.quadratic.shape[1] == 0:
        weight = 0.0
        for n in range(state.learned_weight.shape[2]):
            weight += state.learned_weight[i, m, n]
        return total + weight * inner(model, model)
    for n in range(params.quadratic.shape[0]):
        if state.learned_weight[i, m, n] > 0.0:
            form = quadratic_form(model, params.quadratic[n])
            total += state.learned_weight[i, m, n] * form
    return total


@device
def heldout_accuracy(params: Params, n: int, model: Floats) -> float:
    """Return the share of type n's held-out samples on whose side `model` is; 0 without data."""
    hits = 0.0
    count = 0.0
    for h in range(params.heldout_labels.shape[1]):
        label = params.heldout_labels[n, h]
        if label != 0.0:
            count += 1.0
            margin = label * inner(params.heldout_features[n, h], model)
            # The zero model guesses.
            hits += 1.0 if margin > 0.0 else (0.5 if margin == 0.0 else 0.0)
    return hits / count if count > 0.0 else 0.0


@device
def train(
    params: Params,
    state: State,
    exogenous: Exogenous,
    i: int,
    u: int,
    m: int,
    share: float,
    scratch: Floats,
) -> None:
    """Begin the training of server m on task u, judged until its end by the model of now.

    The server counts for `share` of the task; `scratch` is (2k + 2, k).
    """
    task, server = exogenous.tasks[i, u], state.servers[i, m]
    linear = exogenous.linear[i, u]
    learn(
        state.model[i, m],
        exogenous.features[i, u],
        exogenous.labels[i, u],
        params.proximal,
        state.pending_model[i, m],
        scratch,
    )
    n = task["type"]
    error = model_error(state.model[i, m], params.quadratic[n], linear, task["constant"])
    server["pending_type"] = n
    server["pending_weight"] = share
    server["pending_constant"] = task["constant"]
    server["pending_error"] = share * error
    for f in range(linear.shape[0]):
        state.pending_linear[i, m, f] = linear[f]
    if params.heldout_labels.shape[1] > 0:
        server["pending_hits"] = share * heldout_accuracy(params, n, state.model[i, m])


@device
def forget_pending(state: State, i: int, m: int) -> None:
    """Clear the training under way at server m."""
    server = state.servers[i, m]
    server["remaining"] = 0
    server["pending_weight"] = 0.0
    server["pending_error"] = 0.0
    server["pending_hits"] = 0.0


@device
def complete(params: Params, state: State, i: int, m: int) -> None:
    """End the training of server m: its model changes, and every task it learned is rejudged."""
    server = state.servers[i, m]
    n, share = server["pending_type"], server["pending_weight"]
    model, pending = state.model[i, m], state.pending_model[i, m]
    linear = state.pending_linear[i, m]
    squared = 0.0
    for f in range(model.shape[0]):
        change = pending[f] - model[f]
        squared += change * change
        model[f] = pending[f]
        state.learned_linear[i, m, f] += share * linear[f]
    server["drift"] = math.sqrt(squared)
    server["completed"] = True
    state.learned_weight[i, m, n] += share
    server["learned_constant"] += share * server["pending_constant"]
    error = model_error(model, params.quadratic[n], linear, server["pending_constant"])
    state.episodes[i]["error_when_learned"] += share * error
    server["learned_error"] = server_error(params, state, i, m, model)
    hits = 0.0
    for n in range(state.learned_weight.shape[2]):
        if state.learned_weight[i, m, n] > 0.0:
            hits += state.learned_weight[i, m, n] * heldout_accuracy(params, n, model)
    server["learned_hits"] = hits
    forget_pending(state, i, m)


@device
def lose(state: State, i: int, m: int) -> None:
    """Lose the training of a failing server: its task counts the zero model's error for ever."""
    server, episode = state.servers[i, m], state.episodes[i]
    episode["unserved_error"] += server["pending_weight"] * server["pending_constant"]
    episode["unserved_weight"] += server["pending_weight"]
    forget_pending(state, i, m)


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
    scratch = np.empty((2 * params.samples_per_task + 2, params.samples_per_task))
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
