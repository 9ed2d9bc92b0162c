"""What the learned scheduler remembers of an episode: all of it seen, or its own doing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NO_KIND = -1


class Memory(NamedTuple):
    """The memory of n episodes; a kind is a cluster of similar tasks, K = N of them at most."""

    kind_sum: Floats
    """Σ x over the tasks of each kind that arrived, (n, K, d)."""
    kind_count: Integers
    """Tasks of each kind that arrived, (n, K)."""
    kind_worth: Floats
    """Estimate of ‖w‖² of each kind, what a rejection of it costs, (n, K)."""
    kind_trainings: Integers
    """Trainings behind that estimate, (n, K)."""
    distance_sum: Floats
    """Σ of the estimates of ‖w_a − w_b‖² of two kinds, (n, K, K)."""
    distance_count: Integers
    """Estimates behind that sum, (n, K, K)."""
    server_sum: Floats
    """Σ x over the tasks that each server took, (n, M, d)."""
    server_count: Integers
    """Tasks of each kind that each server took, (n, M, K)."""
    server_kind: Integers
    """The kind of which a server took most, the latest among equals, (n, M); −1 untrained."""
    last_kind: Integers
    """Kind of the last task that a server took, (n, M); −1 untrained."""
    streak: Integers
    """Tasks of `last_kind` that a server took without another between them, (n, M)."""
    former_kind: Integers
    """The kind of the streak before, if it was long enough to be learned, (n, M); else −1."""
    trainings: Integers
    """Completed trainings while a server took one kind only, (n, M); −1 once it took another."""
    drift_energy: Floats
    """Σ drift² over those trainings, (n, M)."""
    delay_sum: Floats
    """Σ over all tasks seen of the delay that each server would have had, slots, (n, M)."""
    tasks_seen: Integers
    """(n,)."""
    task_kind: Integers
    """Kind of each task of the present slot, (n, U)."""
    task_is_novel: Flags
    """Whether it is the first of its kind, (n, U)."""
    taken: Flags
    """Servers that a task of the present slot was given, (n, M)."""
    used: Flags
    """Subcarriers likewise, (n, S)."""
    best_subcarrier: Integers
    """Best free subcarrier from the present task's origin to each server, (n, M)."""


def empty_memory(config: OffloadingConfig, batch: int) -> Memory:
    """Allocate the memory of `batch` episodes that have just begun."""
    n, M, K = batch, config.num_servers, config.num_types
    U, S, d = config.num_tasks, config.num_subcarriers, config.feature_dim
    memory = Memory(
        kind_sum=np.zeros((n, K, d)),
        kind_count=np.zeros((n, K), np.int64),
        kind_worth=np.zeros((n, K)),
        kind_trainings=np.zeros((n, K), np.int64),
        distance_sum=np.zeros((n, K, K)),
        distance_count=np.zeros((n, K, K), np.int64),
        server_sum=np.zeros((n, M, d)),
        server_count=np.zeros((n, M, K), np.int64),
        server_kind=np.zeros((n, M), np.int64),
        last_kind=np.zeros((n, M), np.int64),
        streak=np.zeros((n, M), np.int64),
        former_kind=np.zeros((n, M), np.int64),
        trainings=np.zeros((n, M), np.int64),
        drift_energy=np.zeros((n, M)),
        delay_sum=np.zeros((n, M)),
        tasks_seen=np.zeros(n, np.int64),
        task_kind=np.zeros((n, U), np.int64),
        task_is_novel=np.zeros((n, U), np.bool_),
        taken=np.zeros((n, M), np.bool_),
        used=np.zeros((n, S), np.bool_),
        best_subcarrier=np.zeros((n, M), np.int64),
    )
    forget(memory, np.ones(batch, np.bool_))
    return memory


def forget(memory: Memory, rows: Flags) -> None:
    """Begin new episodes in `rows`, (n,)."""
    for array in memory:
        array[rows] = 0
    for kinds in (memory.server_kind, memory.last_kind, memory.former_kind):
        kinds[rows] = NO_KIND
