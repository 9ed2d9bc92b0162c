"""What the network sees of one decision: a task's context, then one block for each server.

The fields of `ContextFeatures` and `ServerFeatures` are the features in their order, and their
values the positions that the code below writes to: `out[OF_SERVER.delay]`. A new feature is a field
there and a line here that writes it; the weights have to be trained anew under a new `VERSION`.

Counts are squashed by `few`. The worth of a cluster of tasks is ‖w‖² of its ground truth, what a
rejection costs, in units of what is expected of any.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_agents.offloading.picks import Openings, pick_costs
from mec_moe_agents.offloading.recognition import Memory, cosine, mean_delay
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.core.buffers import Flags, Singles
from mec_moe_env.core.kernels import Entry, device, inline, lean_kernel
from mec_moe_env.tasks.synthetic import expected_truth

VERSION = 3
"""Of the features: weights of another version do not fit."""
NO_DELAY = 1.2
"""Stands for the delay (in d_u) where no server of the own cluster can take the task."""
MOST = 4.0
"""Where features without a bound of their own are cut off."""


class ContextFeatures(NamedTuple):
    """The task and the system."""

    progress: int  # t / T
    slots_left: int  # Until the end of the episode, over 4·d_u, at most 1
    idle: int  # Share of the servers that are idle
    untrained: int  # Servers that have taken no task yet, squashed
    missing: int  # Clusters, met or not, without a server of their own, squashed
    spare: int  # Untrained servers beyond the missing clusters, over M
    novel: int  # 1 if the task is the first of its cluster
    own: int  # Servers of the task's cluster, squashed
    own_available: int  # Those among them that can take the task, squashed
    worth: int  # What is believed of the worth of the cluster
    trainings: int  # Trainings behind that belief, squashed
    payload: int  # Mbit, at most 4
    subcarriers: int  # Share of the subcarriers that are free
    later: int  # Tasks of the slot after this one, over U
    alike: int  # Those among them of the same cluster, squashed
    frequency: int  # How much more often than others the cluster arrives: N·share − 1
    similarity: int  # Largest similarity to an available server
    own_delay: int  # Least delay at an available server of the cluster, over d_u
    new_price: int  # Least price of an available untrained server, at most 4
    coverage: int  # Servers of the cluster against twice its fair share M/N, less 0.5


class ServerFeatures(NamedTuple):
    """A server, seen from the task.

    Its own cluster is the one of which it took most tasks; an untrained server has none.
    """

    available: int  # 1 if it can take the task
    delay: int  # Of the task there, in slots over d_u
    price: int  # Energy and delay as rewarded, 8 being the expected cost of a rejection
    usual_delay: int  # Mean delay of all tasks of the episode there, in slots over d_u
    extra_delay: int  # Delay beyond that mean
    busy: int  # Remaining slots over d_u; 1 if an earlier task of the slot took it
    local: int  # 1 if the task arrived there
    computing: int  # Time of computing, in slots over d_u
    duration: int  # Half the time of sending and computing, in slots over d_u, not rounded
    untrained: int  # 1 if it has taken no task yet
    own: int  # 1 if its own cluster is the task's
    foreign: int  # 1 if its own cluster is another
    similarity: int  # Cosine of the task and the sum of those that it took
    experience: int  # log(1 + tasks taken) / 4
    share: int  # Share of the task's cluster in them
    last_own: int  # 1 if the last of them was of the task's cluster
    worth: int  # What is believed of the worth of its own cluster
    peers: int  # Other servers of that cluster, squashed
    idle_peers: int  # Those among them that are idle, squashed
    waiting: int  # Later tasks of the slot of that cluster, squashed
    drift: int  # ‖Δw‖ of its last completed training over the expected ‖w‖, at most 3
    specialism: int  # log(1 + tasks taken of its own cluster) / 4
    prospect: int  # Error of the task there, less that of a rejection; see `write_prospect`
    certainty: int  # Observations behind it, squashed


CONTEXT, SERVER = len(ContextFeatures._fields), len(ServerFeatures._fields)
"""Number of features of the context, and of each server."""
OF_CONTEXT, OF_SERVER = ContextFeatures(*range(CONTEXT)), ServerFeatures(*range(SERVER))
"""The position of each feature."""


def width(config: OffloadingConfig) -> int:
    """Return the number of features of a decision, `CONTEXT` + M·`SERVER`."""
    return CONTEXT + config.num_servers * SERVER


def choice_masks(features: Singles) -> Flags:
    """Return which choices are possible, (n, M + 1), from features (n, width): M is none."""
    blocks = features[:, CONTEXT:].reshape(len(features), -1, SERVER)
    out = np.ones((len(features), blocks.shape[1] + 1), np.bool_)
    out[:, :-1] = blocks[:, :, OF_SERVER.available] > 0
    return out


class Scales(NamedTuple):
    """Constants of the scenario that turn counts and slots into numbers of order one."""

    types: int
    horizon: int
    max_delay: int
    worth: float
    """Expected ‖w‖² of a cluster; 1 with real data, the squared label."""


def scales_of(config: OffloadingConfig) -> Scales:
    """Collect the constants."""
    synthetic = config.tasks == "synthetic"
    worth = expected_truth(config) if synthetic else 1.0
    return Scales(config.num_types, config.horizon, config.max_delay, worth)


def write_offers(
    memory: Memory,
    slot: Slot,
    openings: Openings,
    config: OffloadingConfig,
    scales: Scales,
    u: int,
    out: Singles,
) -> None:
    """Write what serving task u takes at each server, over its best free subcarrier.

    Of the features `out`, (n, width); `write_remembered` has the rest.
    """
    blocks = out[:, CONTEXT:].reshape(slot.batch, -1, SERVER)
    costs = pick_costs(only_task(slot, u), config, openings.free)
    delay, slots = costs.delay_slots[:, 0], costs.seconds[:, 0] / config.slot_seconds
    usual = mean_delay(memory, delay)
    computing = config.samples_per_task * slot.compute[..., 1].astype(np.float64)
    computing /= config.slot_seconds
    rejection = max(config.error_weight * scales.worth, 1e-9)
    price = 8.0 * costs.weighted(config)[:, 0] / rejection
    blocks[..., OF_SERVER.available] = openings.available(u)
    blocks[..., OF_SERVER.delay] = delay / config.max_delay
    blocks[..., OF_SERVER.price] = np.minimum(price, MOST)
    blocks[..., OF_SERVER.usual_delay] = usual / config.max_delay
    blocks[..., OF_SERVER.extra_delay] = (delay - usual) / config.max_delay
    blocks[..., OF_SERVER.busy] = np.where(openings.idle | (slot.busy > 0), slot.busy, 1.0)
    blocks[..., OF_SERVER.local] = openings.local(u)
    blocks[..., OF_SERVER.computing] = np.minimum(computing / config.max_delay, MOST)
    blocks[..., OF_SERVER.duration] = np.minimum(0.5 * slots / config.max_delay, 2.0)


def only_task(slot: Slot, u: int) -> Slot:
    """View slots as if task u were their only one."""
    names = ("task", "payload", "origin", "spectral_efficiency")
    return slot._replace(**{name: getattr(slot, name)[:, u : u + 1] for name in names})


@lean_kernel
def write_remembered(
    memory: Memory, slot: Slot, idle: Flags, free: Flags, scales: Scales, u: int, out: Singles
) -> None:
    """Write the rest, what is remembered of the servers and the context, to `out` (n, width).

    The tasks before left the servers `idle`, (n, M), and the subcarriers `free`, (n, S).
    """
    M = idle.shape[1]
    for i in range(out.shape[0]):
        block = out[i, CONTEXT:].reshape(M, SERVER)
        for m in range(M):
            write_record(memory, slot, scales, i, u, m, block[m])
            write_own_cluster(memory, idle, scales, i, u, m, block[m])
            write_prospect(memory, scales, i, u, m, block[m])
        write_system(memory, slot, free, scales, i, u, block, out[i])
        write_cluster(memory, scales, i, u, block, out[i])


enter_remembered = Entry(write_remembered)
"""The same, for arrays whose types never change."""


@device
def write_record(
    memory: Memory, slot: Slot, scales: Scales, i: int, u: int, m: int, out: Singles
) -> None:
    """Write what server m has taken, compared with task u."""
    task, own = memory.task_cluster[i, u], memory.server_cluster[i, m]
    taken = 0
    for cluster in range(memory.server_count.shape[2]):
        taken += memory.server_count[i, m, cluster]
    out[OF_SERVER.untrained] = 1.0 if own < 0 else 0.0
    out[OF_SERVER.own] = 1.0 if own == task else 0.0
    out[OF_SERVER.foreign] = 1.0 if own >= 0 and own != task else 0.0
    out[OF_SERVER.similarity] = cosine(memory.server_sum[i, m], slot.task[i, u])
    out[OF_SERVER.experience] = math.log1p(taken) / 4.0
    out[OF_SERVER.share] = memory.server_count[i, m, task] / max(taken, 1)
    out[OF_SERVER.last_own] = 1.0 if memory.last_cluster[i, m] == task else 0.0
    out[OF_SERVER.drift] = min(slot.drift[i, m] / math.sqrt(scales.worth), 3.0)


@device
def write_own_cluster(
    memory: Memory, idle: Flags, scales: Scales, i: int, u: int, m: int, out: Singles
) -> None:
    """Write what is known of the cluster that server m is for, zeros if it is untrained."""
    own = memory.server_cluster[i, m]
    worth = 0.0
    experience, peers, idle_peers, waiting = 0, 0, 0, 0
    if own >= 0:
        worth = worth_of(memory, scales, i, own)
        experience = memory.server_count[i, m, own]
        waiting = waiting_tasks(memory, i, u, own)
        for other in range(idle.shape[1]):
            if other != m and memory.server_cluster[i, other] == own:
                peers += 1
                idle_peers += 1 if idle[i, other] else 0
    out[OF_SERVER.worth] = worth
    out[OF_SERVER.peers] = few(peers)
    out[OF_SERVER.idle_peers] = few(idle_peers)
    out[OF_SERVER.waiting] = few(waiting)
    out[OF_SERVER.specialism] = math.log1p(experience) / 4.0


@device
def write_prospect(memory: Memory, scales: Scales, i: int, u: int, m: int, out: Singles) -> None:
    """Write what task u's error will be at server m, less that of a rejection.

    At a server of its own cluster, or an untrained one that learns it, the task is served without
    error. Ground truths are independent: as long as none was observed, what is expected of
    ‖w_a − w_b‖² is ‖w_a‖² + ‖w_b‖².
    """
    task, own = memory.task_cluster[i, u], memory.server_cluster[i, m]
    prospect = -worth_of(memory, scales, i, task)
    count = 0
    if own >= 0 and own != task:
        count = memory.distance_count[i, task, own]
        if count == 0:
            prospect = worth_of(memory, scales, i, own)
        else:
            distance = memory.distance_sum[i, task, own] / count / scales.worth
            prospect = max(min(distance + prospect, MOST), -MOST)
    out[OF_SERVER.prospect] = prospect
    out[OF_SERVER.certainty] = few(2.0 * count)


@device
def write_system(
    memory: Memory,
    slot: Slot,
    free: Flags,
    scales: Scales,
    i: int,
    u: int,
    block: Singles,
    out: Singles,
) -> None:
    """Write what does not depend on the task's cluster, given the servers, `block` (M, SERVER)."""
    M, U = block.shape[0], slot.task.shape[1]
    idle = 0
    untrained = 0
    new_price = MOST
    similarity = 0.0
    for m in range(M):
        idle += 1 if block[m, OF_SERVER.busy] == 0.0 else 0
        untrained += 1 if block[m, OF_SERVER.untrained] > 0.0 else 0
        if block[m, OF_SERVER.available] > 0.0:
            similarity = max(similarity, block[m, OF_SERVER.similarity])
            if block[m, OF_SERVER.untrained] > 0.0:
                new_price = min(new_price, block[m, OF_SERVER.price])
    left = 0
    for s in range(free.shape[1]):
        left += 1 if free[i, s] else 0
    missing = clusters_without_server(memory, scales.types, i)
    slots = scales.horizon * (1.0 - slot.progress[i, 0])
    out[OF_CONTEXT.progress] = slot.progress[i, 0]
    out[OF_CONTEXT.slots_left] = min(slots / (4.0 * scales.max_delay), 1.0)
    out[OF_CONTEXT.idle] = idle / M
    out[OF_CONTEXT.untrained] = few(untrained)
    out[OF_CONTEXT.missing] = few(missing)
    out[OF_CONTEXT.spare] = (untrained - missing) / M
    out[OF_CONTEXT.payload] = min(slot.payload[i, u], np.float32(MOST))
    out[OF_CONTEXT.subcarriers] = left / free.shape[1]
    out[OF_CONTEXT.later] = (U - 1 - u) / U
    out[OF_CONTEXT.similarity] = similarity
    out[OF_CONTEXT.new_price] = new_price


