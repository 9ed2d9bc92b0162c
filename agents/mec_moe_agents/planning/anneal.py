"""Simulated annealing over whole plans, every change judged by its exact effect on the return."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_agents.planning.board import Board, place
from mec_moe_agents.planning.changes import DRAWS, list_servers, place_if_free, propose, undo
from mec_moe_agents.planning.problem import Problem
from mec_moe_agents.planning.replay import replay, settle
from mec_moe_agents.planning.visit import visit
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import kernel

HOTTEST, COLDEST = 0.15, 0.0005
"""Temperatures, as shares of the mean cost of a rejection."""


@kernel
def fill_board(problem: Problem, board: Board, owner: Integers) -> None:
    """Serve each task, (n,), by its `owner` if it can be."""
    for i in range(owner.shape[0]):
        if owner[i] >= 0:
            place_if_free(problem, board, i, owner[i])


@kernel
def copy_board(problem: Problem, board: Board, chosen: Integers) -> None:
    """Serve the tasks by servers over subcarriers, (2, n), where it is known that they are free."""
    for i in range(chosen.shape[1]):
        if chosen[0, i] >= 0:
            place(problem, board, visit(problem, i, chosen[0, i], chosen[1, i]))


@kernel
def value_servers(problem: Problem, board: Board) -> None:
    """Replay every server's whole queue."""
    (k, d), M = problem.instance.features.shape[1:], board.length.shape[0]
    work = np.empty((2 * k + 2) * k + d + board.forms.shape[1])
    model = np.empty(d)
    for m in range(M):
        settle(problem, board, m, model, replay(problem, board, m, model, work, True))


@kernel
def anneal(
    problem: Problem, board: Board, draws: Floats, temperatures: Floats, best: Integers
) -> float:
    """Change the plan once for each row of `draws`, (count, 8), and of `temperatures`, (count,).

    `best`, (2, n), receives servers and subcarriers of the best plan met; its cost is returned.
    """
    instance = problem.instance
    (k, d), M = instance.features.shape[1:], board.length.shape[0]
    work = np.empty((2 * k + 2) * k + d + board.forms.shape[1])
    journal = np.empty(
        (8 * min(instance.params.max_delay, instance.params.horizon) + 16, 3), np.int64
    )
    touched = np.empty(min(len(journal), M), np.int64)
    models, costs = np.empty((len(touched), d)), np.empty(len(touched))
    total, lowest = board.cost.sum(), np.inf
    for change in range(draws.shape[0]):
        logged = propose(problem, board, draws[change], journal)
        count = list_servers(board, journal, logged, touched)
        loss = cost_change(problem, board, touched[:count], models, costs, work)
        if loss > -temperatures[change] * math.log(draws[change, DRAWS - 1] + 1e-300):
            undo(problem, board, journal, logged)
            continue
        keep(problem, board, journal[:logged], touched[:count], models, work)
        total += loss
        if total < lowest - 1e-9:
            lowest = total
            best[0, :], best[1, :] = board.server, board.subcarrier
    return lowest


@kernel
def cost_change(
    problem: Problem, board: Board, touched: Integers, models: Floats, costs: Floats, work: Floats
) -> float:
    """Return by how much the touched servers cost more than before; write costs and models."""
    loss = 0.0
    for j in range(touched.shape[0]):
        costs[j] = replay(problem, board, touched[j], models[j], work, False)
        loss += costs[j] - board.cost[touched[j]]
    return loss


@kernel
def keep(
    problem: Problem,
    board: Board,
    journal: Integers,
    touched: Integers,
    models: Floats,
    work: Floats,
) -> None:
    """Note the replays of the touched servers; the tasks that moved are of no earlier one."""
    for j in range(journal.shape[0]):
        board.settled[journal[j, 0]] = -1
    for j in range(touched.shape[0]):
        m = touched[j]
        settle(problem, board, m, models[j], replay(problem, board, m, models[j], work, True))
