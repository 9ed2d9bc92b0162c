"""How the memory learns from a slot: which kinds arrive, and what trainings revealed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.learned.memory import NO_KIND, Floats, Integers, Memory
from mec_moe_env import Slot
from mec_moe_env.core.kernels import lean

Singles = NDArray[np.float32]

SAME_KIND = 0.5
"""Cosine from which a task belongs to a kind; also the threshold of `guard`."""
LEARNED = 2
"""Trainings on one kind after which a server's model is near to it."""
STRANGE = 0.35
"""Cosine below which a task cannot be of any kind met so far."""
STRAY_TASKS = 3
"""A kind of no more tasks may be strays of another, and gives way to one that is missing."""
MOST_TRAININGS = 6
"""Later drifts are noise within a kind rather than distance still to go."""


@lean
def cosine(total: Floats, task: Singles) -> float:
    """Return the cosine of two vectors of shape (d,); 0 if one is zero."""
    product = 0.0
    left = 0.0
    right = 0.0
    for f in range(task.shape[0]):
        product += total[f] * task[f]
        left += total[f] * total[f]
        right += task[f] * task[f]
    return product / math.sqrt(left * right) if left * right > 0.0 else 0.0


@lean
def forget_kind(memory: Memory, i: int, kind: int) -> None:
    """Make room for another kind, to which the servers of the old one pass."""
    memory.kind_count[i, kind] = 0
    memory.kind_worth[i, kind] = 0.0
    memory.kind_trainings[i, kind] = 0
    for f in range(memory.kind_sum.shape[2]):
        memory.kind_sum[i, kind, f] = 0.0
    for n in range(memory.kind_count.shape[1]):
        memory.distance_sum[i, kind, n] = 0.0
        memory.distance_sum[i, n, kind] = 0.0
        memory.distance_count[i, kind, n] = 0
        memory.distance_count[i, n, kind] = 0


@lean
def recognise(memory: Memory, i: int, u: int, task: Singles) -> None:
    """Assign task u of row i to the kind most like it, or to a new one, and learn from it."""
    best = -2.0
    kind = 0
    smallest = 0
    met = 0
    for n in range(memory.kind_count.shape[1]):
        if memory.kind_count[i, n] == 0:
            continue
        met += 1
        if memory.kind_count[i, n] < memory.kind_count[i, smallest]:
            smallest = n
        similarity = cosine(memory.kind_sum[i, n], task)
        if similarity > best:
            best = similarity
            kind = n
    memory.task_is_novel[i, u] = best < SAME_KIND and met < memory.kind_count.shape[1]
    if memory.task_is_novel[i, u]:
        kind = met
    elif best < STRANGE and memory.kind_count[i, smallest] <= STRAY_TASKS:
        kind = smallest
        forget_kind(memory, i, kind)
    memory.task_kind[i, u] = kind
    memory.kind_count[i, kind] += 1
    for f in range(task.shape[0]):
        memory.kind_sum[i, kind, f] += task[f]


@lean
def note_training(memory: Memory, i: int, m: int, drift: float, covered: float) -> None:
    """Learn the worth of a kind, or the distance of two, from a training that ended.

    Training from zero on tasks of one kind moves a model by orthogonal steps towards w, so that
    Σ drift² grows to ‖w‖², by the share `covered` = k/d of what is left with each training
    (exact for Gaussian features; our extension). The first training on a task of kind a of a
    server that had learned kind b moves it by that share of ‖w_a − w_b‖².
    """
    former = memory.former_kind[i, m]
    if former >= 0 and memory.streak[i, m] == 1:
        last = memory.last_kind[i, m]
        distance = drift * drift / covered
        memory.distance_sum[i, last, former] += distance
        memory.distance_sum[i, former, last] += distance
        memory.distance_count[i, last, former] += 1
        memory.distance_count[i, former, last] += 1
    if memory.trainings[i, m] < 0 or memory.trainings[i, m] >= MOST_TRAININGS:
        return
    memory.trainings[i, m] += 1
    memory.drift_energy[i, m] += drift * drift
    kind = memory.last_kind[i, m]
    count = memory.trainings[i, m]
    if count > memory.kind_trainings[i, kind]:
        reached = 1.0 - (1.0 - covered) ** count
        memory.kind_worth[i, kind] = memory.drift_energy[i, m] / reached
        memory.kind_trainings[i, kind] = count


@lean
def begin_slot(memory: Memory, slot: Slot, covered: float) -> None:
    """Learn what a batch of slots shows before anything is decided."""
    n, U = slot.task.shape[:2]
    for i in range(n):
        for m in range(memory.taken.shape[1]):
            memory.taken[i, m] = False
            if slot.completed[i, m] > 0.0 and memory.last_kind[i, m] >= 0:
                note_training(memory, i, m, slot.drift[i, m], covered)
        for s in range(memory.used.shape[1]):
            memory.used[i, s] = False
        for u in range(U):
            recognise(memory, i, u, slot.task[i, u])


@lean
def remember_pick(memory: Memory, slot: Slot, i: int, u: int, m: int) -> None:
    """Note that row i gave its task u to server m over the best free subcarrier."""
    memory.taken[i, m] = True
    if slot.origin[i, u, m] == 0.0:
        memory.used[i, memory.best_subcarrier[i, m]] = True
    kind = memory.task_kind[i, u]
    if memory.last_kind[i, m] == kind:
        memory.streak[i, m] += 1
    else:
        if memory.last_kind[i, m] >= 0:
            memory.trainings[i, m] = -1
        learned = memory.streak[i, m] >= LEARNED
        memory.former_kind[i, m] = memory.last_kind[i, m] if learned else NO_KIND
        memory.streak[i, m] = 1
    memory.last_kind[i, m] = kind
    memory.server_count[i, m, kind] += 1
    for f in range(slot.task.shape[2]):
        memory.server_sum[i, m, f] += slot.task[i, u, f]
    main = memory.server_kind[i, m]
    if main < 0 or memory.server_count[i, m, kind] >= memory.server_count[i, m, main]:
        memory.server_kind[i, m] = kind


@lean
def pick_servers(
    memory: Memory,
    slot: Slot,
    u: int,
    max_experts: int,
    choices: Integers,
    action: Integers,
) -> None:
    """Write the choices for task u, (n,), M = none, as its first pick into (n, U·D·2) actions."""
    M = memory.taken.shape[1]
    for i in range(choices.shape[0]):
        m = choices[i]
        start = 2 * u * max_experts
        for pick in range(max_experts):
            action[i, start + 2 * pick] = M
            action[i, start + 2 * pick + 1] = 0
        if m == M:
            continue
        action[i, start] = m
        if slot.origin[i, u, m] == 0.0:
            action[i, start + 1] = memory.best_subcarrier[i, m]
        remember_pick(memory, slot, i, u, m)
