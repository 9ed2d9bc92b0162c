"""The observation as one vector, for policies that read no dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.spaces.utils import flatten_space
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Entries, Singles
from mec_moe_env.shown import shown
from mec_moe_env.wrappers.vector_layer import ObservationLayer


class FlatEntries:
    """The entries of an observation one after the other, in the order of its space.

    That is Gymnasium's order: `gymnasium.spaces.unflatten` and its `FlattenObservation` agree.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        """Lay out the entries.

        Raises:
            TypeError: the space is no Dict of one-dimensional float32 Boxes.
        """
        if not isinstance(space, spaces.Dict) or not all(map(_is_entry, space.values())):
            raise TypeError(f"expected a Dict of one-dimensional float32 Boxes, got {shown(space)}")
        self.space = cast(spaces.Box, flatten_space(space))
        self._sizes = {key: cast(tuple[int], entry.shape)[0] for key, entry in space.items()}

    def flatten(self, observation: Mapping[str, Singles]) -> Singles:
        """Join the entries, (…, size) each."""
        return np.concatenate([observation[key] for key in self._sizes], axis=-1)

    def unflatten(self, flat: Singles) -> Entries:
        """View the parts of (…, sum of the sizes) as entries again, without copying."""
        parts = np.split(flat, np.cumsum(list(self._sizes.values()))[:-1], axis=-1)
        return dict(zip(self._sizes, parts, strict=True))


class FlatObservation(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """One float32 `Box` instead of a `Dict` of such, values as Gymnasium's `FlattenObservation`."""

    def __init__(self, env: gym.Env[Entries, Any]) -> None:
        """Wrap an environment of this project, wrapped or not.

        Raises:
            TypeError: its observation is no Dict of one-dimensional float32 Boxes.
        """
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self._entries = FlatEntries(env.observation_space)
        self.observation_space = self._entries.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Singles, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._entries.flatten(observation), info

    def step(self, action: Any) -> tuple[Singles, Any, bool, bool, dict[str, Any]]:
        """Carry out an action."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._entries.flatten(observation), reward, terminated, truncated, info

    def inside(self, observation: Singles) -> Entries:
        """Return the wrapped environment's observation of one shown here, or of a batch."""
        return self._entries.unflatten(observation)


class FlatObservationVector(ObservationLayer):
    """`FlatObservation` for the native vector environment, in every autoreset mode."""

    def __init__(self, env: Any) -> None:
        """Wrap a native vector environment, wrapped or not.

        Raises:
            TypeError: its observation is no Dict of one-dimensional float32 Boxes.
        """
        super().__init__(env)
        self._entries = FlatEntries(env.single_observation_space)
        self.single_observation_space = self._entries.space
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def inside(self, observation: Singles) -> Entries:
        """Return the wrapped environment's observations of those shown here."""
        return self._entries.unflatten(observation)

    def _show(self, observation: Entries, infos: dict[str, Any]) -> NDArray[np.float32]:
        return self._entries.flatten(observation)

    def _show_last(self, observation: Entries, final_info: dict[str, Any], index: int) -> Singles:
        return self._entries.flatten(observation)


def _is_entry(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) == 1 and space.dtype == np.float32
