"""What a server's queue is worth: its trainings are replayed exactly."""

from __future__ import annotations

from mec_moe_agents.planning.board import Board
from mec_moe_agents.planning.problem import Problem, train_on
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device
from mec_moe_env.experts import inner, quadratic_form

TOLERANCE = 1e-8
"""Trainings forget where they began: from here on an earlier replay goes on as it did."""


@device
def replay(
    problem: Problem, board: Board, m: int, model: Floats, work: Floats, keep: bool
) -> float:
    """Return what server m loses against rejecting its tasks; write its final model to `model`.

    A task in training at T is judged, but has not trained. `work` is ((2k + 2)·k + d + N,).
    Trainings that an earlier replay knows are not repeated; `keep` makes this one known.
    """
    instance = problem.instance
    k, d = instance.features.shape[1], instance.features.shape[2]
    room = (2 * k + 2) * k
    training = work[:room].reshape((2 * k + 2, k))
    linear, counts = work[room : room + d], work[room + d :]
    linear[:] = 0.0
    counts[:] = 0.0
    total = 0.0
    before, known = -1, True
    for j in range(board.length[m]):
        i = board.queue[m, j]
        total += board.price[i]
        counts[instance.types[i]] += 1.0
        for f in range(d):
            linear[f] += instance.linear[i, f]
        if board.end[i] > instance.params.horizon:
            continue
        if not (known and board.settled[i] == m and board.previous[i] == before):
            if known:
                recall(board, before, model)
            train_on(problem, i, model, training)
            known = board.settled[i] == m and is_close(model, board.after[i])
            if keep:
                note(board, m, i, before, model)
        before = i
    if known:
        recall(board, before, model)
    error = summed_forms(problem, model, counts) - 2.0 * inner(linear, model)
    return float(total + instance.params.weights[0] * error)


@device
def recall(board: Board, i: int, model: Floats) -> None:
    """Write the model after the training on task i to `model`; the zero model before the first."""
    for f in range(model.shape[0]):
        model[f] = board.after[i, f] if i >= 0 else 0.0


@device
def note(board: Board, m: int, i: int, before: int, model: Floats) -> None:
    """Remember the model after server m's training on task i, which followed that on `before`."""
    for f in range(model.shape[0]):
        board.after[i, f] = model[f]
    board.settled[i], board.previous[i] = m, before


@device
def is_close(model: Floats, other: Floats) -> bool:
    """Return whether two models differ by rounding only."""
    farthest = 0.0
    for f in range(model.shape[0]):
        farthest = max(farthest, abs(model[f] - other[f]))
    return farthest <= TOLERANCE


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