@device
def write_cluster(
    memory: Memory, scales: Scales, i: int, u: int, block: Singles, out: Singles
) -> None:
    """Write what is known of the task's cluster, given the servers, `block` (M, SERVER)."""
    M, N = block.shape[0], scales.types
    task = memory.task_cluster[i, u]
    own = 0
    own_available = 0
    own_delay = NO_DELAY
    for m in range(M):
        if block[m, OF_SERVER.own] > 0.0:
            own += 1
            if block[m, OF_SERVER.available] > 0.0:
                own_available += 1
                own_delay = min(own_delay, block[m, OF_SERVER.delay])
    arrived = 0
    for cluster in range(memory.cluster_count.shape[1]):
        arrived += memory.cluster_count[i, cluster]
    out[OF_CONTEXT.novel] = 1.0 if memory.task_is_novel[i, u] else 0.0
    out[OF_CONTEXT.own] = few(own)
    out[OF_CONTEXT.own_available] = few(own_available)
    out[OF_CONTEXT.worth] = worth_of(memory, scales, i, task)
    out[OF_CONTEXT.trainings] = few(memory.cluster_trainings[i, task])
    out[OF_CONTEXT.alike] = few(waiting_tasks(memory, i, u, task))
    out[OF_CONTEXT.frequency] = min(N * memory.cluster_count[i, task] / arrived, MOST) - 1.0
    out[OF_CONTEXT.own_delay] = own_delay
    out[OF_CONTEXT.coverage] = min(own / M * N / 2.0, MOST) - 0.5


@inline
def few(count: float) -> float:
    """Squash a count: 0, 1/3, 1/2, 3/5 … 1."""
    return count / (count + 2.0)


@device
def worth_of(memory: Memory, scales: Scales, i: int, cluster: int) -> float:
    """Return what is believed of the worth of a cluster."""
    if memory.cluster_trainings[i, cluster] == 0:
        return 1.0
    return float(min(memory.cluster_worth[i, cluster] / scales.worth, MOST))


@device
def waiting_tasks(memory: Memory, i: int, u: int, cluster: int) -> int:
    """Return how many of the slot's tasks after u are of a cluster."""
    waiting = 0
    for later in range(u + 1, memory.task_cluster.shape[1]):
        waiting += 1 if memory.task_cluster[i, later] == cluster else 0
    return waiting


@device
def clusters_without_server(memory: Memory, types: int, i: int) -> int:
    """Return how many of `types` clusters, met or not, have no server of their own."""
    missing = types
    for cluster in range(memory.cluster_count.shape[1]):
        for m in range(memory.server_cluster.shape[1]):
            if memory.server_cluster[i, m] == cluster:
                missing -= 1
                break
    return max(missing, 0)
