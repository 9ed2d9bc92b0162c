"""Routing by similarity to what each server has learned before (our extension)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mec_moe_agents.offloading.gates import Gate
from mec_moe_agents.offloading.picks import served_tasks
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import Real, check
from mec_moe_env.core.buffers import Flags, Floats, Integers


@dataclass
class ProfileState:
    """What each server has taken in each of n episodes."""

    total: Floats
    """(n, M, d), sum of x over the server's tasks."""
    direction: Floats
    """(n, M, d), the same scaled to length one."""
    trained: Flags
    """(n, M), whether the server has taken any task."""


def unit(vectors: Floats) -> Floats:
    """Scale vectors along the last axis to length one; zero stays zero."""
    length = np.sqrt(np.einsum("...d,...d->...", vectors, vectors))[..., np.newaxis]
    scaled: Floats = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return scaled


class ProfileGate(Gate[ProfileState]):
    """Relevance is the cosine of x and the server's profile (our extension).

    A server's profile is the mean x of the tasks that it has taken. A server whose similarity
    reaches the threshold comes before an untrained one, which comes before all others, so that
    a new cluster of tasks opens a new server while there is one.

    Args:
        config: the environment's configuration.
        threshold: cosine from which a task belongs to the server's own cluster.

    Raises:
        ValueError: the threshold is not a cosine.
    """

    def __init__(self, config: OffloadingConfig, *, threshold: float = 0.5) -> None:
        check("threshold", threshold, Real(-1, 1))
        self._config = config
        self.threshold = threshold

    def start(self, batch: int) -> ProfileState:
        """Return `batch` rows of untrained servers."""
        M, d = self._config.num_servers, self._config.feature_dim
        return ProfileState(
            total=np.zeros((batch, M, d)),
            direction=np.zeros((batch, M, d)),
            trained=np.zeros((batch, M), dtype=np.bool_),
        )

    def reset(self, state: ProfileState, rows: Flags) -> None:
        """Make all servers of the rows untrained."""
        state.total[rows] = 0.0
        state.direction[rows] = 0.0
        state.trained[rows] = False

    def similarity(self, state: ProfileState, slot: Slot) -> Floats:
        """Return the cosine of each task and each server's profile, (n, U, M).

        −inf where the server is untrained.
        """
        task = unit(slot.task.astype(np.float64))
        cosine = np.matmul(task, state.direction.transpose(0, 2, 1))
        return np.where(state.trained[:, np.newaxis], cosine, -np.inf)

    def relevance(self, state: ProfileState, slot: Slot) -> Floats:
        """Return the similarity, (n, U, M); untrained servers stand at the threshold."""
        similarity = self.similarity(state, slot)
        return np.where(state.trained[:, np.newaxis], similarity, self.threshold)

    def remember(self, state: ProfileState, slot: Slot, servers: Integers) -> None:
        """Add each task to the profiles of the servers that took it."""
        rows, tasks, chosen = served_tasks(servers, self._config.num_servers)
        total = state.total[rows, chosen] + slot.task[rows, tasks]
        state.total[rows, chosen] = total
        state.direction[rows, chosen] = unit(total)
        state.trained[rows, chosen] = True


@dataclass
class GuardState:
    """The profiles, and how many clusters of tasks have been met, in each of n episodes."""

    profile: ProfileState
    clusters: Integers
    """(n,), servers that were opened for a task unlike any before."""
    novel: Flags
    """(n, U), whether each task of the present slot is unlike any before."""


class GuardGate(Gate[GuardState]):
    """As `ProfileGate`, but rejects a task rather than give it to a server of another cluster.

    As long as fewer clusters of tasks were met than there are types, one untrained server is kept
    for each that is missing: no cluster gets a second server at the price of another's first.

    Args:
        config: the environment's configuration.
        threshold: cosine from which a task belongs to the server's own cluster.

    Raises:
        ValueError: the threshold is not a cosine.
    """

    def __init__(self, config: OffloadingConfig, *, threshold: float = 0.5) -> None:
        self._config = config
        self._profile = ProfileGate(config, threshold=threshold)

    def start(self, batch: int) -> GuardState:
        """Return `batch` rows of untrained servers."""
        return GuardState(
            profile=self._profile.start(batch),
            clusters=np.zeros(batch, dtype=np.int64),
            novel=np.zeros((batch, self._config.num_tasks), dtype=np.bool_),
        )

    def reset(self, state: GuardState, rows: Flags) -> None:
        """Make all servers of the rows untrained."""
        self._profile.reset(state.profile, rows)
        state.clusters[rows] = 0

    def relevance(self, state: GuardState, slot: Slot) -> Floats:
        """Return the similarity, (n, U, M), −inf where the server must not take the task."""
        threshold = self._profile.threshold
        similarity = self._profile.similarity(state.profile, slot)
        state.novel = similarity.max(axis=-1) < threshold
        missing = np.maximum(self._config.num_types - state.clusters, 0)
        untrained = ~state.profile.trained
        spare = untrained.sum(axis=1) > missing
        opens = untrained[:, np.newaxis] & (state.novel | spare[:, np.newaxis])[..., np.newaxis]
        own = np.where(similarity >= threshold, similarity, -np.inf)
        return np.where(opens, threshold, own)

    def remember(self, state: GuardState, slot: Slot, servers: Integers) -> None:
        """Count the clusters that opened a server and update the profiles."""
        taken = (servers < self._config.num_servers).any(axis=-1)
        state.clusters += (taken & state.novel).sum(axis=1)
        self._profile.remember(state.profile, slot, servers)
