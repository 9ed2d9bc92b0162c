"""Routing by profile that protects what servers have learned (our extension)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.gate import Gate
from mec_moe_agents.offloading.profile import Floats, ProfileGate, ProfileState
from mec_moe_env import OffloadingConfig, Slot


@dataclass
class GuardState:
    """The profiles, and how many kinds of tasks have been met, in each of n episodes."""

    profile: ProfileState
    kinds: NDArray[np.int64]
    """(n,), servers that were opened for a task unlike any before."""
    novel: NDArray[np.bool_]
    """(n, U), whether each task of the present slot is unlike any before."""


class GuardGate(Gate[GuardState]):
    """As `ProfileGate`, but a task is rejected rather than taken by a server of another kind.

    As long as fewer kinds of tasks were met than there are types, one untrained server is kept
    for each that is missing: no kind gets a second server at the price of another's first.

    Args:
        config: the environment's configuration.
        threshold: cosine from which a task counts as the server's own kind.

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
            kinds=np.zeros(batch, dtype=np.int64),
            novel=np.zeros((batch, self._config.num_tasks), dtype=np.bool_),
        )

    def reset(self, state: GuardState, rows: NDArray[np.bool_]) -> None:
        """Make all servers of the rows untrained."""
        self._profile.reset(state.profile, rows)
        state.kinds[rows] = 0

    def relevance(self, state: GuardState, slot: Slot) -> Floats:
        """Return the similarity, (n, U, M), −inf where the server must not take the task."""
        threshold = self._profile.threshold
        similarity = self._profile.similarity(state.profile, slot)
        state.novel = similarity.max(axis=-1) < threshold
        missing = np.maximum(self._config.num_types - state.kinds, 0)
        untrained = ~state.profile.trained
        spare = untrained.sum(axis=1) > missing
        opens = untrained[:, np.newaxis] & (state.novel | spare[:, np.newaxis])[..., np.newaxis]
        own = np.where(similarity >= threshold, similarity, -np.inf)
        return np.where(opens, threshold, own)

    def remember(self, state: GuardState, slot: Slot, servers: NDArray[np.int64]) -> None:
        """Count the kinds that opened a server and update the profiles."""
        taken = (servers < self._config.num_servers).any(axis=-1)
        state.kinds += (taken & state.novel).sum(axis=1)
        self._profile.remember(state.profile, slot, servers)
