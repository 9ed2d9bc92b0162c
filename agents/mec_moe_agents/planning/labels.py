"""Which type each server should serve, before anything else is planned.

If every server serves one type, the types do not meet: each is a problem of interval scheduling on
its own servers. It is solved server by server, each by the exact dynamic programme of one server,
then once more with the right to take a task from another server for what it brings there.
"""

from __future__ import annotations

import math

import numpy as np

from mec_moe_agents.planning.problem import Problem, train_on
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device, kernel
from mec_moe_env.experts import model_error

ROUNDS = 3
PROPOSALS = 20_000
WARMEST = 2.0
"""First temperature, as a share of the mean cost of a rejection; the last fifth only gains."""


def label_servers(problem: Problem, rng: np.random.Generator, proposals: int) -> Integers:
    """Return the server of each task, (n,), −1 for none, by the best labels found."""
    n, M = problem.instance.price.shape
    N = len(problem.first) - 1
    value = np.empty(n)
    write_own_errors(problem, value)
    owner = np.full(n, -1)
    labels = np.full(M, -1)
    worth = np.zeros(N)
    draws = rng.random((proposals, 5))
    search_labels(problem, value, draws, labels, worth, owner)
    return owner


@kernel
def write_own_errors(problem: Problem, out: Floats) -> None:
    """Write what serving each task saves, its error by the model that met all of its type."""
    instance = problem.instance
    d, k = instance.features.shape[2], instance.features.shape[1]
    model, residual = np.empty(d), np.empty(k)
    for a in range(problem.first.shape[0] - 1):
        model[:] = 0.0
        for j in range(problem.first[a], problem.first[a + 1]):
            train_on(problem, problem.by_type[j], model, residual)
        quadratic = instance.params.quadratic[a]
        for j in range(problem.first[a], problem.first[a + 1]):
            i = problem.by_type[j]
            constant = instance.constant[i]
            error = model_error(model, quadratic, instance.linear[i], constant)
            out[i] = instance.params.weights[0] * (constant - error)


@device
def worth_at(problem: Problem, value: Floats, i: int, m: int) -> float:
    """Return what server m gains by task i of its own type."""
    if m < 0:
        return 0.0
    if not problem.instance.served[i, m]:
        return -np.inf
    gain: float = value[i] - problem.instance.price[i, m]
    return gain


@device
def reoptimise(
    problem: Problem, value: Floats, a: int, m: int, owner: Integers, best: Floats
) -> None:
    """Give server m the best tasks of type a, others' for what they bring there."""
    first, last = problem.first[a], problem.first[a + 1]
    slot, slots = problem.instance.slot, problem.instance.slots
    for j in range(first, last):
        if owner[problem.by_type[j]] == m:
            owner[problem.by_type[j]] = -1
    best[last - first] = 0.0
    for j in range(last - 1, first - 1, -1):
        i = problem.by_type[j]
        after = following(problem, j, last, slot[i] + slots[i, m]) - first
        gain = worth_at(problem, value, i, m) - worth_at(problem, value, i, owner[i])
        best[j - first] = max(best[j - first + 1], gain + best[after])
    j = first
    while j < last:
        if best[j - first] > best[j - first + 1]:
            i = problem.by_type[j]
            owner[i] = m
            j = following(problem, j, last, slot[i] + slots[i, m])
        else:
            j += 1


@device
def following(problem: Problem, j: int, last: int, slot: int) -> int:
    """Return the first place after j in `by_type` of a task that arrives in `slot` or later."""
    j += 1
    while j < last and problem.instance.slot[problem.by_type[j]] < slot:
        j += 1
    return j


@device
def schedule_type(
    problem: Problem, value: Floats, labels: Integers, a: int, owner: Integers, best: Floats
) -> float:
    """Plan type a on the servers with its label; return what it gains."""
    first, last = problem.first[a], problem.first[a + 1]
    for j in range(first, last):
        owner[problem.by_type[j]] = -1
    for _ in range(ROUNDS):
        for m in range(labels.shape[0]):
            if labels[m] == a:
                reoptimise(problem, value, a, m, owner, best)
    total = 0.0
    for j in range(first, last):
        i = problem.by_type[j]
        total += worth_at(problem, value, i, owner[i])
    return total


@kernel
def search_labels(
    problem: Problem,
    value: Floats,
    draws: Floats,
    labels: Integers,
    worth: Floats,
    owner: Integers,
) -> None:
    """Change a label or swap two by simulated annealing, each proposal by a row of `draws`."""
    M, N = labels.shape[0], worth.shape[0]
    best = np.empty(owner.shape[0] + 1)
    warmest = WARMEST * problem.instance.params.weights[0] * problem.instance.constant.mean()
    for proposal in range(draws.shape[0]):
        draw = draws[proposal]
        m, other = int(draw[0] * M), int(draw[1] * M)
        before, other_before = labels[m], labels[other]
        swaps = draw[2] < 0.4 and proposal > draws.shape[0] // 10
        labels[m] = labels[other] if swaps else int(draw[3] * N)
        if labels[m] == before:
            continue
        if swaps:
            labels[other] = before
        gain = 0.0
        for a in (before, int(labels[m])):
            if a >= 0:
                gain += schedule_type(problem, value, labels, a, owner, best) - worth[a]
        heat = warmest * max(1.0 - 1.25 * proposal / draws.shape[0], 0.0)
        accepted = gain > heat * math.log(draw[4] + 1e-300)
        if not accepted:
            labels[m] = before
            labels[other] = other_before if swaps else labels[other]
        for a in (before, int(labels[m])):
            if a >= 0 and accepted:
                worth[a] = schedule_type(problem, value, labels, a, owner, best)
    for a in range(N):
        worth[a] = schedule_type(problem, value, labels, a, owner, best)
