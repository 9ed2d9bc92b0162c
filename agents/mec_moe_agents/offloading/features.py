"""What the network sees of one decision: a task's context, then one block for each server.

The fields of `Context`, and of `Offer`, `Record` and `Prospect` for a server, are the features in
their order. A new one is a field there and a line where its tuple is made; sizes and positions
follow, and the weights have to be trained anew under a new `VERSION`.

Counts are squashed by `few`. The worth of a cluster of tasks is ‖w‖² of its ground truth, what a
rejection costs, in units of what is expected of any.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.picks import Flags, Floats, Integers, Openings
from mec_moe_agents.offloading.pricing import pick_costs
from mec_moe_agents.offloading.recognition import Memory, Singles, mean_delay, write_similarity
from mec_moe_env import OffloadingConfig, Slot

VERSION = 3
"""Of the features: weights of another version do not fit."""
NO_DELAY = 1.2
"""Stands for the delay (in d_u) where no server of the own cluster can take the task."""
MOST = 4.0
"""Where features without a bound of their own are cut off."""

Array = NDArray[Any]


class Context(NamedTuple):
    """The task and the system, each (n,)."""

    progress: Array  # t / T
    slots_left: Array  # Until the end of the episode, over 4·d_u, at most 1
    idle: Array  # Share of the servers that are idle
    untrained: Array  # Servers that have taken no task yet, squashed
    missing: Array  # Clusters, met or not, without a server of their own, squashed
    spare: Array  # Untrained servers beyond the missing clusters, over M
    novel: Array  # 1 if the task is the first of its cluster
    own: Array  # Servers of the task's cluster, squashed
    own_available: Array  # Those among them that can take the task, squashed
    worth: Array  # What is believed of the worth of the cluster
    trainings: Array  # Trainings behind that belief, squashed
    payload: Array  # Mbit, at most 4
    subcarriers: Array  # Share of the subcarriers that are free
    later: Array  # Tasks of the slot after this one, over U
    alike: Array  # Those among them of the same cluster, squashed
    frequency: Array  # How much more often than others the cluster arrives: N·share − 1
    similarity: Array  # Largest similarity to an available server
    own_delay: Array  # Least delay at an available server of the cluster, over d_u
    new_price: Array  # Least price of an available untrained server, at most 4
    coverage: Array  # Servers of the cluster against twice its fair share M/N, less 0.5


class Offer(NamedTuple):
    """What serving the task by a server takes, each (n, M)."""

    available: Array  # 1 if it can take the task
    delay: Array  # Of the task there, in slots over d_u
    price: Array  # Energy and delay as rewarded, 8 being the expected cost of a rejection
    usual_delay: Array  # Mean delay of all tasks of the episode there, in slots over d_u
    extra_delay: Array  # Delay beyond that mean
    busy: Array  # Remaining slots over d_u; 1 if an earlier task of the slot took it
    local: Array  # 1 if the task arrived there
    computing: Array  # Time of computing, in slots over d_u
    duration: Array  # Half the time of sending and computing, in slots over d_u, not rounded


class Record(NamedTuple):
    """What a server has learned, seen from the task, each (n, M).

    Its own cluster is the one of which it took most tasks; an untrained server has none.
    """

    untrained: Array  # 1 if it has taken no task yet
    own: Array  # 1 if its own cluster is the task's
    foreign: Array  # 1 if its own cluster is another
    similarity: Array  # Cosine of the task and the sum of those that it took
    experience: Array  # log(1 + tasks taken) / 4
    share: Array  # Share of the task's cluster in them
    last_own: Array  # 1 if the last of them was of the task's cluster
    worth: Array  # What is believed of the worth of its own cluster
    peers: Array  # Other servers of that cluster, squashed
    idle_peers: Array  # Those among them that are idle, squashed
    waiting: Array  # Later tasks of the slot of that cluster, squashed
    drift: Array  # ‖Δw‖ of its last completed training over the expected ‖w‖, at most 3
    specialism: Array  # log(1 + tasks taken of its own cluster) / 4


class Prospect(NamedTuple):
    """What the task's error will be at a server, less that of a rejection, each (n, M)."""

    error: Array  # In units of the expected worth, between ±4
    certainty: Array  # Observations behind it, squashed


