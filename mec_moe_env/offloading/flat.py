"""Offloading with one number as its action and one vector as its observation.

For whoever takes nothing but an id: registered once for each preset with one pick in a slot. What
is flat is not a wrapper but the environment itself, so that `unwrapped`, masks and spaces agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Actions, Entries, Flags, Integers, Singles
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.env import OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.wrappers.flat_action import FlatChoices
from mec_moe_env.wrappers.flat_action_vector import ChoiceMasks
from mec_moe_env.wrappers.flat_observation import FlatEntries
from mec_moe_env.wrappers.masks import MaskedDiscrete


class FlatOffloadingEnv(OffloadingEnv):
    """`OffloadingEnv` with a `Discrete` action and a `Box` observation.

    Equal in every value to `FlatObservation(FlatAction(OffloadingEnv(...)))`. The mask of the
    action is in `info["action_mask"]` and given by `action_masks()`, and
    `action_space.sample(info["action_mask"])` draws what it admits. The last step is `terminated`;
    Gymnasium's time limit, which the registered ids have, sets `truncated` beside it.
    """

    action_space: Any
    observation_space: Any

    def __init__(
        self,
        scenario: Any = "default",
        *,
        step_limit: int | None = None,
        render_mode: str | None = None,
        **overrides: Any,
    ) -> None:
        """Build the environment.

        Args:
            scenario: as of `OffloadingEnv`.
            step_limit: the time limit of the registered id; no horizon may exceed it.
            render_mode: as of `OffloadingEnv`.
            overrides: fields of the scenario.

        Raises:
            ValueError: a slot has more than one pick, the horizon exceeds the limit, or as of
                `OffloadingEnv`.
        """
        super().__init__(scenario, render_mode=render_mode, **overrides)
        check_limit(self.config, step_limit)
        self._choices = FlatChoices(self.config)
        self._entries = FlatEntries(self.observation_space)
        self._mask = np.zeros(self._choices.count, np.bool_)
        self._origin: Singles | None = None
        self.action_space = MaskedDiscrete(self._choices.count)
        self.observation_space = self._entries.space

    def reset(  # type: ignore[override]
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Singles, dict[str, Any]]:
        """Begin an episode; a seed fixes everything that does not depend on the actions."""
        return self._shown(*super().reset(seed=seed, options=options))

    def step(self, action: Any) -> tuple[Singles, float, bool, bool, dict[str, Any]]:  # type: ignore[override]
        """Carry out an action.

        Raises:
            ValueError: the action lies outside the space.
            RuntimeError: `reset` was not called before, or the episode is over.
        """
        picks = self._choices.picks(action, ())
        observation, reward, terminated, truncated, info = super().step(picks)
        shown, info = self._shown(observation, info)
        return shown, reward, terminated, truncated, info

    def action_masks(self) -> Flags:
        """Return which actions are possible, (M·S + 1,), for MaskablePPO."""
        return self._mask.copy()

    def inside(self, observation: Singles) -> Entries:
        """Return `OffloadingEnv`'s observation of one shown here, or of a batch."""
        return self._entries.unflatten(observation)

    def encode(self, picks: Any, observation: Entries | None = None) -> Integers:
        """Return the action that a pick of server and subcarrier is, as `FlatAction.encode`."""
        origin = self._origin if observation is None else observation["origin"]
        return self._choices.encode(picks, origin)

    def _shown(self, observation: Entries, info: dict[str, Any]) -> tuple[Singles, dict[str, Any]]:
        self._origin = observation["origin"]
        rows = info["action_mask"][np.newaxis], self._origin[np.newaxis]
        self._mask = self._choices.masks(*rows)[0]
        return self._entries.flatten(observation), info | {"action_mask": self._mask.copy()}


class FlatOffloadingVectorEnv(OffloadingVectorEnv, VectorEnv[Singles, Actions, NDArray[Any]]):
    """`num_envs` copies of `FlatOffloadingEnv`, equal in every value to a `SyncVectorEnv` of them.

    `max_episode_steps`, which Gymnasium hands over from the registered id, must not be below the
    horizon: there is no time limit beside it.
    """

    action_space: Any
    observation_space: Any
    single_action_space: Any
    single_observation_space: Any

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Any = "default",
        *,
        step_limit: int | None = None,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        """Build the sub-environments; `options` as of `OffloadingVectorEnv`.

        Raises:
            ValueError: a slot has more than one pick, the horizon exceeds a limit, or as of
                `OffloadingVectorEnv`.
        """
        super().__init__(num_envs, scenario, **options)
        check_limit(self.config, step_limit)
        check_limit(self.config, max_episode_steps, "max_episode_steps")
        self._choices = FlatChoices(self.config)
        self._entries = FlatEntries(self.single_observation_space)
        self._masks = ChoiceMasks(self._choices, self.num_envs)
        self.single_action_space = MaskedDiscrete(self._choices.count)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.single_observation_space = self._entries.space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(  # type: ignore[override]
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Singles, dict[str, Any]]:
        """Begin new episodes, in all sub-environments or in those of `options["reset_mask"]`."""
        return self._shown(*super().reset(seed=seed, options=options))

    def step(  # type: ignore[override]
        self, actions: Actions
    ) -> tuple[Singles, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Advance every sub-environment; those that are over restart as the autoreset mode says.

        Raises:
            ValueError: an action lies outside the space.
            RuntimeError: as of `OffloadingVectorEnv`.
        """
        picks = self._choices.picks(actions, (self.num_envs,))
        observation, rewards, terminated, truncated, infos = super().step(picks)
        shown, infos = self._shown(observation, infos)
        return shown, rewards, terminated, truncated, infos

    def action_masks(self) -> Flags:
        """Return which actions are possible, (n, M·S + 1)."""
        return self._masks.now.copy()

    def inside(self, observation: Singles) -> Entries:
        """Return `OffloadingVectorEnv`'s observations of those shown here."""
        return self._entries.unflatten(observation)

    def encode(self, picks: Any, observation: Entries | None = None) -> Integers:
        """Return the actions that picks, (n, 2), are, as `FlatActionVector.encode`."""
        origins = self._masks.origins if observation is None else observation["origin"]
        return self._choices.encode(picks, origins)

    def _shown(self, observation: Entries, infos: dict[str, Any]) -> tuple[Singles, dict[str, Any]]:
        infos = self._masks.show(observation, infos)
        if "final_obs" in infos:
            finals = infos["final_obs"].copy()
            for index in np.flatnonzero(infos["_final_obs"]):
                finals[index] = self._entries.flatten(finals[index])
            infos = infos | {"final_obs": finals}
        return self._entries.flatten(observation), infos


def check_limit(config: OffloadingConfig, limit: int | None, name: str = "the id") -> None:
    """See that no time limit cuts an episode short of the horizon, unasked.

    Raises:
        ValueError: the horizon is longer.
    """
    if limit is not None and config.horizon > limit:
        where = f"{name} = {limit}" if name != "the id" else f"the {limit} steps of this id"
        raise reject(
            "horizon",
            config.horizon,
            f"at most {where}; the length of an episode is horizon, and "
            "FlatObservation(FlatAction(OffloadingEnv(...))) has no limit",
        )
