"""What the learned scheduler remembers of an episode, all of it seen or its own doing.

It sorts tasks into clusters by their similarity, notes which server took which of them, and learns
from the drift of trainings how far the ground truths of clusters lie from zero and from each
other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import numpy as np

from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles
from mec_moe_env.core.kernels import Entry, device, lean_kernel

NO_CLUSTER = -1
SAME_CLUSTER = 0.5
"""Cosine from which a task belongs to a cluster; also the threshold of `guard`."""
LEARNED = 2
"""Trainings on one cluster after which a server's model is near to it."""
OUTLIER = 0.35
"""Cosine below which a task cannot be of any cluster met so far."""
OUTLIER_TASKS = 3
"""A cluster of no more tasks may be outliers of another, and gives way to one that is missing."""
MOST_TRAININGS = 6
"""Later drifts are noise within a cluster rather than distance still to go."""


class Memory(NamedTuple):
    """The memory of n episodes with at most K = N clusters of tasks.

    A shape is written as its axes: n, K, M servers, U tasks of a slot, d features.
    """

    cluster_sum: Annotated[Floats, "nKd"]
    """Σ x over the tasks of each cluster that arrived."""
    cluster_count: Annotated[Integers, "nK"]
    """Tasks of each cluster that arrived."""
    cluster_worth: Annotated[Floats, "nK"]
    """Estimate of ‖w‖² of each cluster, what a rejection of it costs."""
    cluster_trainings: Annotated[Integers, "nK"]
    """Trainings behind that estimate."""
    distance_sum: Annotated[Floats, "nKK"]
    """Σ of the estimates of ‖w_a − w_b‖² of two clusters."""
    distance_count: Annotated[Integers, "nKK"]
    """Estimates behind that sum."""
    server_sum: Annotated[Floats, "nMd"]
    """Σ x over the tasks that each server took."""
    server_count: Annotated[Integers, "nMK"]
    """Tasks of each cluster that each server took."""
    server_cluster: Annotated[Integers, "nM"]
    """The cluster of which a server took most, the latest among equals; −1 untrained."""
    last_cluster: Annotated[Integers, "nM"]
    """Cluster of the last task that a server took; −1 untrained."""
    streak: Annotated[Integers, "nM"]
    """Tasks of `last_cluster` that a server took without another between them."""
    former_cluster: Annotated[Integers, "nM"]
    """The cluster of the streak before, if it was long enough to be learned; else −1."""
    trainings: Annotated[Integers, "nM"]
    """Trainings completed while a server took one cluster only; −1 once it took another."""
    drift_energy: Annotated[Floats, "nM"]
    """Σ drift² over those trainings."""
    delay_sum: Annotated[Floats, "nM"]
    """Σ over all tasks seen of the delay that each server would have had, slots."""
    tasks_seen: Annotated[Integers, "n"]
    """Since the episode began."""
    task_cluster: Annotated[Integers, "nU"]
    """Cluster of each task of the present slot."""
    task_is_novel: Annotated[Flags, "nU"]
    """Whether it is the first of its cluster."""


DTYPES: Mapping[Any, type[np.generic]] = {
    Floats: np.float64,
    Integers: np.int64,
    Flags: np.bool_,
}


def empty_memory(config: OffloadingConfig, batch: int) -> Memory:
    """Allocate the memory of `batch` episodes that have just begun."""
    sizes = {"n": batch, "K": config.num_types, "M": config.num_servers}
    sizes |= {"U": config.num_tasks, "d": config.feature_dim}
    hints = get_type_hints(Memory, include_extras=True).values()
    memory = Memory(
        *(
            np.zeros([sizes[axis] for axis in axes], DTYPES[kind])
            for kind, axes in map(get_args, hints)
        )
    )
    forget(memory, np.ones(batch, np.bool_))
    return memory


def forget(memory: Memory, rows: Flags) -> None:
    """Begin new episodes in `rows`, (n,)."""
    for array in memory:
        array[rows] = 0
    for clusters in (memory.server_cluster, memory.last_cluster, memory.former_cluster):
        clusters[rows] = NO_CLUSTER


def mean_delay(memory: Memory, delay: Floats) -> Floats:
    """Note the delay of a task at each server, slots (n, M), and return the mean of all so far."""
    memory.tasks_seen[:] += 1
    memory.delay_sum[:] += delay
    mean: Floats = memory.delay_sum / memory.tasks_seen[:, np.newaxis]
    return mean


@device
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


@device
def forget_cluster(memory: Memory, i: int, cluster: int) -> None:
    """Make room for another cluster, to which the servers of the old one pass."""
    memory.cluster_count[i, cluster] = 0
    memory.cluster_worth[i, cluster] = 0.0
    memory.cluster_trainings[i, cluster] = 0
    for f in range(memory.cluster_sum.shape[2]):
        memory.cluster_sum[i, cluster, f] = 0.0
    for other in range(memory.cluster_count.shape[1]):
        memory.distance_sum[i, cluster, other] = 0.0
        memory.distance_sum[i, other, cluster] = 0.0
        memory.distance_count[i, cluster, other] = 0
        memory.distance_count[i, other, cluster] = 0


