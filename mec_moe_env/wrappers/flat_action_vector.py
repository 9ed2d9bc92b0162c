"""The action of an offloading slot as one number: the vector form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Entries, Flags
from mec_moe_env.offloading.env import OffloadingVectorEnv
from mec_moe_env.wrappers.flat_action import FlatChoices


class FlatActionVector(VectorWrapper):
    """`FlatAction` for the native vector environment: equal to a SyncVectorEnv of wrapped ones."""

    def __init__(self, env: OffloadingVectorEnv | VectorWrapper) -> None:
        """Wrap a native offloading vector environment.

        Raises:
            TypeError: `env` is another environment; wrap the environments of a SyncVectorEnv
                one by one in `FlatAction` instead.
            ValueError: U or D is not 1.
        """
        super().__init__(env)
        native = env.unwrapped
        if not isinstance(native, OffloadingVectorEnv):
            raise TypeError(f"FlatActionVector needs an OffloadingVectorEnv, got {native!r}")
        self._choices = FlatChoices(native.config)
        self._masks = np.zeros((env.num_envs, self._choices.count), np.bool_)
        self.single_action_space = spaces.Discrete(self._choices.count)
        self.action_space = batch_space(self.single_action_space, env.num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin new episodes."""
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return observation, self._masked(observation, infos)

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Entries, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Advance every sub-environment.

        Raises:
            ValueError: an action lies outside the space.
        """
        picks = self._choices.picks(actions, (self.num_envs,))
        observation, rewards, terminated, truncated, infos = self.env.step(picks)
        if "final_info" in infos:
            infos = infos | {"final_info": self._finally_masked(infos)}
        return observation, rewards, terminated, truncated, self._masked(observation, infos)

    def action_masks(self) -> Flags:
        """Return which actions are possible, (n, M·S + 1)."""
        return self._masks.copy()

    def _masked(self, observation: Entries, infos: dict[str, Any]) -> dict[str, Any]:
        masks = self._choices.masks(infos["action_mask"], observation["origin"])
        present = infos["_action_mask"]
        self._masks = np.where(present[:, np.newaxis], masks, self._masks)
        masks[~present] = False
        return infos | {"action_mask": masks}

    def _finally_masked(self, infos: dict[str, Any]) -> dict[str, Any]:
        final: dict[str, Any] = infos["final_info"]
        over = np.flatnonzero(infos["_final_info"])
        origins = np.stack([infos["final_obs"][index]["origin"] for index in over])
        masks = np.zeros((self.num_envs, self._choices.count), np.bool_)
        masks[over] = self._choices.masks(final["action_mask"][over], origins)
        return final | {"action_mask": masks}
