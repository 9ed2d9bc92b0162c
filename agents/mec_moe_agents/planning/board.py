"""A plan under construction: who serves what over which subcarrier, always feasible."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.planning.problem import Problem
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device
from mec_moe_env.offloading.pricing import (
    pick_joules,
    pick_slots,
    sending_seconds,
    training_seconds,
)


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
def sending_slots(problem: Problem, i: int, m: int, s: int) -> int:
    """Return how long task i keeps subcarrier s when it goes to server m; 0 in-situ."""
    params = problem.instance.params
    t, u = i // params.num_tasks, i % params.num_tasks
    if problem.whole.tasks[t, u]["origin"] == m:
        return 0
    return int(pick_slots(params, sending_seconds(params, problem.whole, t, u, m, s)))


@device
def whole_slots(problem: Problem, i: int, m: int, s: int) -> int:
    """Return how long task i keeps server m when it comes over subcarrier s."""
    params = problem.instance.params
    t, u = i // params.num_tasks, i % params.num_tasks
    seconds = sending_seconds(params, problem.whole, t, u, m, s)
    return int(pick_slots(params, seconds + training_seconds(params, problem.whole, t, m)))


@device
def price_of(problem: Problem, i: int, m: int, s: int) -> float:
    """Return what task i costs at server m over subcarrier s, its error aside."""
    params = problem.instance.params
    t, u = i // params.num_tasks, i % params.num_tasks
    seconds = sending_seconds(params, problem.whole, t, u, m, s)
    joules = pick_joules(params, problem.whole, t, m, seconds)
    delay = whole_slots(problem, i, m, s)
    return float(params.weights[1] * joules + params.weights[2] * delay)


@device
def survives(problem: Problem, i: int, m: int, s: int) -> bool:
    """Return whether server m works until it has trained task i, or the episode's end."""
    t, T = problem.instance.slot[i], problem.instance.params.horizon
    ready = min(t + whole_slots(problem, i, m, s), T)
    return bool(problem.working_until[t, m] > ready)


@device
def blocker(problem: Problem, board: Board, i: int, m: int, s: int) -> int:
    """Return a task that occupies subcarrier s while task i would use it, or −1."""
    t, T = problem.instance.slot[i], problem.instance.params.horizon
    for slot in range(t, min(t + sending_slots(problem, i, m, s), T)):
        if board.taken[s, slot] >= 0:
            return int(board.taken[s, slot])
    return -1


@device
def best_free_subcarrier(problem: Problem, board: Board, i: int, m: int) -> int:
    """Return the most efficient subcarrier that is free for task i to server m, or −1."""
    params = problem.instance.params
    t, u = i // params.num_tasks, i % params.num_tasks
    best, most = -1, -1.0
    for s in range(board.taken.shape[0]):
        efficiency = problem.whole.spectral_efficiency[t, u, m, s]
        if efficiency > most and blocker(problem, board, i, m, s) < 0:
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
def place(problem: Problem, board: Board, i: int, m: int, s: int) -> None:
    """Let server m serve task i over subcarrier s; both must be free."""
    start, T = problem.instance.slot[i], problem.instance.params.horizon
    board.server[i], board.subcarrier[i] = m, s
    board.end[i] = start + whole_slots(problem, i, m, s)
    board.price[i] = price_of(problem, i, m, s)
    for slot in range(start, min(start + sending_slots(problem, i, m, s), T)):
        board.taken[s, slot] = i
    j = board.length[m]
    while j > 0 and problem.instance.slot[board.queue[m, j - 1]] > start:
        board.queue[m, j] = board.queue[m, j - 1]
        j -= 1
    board.queue[m, j] = i
    board.length[m] += 1


@device
def displace(problem: Problem, board: Board, i: int) -> None:
    """Reject task i, which is served so far."""
    m, s = board.server[i], board.subcarrier[i]
    start, T = problem.instance.slot[i], problem.instance.params.horizon
    for slot in range(start, min(start + sending_slots(problem, i, m, s), T)):
        board.taken[s, slot] = -1
    j = 0
    while board.queue[m, j] != i:
        j += 1
    board.length[m] -= 1
    while j < board.length[m]:
        board.queue[m, j] = board.queue[m, j + 1]
        j += 1
    board.server[i], board.subcarrier[i] = -1, -1
