"""What a server's model is worth: its error on a task, and on all that it has learned, compiled.

A linear model w has a quadratic form for an error (Li & Duan 2024), a network the held-out loss of
the task's type (our extension): `judge_type` works it out when it is wanted, and it is kept until
the network changes. The first argument tells which; what the other needs is then not compiled.
"""

from __future__ import annotations

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device
from mec_moe_env.experts import inner, model_error, quadratic_form
from mec_moe_env.offloading.arrivals import Workspace
from mec_moe_env.offloading.state import UNJUDGED, Params, State
from mec_moe_env.perceptron import Network, judge_network


@device
def quadratic_errors(params: Params, state: State, i: int, m: int, model: Floats) -> float:
    """Return Σ share·error of the tasks that server m has learned, under a linear `model`.

    What rounding took from the sums is made good last, where it still counts.
    """
    total: float = state.servers[i, m]["learned_constant"]
    total -= 2.0 * inner(state.learned_linear[i, m], model)
    rest: float = state.servers[i, m]["constant_rest"]
    rest -= 2.0 * inner(state.linear_rest[i, m], model)
    if params.quadratic.shape[1] == 0:
        weight, lost = 0.0, 0.0
        for n in range(state.learned_weight.shape[2]):
            weight += state.learned_weight[i, m, n]
            lost += state.weight_rest[i, m, n]
        form = inner(model, model)
        return (total + weight * form) + (rest + lost * form)
    for n in range(params.quadratic.shape[0]):
        if state.learned_weight[i, m, n] > 0.0:
            form = quadratic_form(model, params.quadratic[n])
            total += state.learned_weight[i, m, n] * form
            rest += state.weight_rest[i, m, n] * form
    return total + rest


@device
def linear_accuracy(params: Params, n: int, model: Floats) -> float:
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
def judge_type(
    network: Network | None,
    params: Params,
    state: State,
    work: Workspace,
    i: int,
    m: int,
    n: int,
) -> None:
    """See to it that error and accuracy of server m's network on type n are known.

    Of a linear model they are worked out where they are read.
    """
    if network is not None and state.type_error[i, m, n] == UNJUDGED:
        error, accuracy = judge_network(
            network,
            state.model[i, m],
            params.heldout_features[n],
            params.heldout_labels[n],
            work.network,
        )
        state.type_error[i, m, n] = error
        state.type_accuracy[i, m, n] = accuracy


@device
def task_error(
    network: Network | None,
    params: Params,
    state: State,
    i: int,
    m: int,
    n: int,
    linear: Floats,
    constant: float,
) -> float:
    """Return the error of server m's model on a task of type n, which was judged.

    b of the task is `linear`, (d,), c `constant`.
    """
    if network is None:
        return model_error(state.model[i, m], params.quadratic[n], linear, constant)
    error: float = state.type_error[i, m, n]
    return error


@device
def task_accuracy(
    network: Network | None, params: Params, state: State, i: int, m: int, n: int
) -> float:
    """Return the held-out accuracy of server m's model on type n, which was judged."""
    if network is None:
        return linear_accuracy(params, n, state.model[i, m])
    accuracy: float = state.type_accuracy[i, m, n]
    return accuracy


@device
def learned_errors(network: Network | None, params: Params, state: State, i: int, m: int) -> float:
    """Return Σ share·error of the tasks that server m has learned, whose types were judged."""
    if network is None:
        return quadratic_errors(params, state, i, m, state.model[i, m])
    total = 0.0
    for n in range(state.learned_weight.shape[2]):
        if state.learned_weight[i, m, n] > 0.0:
            total += state.learned_weight[i, m, n] * state.type_error[i, m, n]
    return total


@device
def errors_of_trial(
    network: Network | None,
    params: Params,
    state: State,
    work: Workspace,
    i: int,
    m: int,
    n: int,
    linear: Floats,
    constant: float,
) -> float:
    """Return the error on a task of type n and on all that m has learned, were `trained` its model.

    `work.trained` is (P,).
    """
    model = work.trained
    if network is None:
        own = model_error(model, params.quadratic[n], linear, constant)
        return own + quadratic_errors(params, state, i, m, model)
    total = 0.0
    for other in range(state.learned_weight.shape[2]):
        share = state.learned_weight[i, m, other] + (1.0 if other == n else 0.0)
        if share > 0.0:
            error, _ = judge_network(
                network,
                model,
                params.heldout_features[other],
                params.heldout_labels[other],
                work.network,
            )
            total += share * error
    return total
