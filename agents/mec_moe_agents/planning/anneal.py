"""Simulated annealing over whole plans, every change judged by its exact effect on the return.

A change serves one task elsewhere, or no more. The tasks in its way, at the server or on the
subcarrier, are displaced, and served where they promise most among the servers that are free.
"""

from __future__ import annotations

import math

import numpy as np

from mec_moe_agents.planning.board import (
    Board,
    best_free_subcarrier,
    blocker,
    displace,
    overlapping,
    place,
    survives,
    whole_slots,
)
from mec_moe_agents.planning.problem import Problem
from mec_moe_agents.planning.replay import promised_gain, replay, settle
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device, kernel

DRAWS = 8
"""Random numbers that a change takes."""
REMOVAL, COMPANY, PROMISE = 0.08, 0.4, 0.75
"""Cumulative shares of the changes that reject a task, bring it to a server of its type, or to the
most promising of a few; the others go to any candidate."""
CROWDING = 0.15
"""Share of the changes that take the best subcarrier from whom it carries."""
SERVED_AGAIN = 0.7
"""Share of the changes after which the displaced tasks are served where they promise most."""
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
            place(problem, board, i, chosen[0, i], chosen[1, i])


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


@device
def place_if_free(problem: Problem, board: Board, i: int, m: int) -> bool:
    """Let server m serve task i over its best free subcarrier, if both are free all along."""
    s = best_free_subcarrier(problem, board, i, m)
    if s < 0 or not survives(problem, i, m, s):
        return False
    end = problem.instance.slot[i] + whole_slots(problem, i, m, s)
    if overlapping(problem, board, i, m, end) >= 0:
        return False
    place(problem, board, i, m, s)
    return True


@device
def choose_server(problem: Problem, board: Board, i: int, draw: Floats) -> int:
    """Return where to serve task i, −1 for nowhere."""
    choices = problem.candidates[i]
    if draw[1] < REMOVAL:
        return -1
    if draw[1] < COMPANY:
        first = problem.first[problem.instance.types[i]]
        size = problem.first[problem.instance.types[i] + 1] - first
        return int(board.server[problem.by_type[first + int(draw[2] * size)]])
    if draw[1] < PROMISE:
        best, most = -1, -np.inf
        for j in range(3):
            m = choices[int(draw[2 + j] * choices.shape[0])]
            gain = promised_gain(problem, board, i, m)
            if m != board.server[i] and gain > most:
                best, most = m, gain
        return int(best)
    return int(choices[int(draw[2] * choices.shape[0])])


@device
def propose(problem: Problem, board: Board, draw: Floats, journal: Integers) -> int:
    """Change the plan and log each task that moved, with where it was served; return how many."""
    i = int(draw[0] * board.server.shape[0])
    m = choose_server(problem, board, i, draw)
    if m == board.server[i]:
        return 0
    logged = log_task(board, i, journal, 0)
    if board.server[i] >= 0:
        displace(problem, board, i)
    if m < 0:
        return logged
    s = choose_subcarrier(problem, board, i, m, draw[5] < CROWDING)
    if not survives(problem, i, m, s):
        return logged
    logged = clear_way(problem, board, i, m, s, journal, logged)
    place(problem, board, i, m, s)
    if draw[6] < SERVED_AGAIN:
        for j in range(1, logged):
            serve_again(problem, board, journal[j, 0])
    return logged


@device
def choose_subcarrier(problem: Problem, board: Board, i: int, m: int, crowding: bool) -> int:
    """Return the best subcarrier that is free, or the best of all if none is, or if `crowding`."""
    s = -1
    if not crowding:
        s = best_free_subcarrier(problem, board, i, m)
    return s if s >= 0 else int(problem.instance.subcarrier[i, m])


@device
def clear_way(
    problem: Problem, board: Board, i: int, m: int, s: int, journal: Integers, logged: int
) -> int:
    """Displace all in the way of task i at server m and on subcarrier s; return how many logged."""
    end = problem.instance.slot[i] + whole_slots(problem, i, m, s)
    other = overlapping(problem, board, i, m, end)
    while other >= 0:
        logged = log_task(board, other, journal, logged)
        displace(problem, board, other)
        other = overlapping(problem, board, i, m, end)
    other = blocker(problem, board, i, m, s)
    while other >= 0:
        logged = log_task(board, other, journal, logged)
        displace(problem, board, other)
        other = blocker(problem, board, i, m, s)
    return logged


@device
def log_task(board: Board, i: int, journal: Integers, logged: int) -> int:
    """Log where task i is served; return how many tasks are logged."""
    journal[logged, 0] = i
    journal[logged, 1], journal[logged, 2] = board.server[i], board.subcarrier[i]
    return logged + 1


@device
def serve_again(problem: Problem, board: Board, i: int) -> None:
    """Serve task i by the server that is free for it and promises most, if any gains."""
    start = problem.instance.slot[i]
    best, most = -1, 0.0
    for m in problem.candidates[i]:
        gain = promised_gain(problem, board, i, m)
        if gain > most and overlapping(problem, board, i, m, start + 1) < 0:
            end = start + problem.instance.slots[i, m]
            if overlapping(problem, board, i, m, end) < 0:
                best, most = m, gain
    if best >= 0:
        place_if_free(problem, board, i, best)


@device
def list_servers(board: Board, journal: Integers, logged: int, touched: Integers) -> int:
    """Write which servers the logged tasks left or came to; return how many."""
    count = 0
    for j in range(logged):
        for m in (journal[j, 1], board.server[journal[j, 0]]):
            known = m < 0
            for q in range(count):
                known = known or touched[q] == m
            if not known:
                touched[count] = m
                count += 1
    return count


@device
def undo(problem: Problem, board: Board, journal: Integers, logged: int) -> None:
    """Return the logged tasks to where they were served."""
    for j in range(logged):
        if board.server[journal[j, 0]] >= 0:
            displace(problem, board, journal[j, 0])
    for j in range(logged):
        if journal[j, 1] >= 0:
            place(problem, board, journal[j, 0], journal[j, 1], journal[j, 2])