SERVER_FEATURES = (*Offer._fields, *Record._fields, *Prospect._fields)
CONTEXT, SERVER = len(Context._fields), len(SERVER_FEATURES)
"""Number of features of the context, and of each server."""
AVAILABLE, UNTRAINED, OWN, FOREIGN = map(
    SERVER_FEATURES.index, ("available", "untrained", "own", "foreign")
)
"""Positions in a server's block."""


def width(config: OffloadingConfig) -> int:
    """Return the number of features of a decision, `CONTEXT` + M·`SERVER`."""
    return CONTEXT + config.num_servers * SERVER


def choice_masks(features: Singles) -> Flags:
    """Return which choices are possible, (n, M + 1), from features (n, width): M is none."""
    blocks = features[:, CONTEXT:].reshape(len(features), -1, SERVER)
    out = np.ones((len(features), blocks.shape[1] + 1), np.bool_)
    out[:, :-1] = blocks[:, :, AVAILABLE] > 0
    return out


class TaskView:
    """What is seen of task u of n slots, and of every server from its point of view.

    To be looked at once per task, in their order of arrival.

    Args:
        memory: of the n episodes.
        slot: the observations, n rows.
        openings: what the tasks before have left.
        config: the environment's configuration.
        u: the task.
    """

    def __init__(
        self, memory: Memory, slot: Slot, openings: Openings, config: OffloadingConfig, u: int
    ) -> None:
        self._memory = memory
        self._slot = slot
        self._openings = openings
        self._config = config
        self._u = u
        synthetic = config.tasks == "synthetic"
        # With real data a rejection costs 1, the squared label.
        self._scale = config.feature_dim * config.truth_scale**2 if synthetic else 1.0
        self._task = memory.task_cluster[:, u, np.newaxis]  # (n, 1)
        self._own = memory.server_cluster  # (n, M)
        self._trained = self._own >= 0
        learned = np.minimum(memory.cluster_worth / self._scale, MOST)
        self._worth = np.where(memory.cluster_trainings > 0, learned, 1.0)  # (n, K)
        later = memory.task_cluster[:, u + 1 :]
        self._waiting = self._per_cluster(later, np.ones_like(later, np.bool_))  # (n, K)

    def features(self) -> Singles:
        """Return the features of the decision, (n, width)."""
        offer, record = self.offer(), self.record()
        servers = (*offer, *record, *self.prospect())
        head = np.stack(self.context(offer, record), axis=-1, dtype=np.float32)
        blocks = np.stack(servers, axis=-1, dtype=np.float32)
        return np.concatenate([head, blocks.reshape(len(head), -1)], axis=1)

    def offer(self) -> Offer:
        """Return what serving the task takes, over each server's best free subcarrier."""
        config, slot, openings = self._config, self._slot, self._openings
        costs = pick_costs(only_task(slot, self._u), config, openings.free)
        delay, seconds = costs.delay_slots[:, 0], costs.seconds[:, 0]
        usual = mean_delay(self._memory, delay)
        computing = config.samples_per_task * slot.compute[..., 1].astype(np.float64)
        rejection = max(config.error_weight * self._scale, 1e-9)
        return Offer(
            available=openings.available(self._u),
            delay=delay / config.max_delay,
            price=np.minimum(8.0 * costs.weighted(config)[:, 0] / rejection, MOST),
            usual_delay=usual / config.max_delay,
            extra_delay=(delay - usual) / config.max_delay,
            busy=np.where(openings.idle | (slot.busy > 0), slot.busy, 1.0),
            local=openings.local(self._u),
            computing=np.minimum(computing / config.slot_seconds / config.max_delay, MOST),
            duration=np.minimum(0.5 * seconds / config.slot_seconds / config.max_delay, 2.0),
        )

    def record(self) -> Record:
        """Return what each server has learned."""
        memory, task, own, trained = self._memory, self._task, self._own, self._trained
        idle = self._openings.idle
        similarity = np.empty(own.shape)
        write_similarity(memory.server_sum, self._slot.task, self._u, similarity)
        taken = memory.server_count.sum(axis=2)
        of_task, of_own = (
            np.take_along_axis(memory.server_count, clusters[..., np.newaxis], axis=2)[..., 0]
            for clusters in (task, own)
        )
        peers = of(self._per_cluster(own, trained), own) - 1
        idle_peers = of(self._per_cluster(own, trained & idle), own) - idle
        drift = self._slot.drift.astype(np.float64) / math.sqrt(self._scale)
        return Record(
            untrained=~trained,
            own=own == task,
            foreign=trained & (own != task),
            similarity=similarity,
            experience=np.log1p(taken) / 4.0,
            share=of_task / np.maximum(taken, 1),
            last_own=memory.last_cluster == task,
            worth=np.where(trained, of(self._worth, own), 0.0),
            peers=np.where(trained, few(peers), 0.0),
            idle_peers=np.where(trained, few(idle_peers), 0.0),
            waiting=np.where(trained, few(of(self._waiting, own)), 0.0),
            drift=np.minimum(drift, 3.0),
            specialism=np.where(trained, np.log1p(of_own) / 4.0, 0.0),
        )

    def prospect(self) -> Prospect:
        """Return what the task's error will be at each server, less that of a rejection.

        At a server of its own cluster, or an untrained one that learns it, the task is served
        without error. Ground truths are independent: as long as none was observed, what is
        expected of ‖w_a − w_b‖² is ‖w_a‖² + ‖w_b‖².
        """
        task, own = self._task, self._own
        rows = np.arange(len(own))[:, np.newaxis]
        count = self._memory.distance_count[rows, task, own]
        distance = self._memory.distance_sum[rows, task, own] / np.maximum(count, 1) / self._scale
        observed = np.clip(distance - of(self._worth, task), -MOST, MOST)
        error = np.where(count > 0, observed, of(self._worth, own))
        differ = self._trained & (own != task)
        return Prospect(
            error=np.where(differ, error, -of(self._worth, task)),
            certainty=np.where(differ, few(2.0 * count), 0.0),
        )

    def context(self, offer: Offer, record: Record) -> Context:
        """Return the context of the task, given what was found of the servers."""
        config, memory, slot, task = self._config, self._memory, self._slot, self._task
        M, N, U = config.num_servers, config.num_types, config.num_tasks
        progress = slot.progress[:, 0].astype(np.float64)
        left = config.horizon * (1.0 - progress)
        untrained, own = record.untrained.sum(axis=1), record.own.sum(axis=1)
        own_available = record.own & offer.available
        new_available = record.untrained & offer.available
        served = self._per_cluster(self._own, self._trained) > 0
        missing = N - served.sum(axis=1)
        frequency = N * of(memory.cluster_count, task)[:, 0] / memory.cluster_count.sum(axis=1)
        return Context(
            progress=progress,
            slots_left=np.minimum(left / (4.0 * config.max_delay), 1.0),
            idle=(offer.busy == 0).sum(axis=1) / M,
            untrained=few(untrained),
            missing=few(missing),
            spare=(untrained - missing) / M,
            novel=memory.task_is_novel[:, self._u],
            own=few(own),
            own_available=few(own_available.sum(axis=1)),
            worth=of(self._worth, task)[:, 0],
            trainings=few(of(memory.cluster_trainings, task)[:, 0]),
            payload=np.minimum(slot.payload[:, self._u], MOST),
            subcarriers=self._openings.free.sum(axis=1) / config.num_subcarriers,
            later=np.full(len(task), (U - 1 - self._u) / U),
            alike=few(of(self._waiting, task)[:, 0]),
            frequency=np.minimum(frequency, MOST) - 1.0,
            similarity=record.similarity.max(axis=1, initial=0.0, where=offer.available),
            own_delay=offer.delay.min(axis=1, initial=NO_DELAY, where=own_available),
            new_price=offer.price.min(axis=1, initial=MOST, where=new_available),
            coverage=np.minimum(own / M * N / 2.0, MOST) - 0.5,
        )

    def _per_cluster(self, clusters: Integers, counted: Flags) -> Integers:
        """Return how many of the clusters (n, ·) that are counted are each cluster, (n, K)."""
        same = clusters[..., np.newaxis] == np.arange(self._config.num_types)
        return np.asarray((same & counted[..., np.newaxis]).sum(axis=1), np.int64)


def few(count: Array) -> Floats:
    """Squash a count: 0, 1/3, 1/2, 3/5 … 1."""
    return np.asarray(count / (count + 2.0), np.float64)


def only_task(slot: Slot, u: int) -> Slot:
    """View slots as if task u were their only one."""
    one = slice(u, u + 1)
    return slot._replace(
        task=slot.task[:, one],
        payload=slot.payload[:, one],
        origin=slot.origin[:, one],
        spectral_efficiency=slot.spectral_efficiency[:, one],
    )


def of(values: Array, clusters: Integers) -> Array:
    """Return what `values` (n, K) say of each of the clusters (n, ·)."""
    return np.take_along_axis(values, clusters, axis=1)
