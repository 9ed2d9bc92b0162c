"""The action mask beside the observation, where libraries for masked actions look for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector.utils import batch_space
from numpy.typing import DTypeLike, NDArray

from mec_moe_env.wrappers.vector_layer import ObservationLayer


class MaskEntry:
    """A Dict of an observation and the mask of the actions."""

    def __init__(self, space: spaces.Space[Any], size: int, names: tuple[str, str], dtype: Any):
        """Make the space.

        Raises:
            ValueError: the names are equal.
            TypeError: masks have no such dtype.
        """
        self.name, self.mask = names
        if self.name == self.mask:
            raise ValueError(f"observation and mask are both called {self.name!r}")
        self.dtype = np.dtype(dtype)
        if self.dtype.kind not in "biuf":
            raise TypeError(f"dtype = {self.dtype} is not allowed: booleans or numbers")
        masks: spaces.Space[Any] = spaces.Box(0, 1, (size,), self.dtype.type)
        self.space = spaces.Dict({self.name: space, self.mask: masks})

    def join(self, observation: Any, mask: NDArray[np.bool_]) -> dict[str, Any]:
        """Return both, by name."""
        return {self.name: observation, self.mask: mask.astype(self.dtype)}


class MaskedObservation(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A Dict of the observation and `info["action_mask"]`.

    | library | `observation` | `mask` | `dtype` |
    |---|---|---|---|
    | RLlib's action masking module | `"observations"` | `"action_mask"` | `"float32"` |
    | PettingZoo | `"observation"` | `"action_mask"` | `"int8"` |
    | Tianshou | `"obs"` | `"mask"` | `"bool"` |
    | TorchRL | any | `"action_mask"` | `"bool"` |

    Most of them want a single categorical action and a flat observation: put it around
    `FlatAction` and `FlatObservation`, or a flat id. Around a MultiDiscrete action the mask is
    that of all choices, one after the other.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        observation: str = "observations",
        mask: str = "action_mask",
        dtype: DTypeLike = "int8",
    ) -> None:
        """Wrap an environment of this project, wrapped or not.

        Args:
            env: has masks, in `info` and as `action_masks()`.
            observation: name of the observation in the Dict.
            mask: name of the mask.
            dtype: of the mask.

        Raises:
            ValueError: the names are equal.
            TypeError: masks have no such dtype, or the environment has no masks.
        """
        names = observation, mask
        RecordConstructorArgs.__init__(
            self, observation=observation, mask=mask, dtype=np.dtype(dtype).name
        )
        gym.Wrapper.__init__(self, env)
        size = mask_size(env.action_space)
        self._entry = MaskEntry(env.observation_space, size, names, dtype)
        self.observation_space = self._entry.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._entry.join(observation, info["action_mask"]), info

    def step(self, action: Any) -> tuple[dict[str, Any], Any, bool, bool, dict[str, Any]]:
        """Carry out an action."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        shown = self._entry.join(observation, info["action_mask"])
        return shown, reward, terminated, truncated, info

    def inside(self, observation: Mapping[str, Any]) -> Any:
        """Return the wrapped environment's observation of one shown here, or of a batch."""
        return observation[self._entry.name]


class MaskedObservationVector(ObservationLayer):
    """`MaskedObservation` for the native vector environment, in every autoreset mode."""

    def __init__(
        self,
        env: Any,
        observation: str = "observations",
        mask: str = "action_mask",
        dtype: DTypeLike = "int8",
    ) -> None:
        """Wrap a native vector environment, wrapped or not; arguments as `MaskedObservation`.

        Raises:
            ValueError: the names are equal.
            TypeError: masks have no such dtype, or the environment has no masks.
        """
        super().__init__(env)
        size = mask_size(env.single_action_space)
        names = observation, mask
        self._entry = MaskEntry(env.single_observation_space, size, names, dtype)
        self._masks = np.zeros((env.num_envs, size), np.bool_)
        self.single_observation_space = self._entry.space
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def inside(self, observation: Mapping[str, Any]) -> Any:
        """Return the wrapped environment's observations of those shown here."""
        return observation[self._entry.name]

    def _show(self, observation: Any, infos: dict[str, Any]) -> dict[str, Any]:
        present = infos["_action_mask"][:, np.newaxis]
        self._masks = np.where(present, infos["action_mask"], self._masks)
        return self._entry.join(observation, self._masks)

    def _show_last(self, observation: Any, final_info: dict[str, Any], index: int) -> Any:
        return self._entry.join(observation, final_info["action_mask"][index])


def mask_size(space: spaces.Space[Any]) -> int:
    """Return the length of the mask of an action space.

    Raises:
        TypeError: actions of this kind have no masks.
    """
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum())
    raise TypeError(f"only Discrete and MultiDiscrete actions have masks, got {space}")