@device
def recognise(memory: Memory, i: int, u: int, task: Singles) -> None:
    """Assign task u of row i to the cluster most like it, or to a new one, and learn from it."""
    best = -2.0
    cluster = 0
    smallest = 0
    met = 0
    for other in range(memory.cluster_count.shape[1]):
        if memory.cluster_count[i, other] == 0:
            continue
        met += 1
        if memory.cluster_count[i, other] < memory.cluster_count[i, smallest]:
            smallest = other
        similarity = cosine(memory.cluster_sum[i, other], task)
        if similarity > best:
            best = similarity
            cluster = other
    memory.task_is_novel[i, u] = best < SAME_CLUSTER and met < memory.cluster_count.shape[1]
    if memory.task_is_novel[i, u]:
        cluster = met
    elif best < OUTLIER and memory.cluster_count[i, smallest] <= OUTLIER_TASKS:
        cluster = smallest
        forget_cluster(memory, i, cluster)
    memory.task_cluster[i, u] = cluster
    memory.cluster_count[i, cluster] += 1
    for f in range(task.shape[0]):
        memory.cluster_sum[i, cluster, f] += task[f]


@device
def note_training(memory: Memory, i: int, m: int, drift: float, covered: float) -> None:
    """Learn the worth of a cluster, or the distance of two, from a training that ended.

    Training from zero on tasks of one cluster moves a model by orthogonal steps towards w, so that
    Σ drift² grows to ‖w‖², by the share `covered` = k/d of what is left with each training
    (exact for Gaussian features; our extension). The first training on a task of cluster a of a
    server that had learned cluster b moves it by that share of ‖w_a − w_b‖².
    """
    former = memory.former_cluster[i, m]
    if former >= 0 and memory.streak[i, m] == 1:
        last = memory.last_cluster[i, m]
        distance = drift * drift / covered
        memory.distance_sum[i, last, former] += distance
        memory.distance_sum[i, former, last] += distance
        memory.distance_count[i, last, former] += 1
        memory.distance_count[i, former, last] += 1
    if memory.trainings[i, m] < 0 or memory.trainings[i, m] >= MOST_TRAININGS:
        return
    memory.trainings[i, m] += 1
    memory.drift_energy[i, m] += drift * drift
    cluster = memory.last_cluster[i, m]
    count = memory.trainings[i, m]
    if count > memory.cluster_trainings[i, cluster]:
        reached = 1.0 - (1.0 - covered) ** count
        memory.cluster_worth[i, cluster] = memory.drift_energy[i, m] / reached
        memory.cluster_trainings[i, cluster] = count


@lean_kernel
def begin_slot(memory: Memory, slot: Slot, covered: float) -> None:
    """Learn what a batch of slots shows before anything is decided."""
    n, U = slot.task.shape[:2]
    for i in range(n):
        for m in range(memory.last_cluster.shape[1]):
            if slot.completed[i, m] > 0.0 and memory.last_cluster[i, m] >= 0:
                note_training(memory, i, m, slot.drift[i, m], covered)
        for u in range(U):
            recognise(memory, i, u, slot.task[i, u])


@device
def note_pick(memory: Memory, i: int, u: int, m: int, task: Singles) -> None:
    """Note that row i gave its task u, x of shape (d,), to server m."""
    cluster = memory.task_cluster[i, u]
    if memory.last_cluster[i, m] == cluster:
        memory.streak[i, m] += 1
    else:
        if memory.last_cluster[i, m] >= 0:
            memory.trainings[i, m] = -1
        learned = memory.streak[i, m] >= LEARNED
        memory.former_cluster[i, m] = memory.last_cluster[i, m] if learned else NO_CLUSTER
        memory.streak[i, m] = 1
    memory.last_cluster[i, m] = cluster
    memory.server_count[i, m, cluster] += 1
    for f in range(task.shape[0]):
        memory.server_sum[i, m, f] += task[f]
    main = memory.server_cluster[i, m]
    if main < 0 or memory.server_count[i, m, cluster] >= memory.server_count[i, m, main]:
        memory.server_cluster[i, m] = cluster


@lean_kernel
def note_picks(memory: Memory, slot: Slot, u: int, servers: Integers) -> None:
    """Note the servers, (n,) with M = none, that took task u of each row."""
    for i in range(servers.shape[0]):
        if servers[i] < memory.last_cluster.shape[1]:
            note_pick(memory, i, u, servers[i], slot.task[i, u])


enter_slot, enter_picks = Entry(begin_slot), Entry(note_picks)
"""The same, for arrays whose types never change."""
