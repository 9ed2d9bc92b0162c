"""What an agent is: Stable-Baselines3's `predict`, on batched or single observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Observation = Mapping[str, NDArray[np.float32]]


class Agent(Protocol):
    """Anything with Stable-Baselines3's `predict`: every baseline, and every trained model."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], Any]:
        """Choose the actions of a batch of sub-environments.

        Args:
            observation: entries of shape (n, size), or (size,) for a single environment.
            state: what the previous call returned; None starts afresh.
            episode_start: (n,) booleans, true where a new episode begins.
            deterministic: whether a learned policy takes its mode instead of a sample.

        Returns:
            The flat actions, (n, size) or (size,), and the state for the next call.
        """
        ...


def with_batch_axis(observation: Observation) -> tuple[Observation, bool]:
    """Give the entries of a single observation a leading axis; also tell whether it was single."""
    single = next(iter(observation.values())).ndim == 1
    if not single:
        return observation, False
    return {key: entry[np.newaxis] for key, entry in observation.items()}, True
