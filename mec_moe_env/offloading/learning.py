"""How servers learn and forget (Li & Duan 2024), compiled.

The kernels at the end tell the truth that no scheduler may see: a reference for clairvoyant agents,
tests and plots.
"""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device, inline, lean_kernel
from mec_moe_env.core.sums import rounding_of
from mec_moe_env.experts import learn
from mec_moe_env.offloading.arrivals import Workspace
from mec_moe_env.offloading.judgement import (
    errors_of_trial,
    judge_type,
    learned_errors,
    task_accuracy,
    task_error,
)
from mec_moe_env.offloading.pricing import is_idle
from mec_moe_env.offloading.state import NOBODY, UNJUDGED, Exogenous, Params, State
from mec_moe_env.perceptron import Network, train_network


@device
def write_trained(
    network: Network | None,
    params: Params,
    state: State,
    exogenous: Exogenous,
    work: Workspace,
    i: int,
    u: int,
    m: int,
    out: Floats,
) -> None:
    """Write to `out`, (P,), the model of server m after training on task u."""
    features, labels = exogenous.features[i, u], exogenous.labels[i, u]
    if network is None:
        learn(state.model[i, m], features, labels, params.proximal, out, work.training)
    else:
        begin = state.initial[i] if network.restart else state.model[i, m]
        train_network(network, state.model[i, m], begin, features, labels, out, work.network)


@device
def train(
    params: Params,
    state: State,
    exogenous: Exogenous,
    i: int,
    u: int,
    m: int,
    share: float,
    work: Workspace,
) -> None:
    """Begin the training of server m on task u, judged until its end by the model of now.

    The server counts for `share` of the task.
    """
    task, server = exogenous.tasks[i, u], state.servers[i, m]
    linear, constant = exogenous.linear[i, u], task["constant"]
    network = params.network
    write_trained(network, params, state, exogenous, work, i, u, m, state.pending_model[i, m])
    n = task["type"]
    judge_type(network, params, state, work, i, m, n)
    error = task_error(network, params, state, i, m, n, linear, constant)
    server["pending_type"] = n
    server["pending_weight"] = share
    server["pending_constant"] = constant
    server["pending_error"] = share * error
    for f in range(linear.shape[0]):
        state.pending_linear[i, m, f] = linear[f]
    if params.heldout_labels.shape[1] > 0:
        accuracy = task_accuracy(network, params, state, i, m, n)
        server["pending_hits"] = share * accuracy


@device
def forget_pending(state: State, i: int, m: int) -> None:
    """Clear the training under way at server m."""
    server = state.servers[i, m]
    server["remaining"] = 0
    server["pending_weight"] = 0.0
    server["pending_error"] = 0.0
    server["pending_hits"] = 0.0


@device
def complete(params: Params, state: State, work: Workspace, i: int, m: int) -> None:
    """End the training of server m: its model changes, and every task it learned is rejudged."""
    server, network = state.servers[i, m], params.network
    n, share = server["pending_type"], server["pending_weight"]
    linear = state.pending_linear[i, m]
    constant = server["pending_constant"]
    server["drift"] = change_model(state, i, m)
    server["completed"] = True
    remember(state, i, m, n, share, linear, constant)
    for learned in range(state.learned_weight.shape[2]):
        if state.learned_weight[i, m, learned] > 0.0:
            judge_type(network, params, state, work, i, m, learned)
    error = task_error(network, params, state, i, m, n, linear, constant)
    add_when_learned(state, i, share * error)
    server["learned_error"] = learned_errors(network, params, state, i, m)
    hits = 0.0
    for n in range(state.learned_weight.shape[2]):
        if state.learned_weight[i, m, n] > 0.0:
            accuracy = task_accuracy(network, params, state, i, m, n)
            hits += state.learned_weight[i, m, n] * accuracy
    server["learned_hits"] = hits
    forget_pending(state, i, m)


@device
def remember(
    state: State, i: int, m: int, n: int, share: float, linear: Floats, constant: float
) -> None:
    """Add a task of type n to what server m has learned; b of the task is `linear`, (d,)."""
    server = state.servers[i, m]
    total = state.learned_linear[i, m]
    for f in range(linear.shape[0]):
        state.linear_rest[i, m, f] += rounding_of(total[f], share * linear[f])
        total[f] += share * linear[f]
    state.weight_rest[i, m, n] += rounding_of(state.learned_weight[i, m, n], share)
    state.learned_weight[i, m, n] += share
    server["constant_rest"] += rounding_of(server["learned_constant"], share * constant)
    server["learned_constant"] += share * constant


@inline
def add_when_learned(state: State, i: int, error: float) -> None:
    """Add to the errors of tasks just after they were learned."""
    episode = state.episodes[i]
    episode["when_learned_rest"] += rounding_of(episode["error_when_learned"], error)
    episode["error_when_learned"] += error


@inline
def add_unserved(state: State, i: int, share: float, constant: float) -> None:
    """Let a share of a task count the zero model's error for ever."""
    episode = state.episodes[i]
    episode["unserved_rest"] += rounding_of(episode["unserved_error"], share * constant)
    episode["unserved_error"] += share * constant
    episode["unserved_weight"] += share


@device
def change_model(state: State, i: int, m: int) -> float:
    """Let server m's model become what its training has made of it; return ‖Δ‖₂, the drift."""
    model, pending = state.model[i, m], state.pending_model[i, m]
    squared = 0.0
    for p in range(model.shape[0]):
        change = pending[p] - model[p]
        squared += change * change
        model[p] = pending[p]
    for n in range(state.type_error.shape[2]):
        state.type_error[i, m, n] = UNJUDGED
    return math.sqrt(squared)


@device
def lose(state: State, i: int, m: int) -> None:
    """Lose the training of a failing server: its task counts the zero model's error for ever."""
    server = state.servers[i, m]
    add_unserved(state, i, server["pending_weight"], server["pending_constant"])
    forget_pending(state, i, m)


@lean_kernel
def write_model_errors(
    params: Params, state: State, exogenous: Exogenous, work: Workspace, out: Floats
) -> None:
    """Write the error of every server's model of now on every waiting task, (n, U, M)."""
    for i in range(out.shape[0]):
        for u in range(out.shape[1]):
            task, linear = exogenous.tasks[i, u], exogenous.linear[i, u]
            n, constant = task["type"], task["constant"]
            for m in range(out.shape[2]):
                if n == NOBODY:
                    out[i, u, m] = 0.0
                    continue
                judge_type(params.network, params, state, work, i, m, n)
                error = task_error(params.network, params, state, i, m, n, linear, constant)
                out[i, u, m] = error


@lean_kernel
def write_error_increments(
    params: Params, state: State, exogenous: Exogenous, work: Workspace, out: Floats
) -> None:
    """Write by how much E grows once server m has learned task u, (n, U, M); inf while busy.

    Inf also where no task arrived.
    """
    network = params.network
    for i in range(out.shape[0]):
        for u in range(out.shape[1]):
            task, linear = exogenous.tasks[i, u], exogenous.linear[i, u]
            n, constant = task["type"], task["constant"]
            for m in range(out.shape[2]):
                if n == NOBODY or not is_idle(state, i, m):
                    out[i, u, m] = np.inf
                    continue
                write_trained(network, params, state, exogenous, work, i, u, m, work.trained)
                grown = errors_of_trial(network, params, state, work, i, m, n, linear, constant)
                out[i, u, m] = grown - state.servers[i, m]["learned_error"]
