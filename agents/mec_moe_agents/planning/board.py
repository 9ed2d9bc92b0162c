"""A plan under construction: who serves what over which subcarrier, always feasible."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.planning.problem import Problem
from mec_moe_agents.planning.visit import Visit, visit
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device


class Board(NamedTuple):
    """n tasks, M servers, S subcarriers, T slots, N types; −1 stands for none."""

    server: Integers
    """(n,)."""
    subcarrier: Integers
    """(n,)."""
    end: Integers
    """(n,), the slot in which the server is idle again."""
    price: Floats
    """(n,), energy and delay as the reward weighs them."""
    queue: Integers
    """(M, T), the tasks of each server in the order of their training."""
    length: Integers
    """(M,), tasks in each queue."""
    taken: Integers
    """(S, T), the task that each subcarrier carries."""
    cost: Floats
    """(M,), what each server loses against rejecting its tasks."""
    model: Floats
    """(M, d), final models."""
    forms: Floats
    """(M, N), wᵀAw of the final models."""
    settled: Integers
    """(n,), the server whose replay `after` and `previous` are from; −1 if they say nothing."""
    previous: Integers
    """(n,), the training before that of each task in that replay."""
    after: Floats
    """(n, d), the model after each task's training in that replay."""


def empty_board(problem: Problem) -> Board:
    """Return the plan that rejects every task."""
    n, M = problem.instance.price.shape
    S = problem.whole.spectral_efficiency.shape[3]
    T, N = problem.instance.horizon, len(problem.first) - 1
    return Board(
        server=np.full(n, -1),
        subcarrier=np.full(n, -1),
        end=np.zeros(n, np.int64),
        price=np.zeros(n),
        queue=np.full((M, T), -1),
        length=np.zeros(M, np.int64),
        taken=np.full((S, T), -1),
        cost=np.zeros(M),
        model=np.zeros((M, problem.instance.features.shape[2])),
        forms=np.zeros((M, N)),
        settled=np.full(n, -1),
        previous=np.full(n, -1),
        after=np.zeros((n, problem.instance.features.shape[2])),
    )


@device
def blocker(board: Board, to: Visit) -> int:
    """Return a task that occupies the subcarrier while the visit would use it, or −1."""
    for slot in range(to.start, to.sent):
        if board.taken[to.subcarrier, slot] >= 0:
            return int(board.taken[to.subcarrier, slot])
    return -1


@device
def best_free_subcarrier(problem: Problem, board: Board, i: int, m: int) -> int:
    """Return the most efficient subcarrier that is free for task i to server m, or −1."""
    params = problem.instance.params
    t, u = i // params.num_tasks, i % params.num_tasks
    best, most = -1, -1.0
    for s in range(board.taken.shape[0]):
        efficiency = problem.whole.spectral_efficiency[t, u, m, s]
        if efficiency > most and blocker(board, visit(problem, i, m, s)) < 0:
            best, most = s, efficiency
    return best


@device
def overlapping(problem: Problem, board: Board, i: int, m: int, end: int) -> int:
    """Return a task of server m that is trained while task i would be, until `end`; or −1."""
    start = problem.instance.slot[i]
    low, high = 0, board.length[m]
    while low < high:
        middle = (low + high) // 2
        if board.end[board.queue[m, middle]] <= start:
            low = middle + 1
        else:
            high = middle
    if low < board.length[m] and problem.instance.slot[board.queue[m, low]] < end:
        return int(board.queue[m, low])
    return -1


@device
def place(problem: Problem, board: Board, to: Visit) -> None:
    """Serve a task; server and subcarrier must be free."""
    i, m, s = to.task, to.server, to.subcarrier
    board.server[i], board.subcarrier[i] = m, s
    board.end[i], board.price[i] = to.end, to.price
    for slot in range(to.start, to.sent):
        board.taken[s, slot] = i
    j = board.length[m]
    while j > 0 and problem.instance.slot[board.queue[m, j - 1]] > to.start:
        board.queue[m, j] = board.queue[m, j - 1]
        j -= 1
    board.queue[m, j] = i
    board.length[m] += 1


@device
def displace(problem: Problem, board: Board, i: int) -> None:
    """Reject task i, which is served so far."""
    m, s = board.server[i], board.subcarrier[i]
    slot = problem.instance.slot[i]
    while slot < board.taken.shape[1] and board.taken[s, slot] == i:
        board.taken[s, slot] = -1
        slot += 1
    j = 0
    while board.queue[m, j] != i:
        j += 1
    board.length[m] -= 1
    while j < board.length[m]:
        board.queue[m, j] = board.queue[m, j + 1]
        j += 1
    board.server[i], board.subcarrier[i] = -1, -1
