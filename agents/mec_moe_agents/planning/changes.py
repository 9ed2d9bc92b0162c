"""Changes of a whole plan, which can be taken back.

A change serves one task elsewhere, or no more. The tasks in its way, at the server or on the
subcarrier, are displaced, and served where they promise most among the servers that are free.
"""

from __future__ import annotations

import numpy as np

from mec_moe_agents.planning.board import (
    Board,
    best_free_subcarrier,
    blocker,
    displace,
    overlapping,
    place,
)
from mec_moe_agents.planning.problem import Problem
from mec_moe_agents.planning.replay import promised_gain
from mec_moe_agents.planning.visit import Visit, survives, visit
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device

DRAWS = 8
"""Random numbers that a change takes; the last one decides whether it stays."""
REMOVAL, COMPANY, PROMISE = 0.08, 0.4, 0.75
"""Cumulative shares of the changes that reject a task, bring it to a server of its type, or to the
most promising of a few; the others go to any candidate."""
CROWDING = 0.15
"""Share of the changes that take the best subcarrier from whom it carries."""
SERVED_AGAIN = 0.7
"""Share of the changes after which the displaced tasks are served where they promise most."""


@device
def place_if_free(problem: Problem, board: Board, i: int, m: int) -> bool:
    """Let server m serve task i over its best free subcarrier, if both are free all along."""
    s = best_free_subcarrier(problem, board, i, m)
    if s < 0:
        return False
    to = visit(problem, i, m, s)
    if not survives(problem, to) or overlapping(problem, board, i, m, to.end) >= 0:
        return False
    place(problem, board, to)
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
    to = visit(problem, i, m, choose_subcarrier(problem, board, i, m, draw[5] < CROWDING))
    if not survives(problem, to):
        return logged
    logged = clear_way(problem, board, to, journal, logged)
    place(problem, board, to)
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
def clear_way(problem: Problem, board: Board, to: Visit, journal: Integers, logged: int) -> int:
    """Displace all in the way of a visit, at the server and on the subcarrier; return how many."""
    other = overlapping(problem, board, to.task, to.server, to.end)
    while other >= 0:
        logged = log_task(board, other, journal, logged)
        displace(problem, board, other)
        other = overlapping(problem, board, to.task, to.server, to.end)
    other = blocker(board, to)
    while other >= 0:
        logged = log_task(board, other, journal, logged)
        displace(problem, board, other)
        other = blocker(board, to)
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
            i, m, s = journal[j, 0], journal[j, 1], journal[j, 2]
            place(problem, board, visit(problem, i, m, s))
