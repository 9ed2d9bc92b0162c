"""The action of an offloading slot as one number: the vector form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Entries, Flags, Integers
from mec_moe_env.offloading.env import OffloadingVectorEnv
from mec_moe_env.shown import shown
from mec_moe_env.wrappers.flat_action import FlatChoices, check_wrappable
from mec_moe_env.wrappers.masks import MaskedDiscrete
from mec_moe_env.wrappers.vector_layer import VectorLayer


class ChoiceMasks:
    """Which choices are possible in each of n sub-environments, and where their tasks arrived."""

    def __init__(self, choices: FlatChoices, num_envs: int) -> None:
        self._choices = choices
        self.now = np.zeros((num_envs, choices.count), np.bool_)
        """(n, M·S + 1)."""
        self.origins: NDArray[np.float32] | None = None
        """One-hot, (n, M); None before the first reset."""

    def show(self, observation: Entries, infos: dict[str, Any]) -> dict[str, Any]:
        """Return the infos of a reset or step with the masks of choices."""
        self.origins = observation["origin"]
        masks = self._choices.masks(infos["action_mask"], self.origins)
        present = infos["_action_mask"]
        self.now = np.where(present[:, np.newaxis], masks, self.now)
        masks[~present] = False
        infos = infos | {"action_mask": masks}
        return infos | {"final_info": self._last(infos)} if "final_info" in infos else infos

    def _last(self, infos: dict[str, Any]) -> dict[str, Any]:
        final: dict[str, Any] = infos["final_info"]
        over = np.flatnonzero(infos["_final_info"])
        origins = np.stack([infos["final_obs"][index]["origin"] for index in over])
        masks = np.zeros_like(self.now)
        masks[over] = self._choices.masks(final["action_mask"][over], origins)
        return final | {"action_mask": masks}


class FlatActionVector(VectorLayer):
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
            raise TypeError(f"FlatActionVector needs an OffloadingVectorEnv, got {shown(native)}")
        self._choices = FlatChoices(native.config)
        check_wrappable(self, env.single_action_space, env.single_observation_space)
        self._masks = ChoiceMasks(self._choices, env.num_envs)
        self.single_action_space = MaskedDiscrete(self._choices.count)
        self.action_space = batch_space(self.single_action_space, env.num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin new episodes."""
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return observation, self._masks.show(observation, infos)

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Entries, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Advance every sub-environment.

        Raises:
            ValueError: an action lies outside the space.
        """
        picks = self._choices.picks(actions, (self.num_envs,))
        observation, rewards, terminated, truncated, infos = self.env.step(picks)
        shown = self._masks.show(observation, infos)
        return observation, rewards, terminated, truncated, shown

    def action_masks(self) -> Flags:
        """Return which actions are possible, (n, M·S + 1)."""
        return self._masks.now.copy()

    def encode(self, picks: Any, observation: Entries | None = None) -> Integers:
        """Return the action that each pick is, (n,).

        Args:
            picks: server and subcarrier, (n, 2); server M is none.
            observation: of the slots of the picks, (n, size) each; that of now, if left out.

        Raises:
            ValueError: the picks are not pairs of integers, or lie outside the space.
        """
        origins = self._masks.origins if observation is None else observation["origin"]
        return self._choices.encode(picks, origins)
