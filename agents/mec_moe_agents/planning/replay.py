"""What a server's queue is worth: its trainings are replayed exactly."""

from __future__ import annotations

from mec_moe_agents.planning.board import Board
from mec_moe_agents.planning.problem import Problem, train_on
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device
from mec_moe_env.experts import inner, quadratic_form


@device
def replay(problem: Problem, board: Board, m: int, model: Floats, work: Floats) -> float:
    """Return what server m loses against rejecting its tasks; write its final model to `model`.

    A task in training at T is judged, but has not trained. `work` is (k + d + N,).
    """
    instance = problem.instance
    k, d = instance.features.shape[1], instance.features.shape[2]
    residual, linear, counts = work[:k], work[k : k + d], work[k + d :]
    model[:] = 0.0
    linear[:] = 0.0
    counts[:] = 0.0
    total = 0.0
    for j in range(board.length[m]):
        i = board.queue[m, j]
        if board.end[i] <= instance.params.horizon:
            train_on(problem, i, model, residual)
        total += board.price[i]
        counts[instance.types[i]] += 1.0
        for f in range(d):
            linear[f] += instance.linear[i, f]
    error = summed_forms(problem, model, counts) - 2.0 * inner(linear, model)
    return float(total + instance.params.weights[0] * error)


@device
def summed_forms(problem: Problem, model: Floats, counts: Floats) -> float:
    """Return Σ over types of how many tasks there are, (N,), times wᵀAw."""
    quadratic = problem.instance.params.quadratic
    total, weight = 0.0, 0.0
    for a in range(counts.shape[0]):
        weight += counts[a]
        if counts[a] > 0.0 and quadratic.shape[1] > 0:
            total += counts[a] * quadratic_form(model, quadratic[a])
    if quadratic.shape[1] == 0:
        total = weight * inner(model, model)
    return total


@device
def settle(problem: Problem, board: Board, m: int, model: Floats, cost: float) -> None:
    """Note server m's final model, the forms wᵀAw of it, and its cost."""
    quadratic = problem.instance.params.quadratic
    board.cost[m] = cost
    for f in range(model.shape[0]):
        board.model[m, f] = model[f]
    form = inner(model, model)
    for a in range(board.forms.shape[1]):
        if quadratic.shape[1] > 0:
            form = quadratic_form(model, quadratic[a])
        board.forms[m, a] = form


@device
def promised_gain(problem: Problem, board: Board, i: int, m: int) -> float:
    """Return what server m would gain by task i over its best link, its final model as it is."""
    instance = problem.instance
    saved = 2.0 * inner(instance.linear[i], board.model[m]) - board.forms[m, instance.types[i]]
    return float(instance.params.weights[0] * saved - instance.price[i, m])
