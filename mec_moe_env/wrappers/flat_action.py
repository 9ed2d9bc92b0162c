"""The action of an offloading slot as one number: the scalar form."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from mec_moe_env.core.buffers import Actions, Entries, Flags
from mec_moe_env.wrappers.flat_choices import FlatChoices


class FlatAction(gym.Wrapper[Entries, Any, Entries, Actions], RecordConstructorArgs):
    """`Discrete(M·S + 1)` instead of `MultiDiscrete([M + 1, S])`, for U = D = 1.

    Action m·S + s gives the task to server m over subcarrier s; M·S rejects it. Value-based
    methods such as DQN need it, and a policy has one categorical to learn instead of two.

    `action_masks()` and `info["action_mask"]`, (M·S + 1,), are exact: nothing admitted is dropped,
    and every distinct outcome is admitted exactly once. A task served where it arrived needs no
    subcarrier, so that of its S equal actions only m·S is admitted; the others are legal too.
    """

    def __init__(self, env: gym.Env[Entries, Actions]) -> None:
        """Wrap an offloading environment.

        Raises:
            TypeError: `env` is another environment.
            ValueError: U or D is not 1.
        """
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self._choices = FlatChoices(getattr(env.unwrapped, "config", None))
        self._mask = np.zeros(self._choices.count, np.bool_)
        self.action_space = spaces.Discrete(self._choices.count)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._masked(observation, info)

    def step(self, action: Any) -> tuple[Entries, SupportsFloat, bool, bool, dict[str, Any]]:
        """Carry out an action.

        Raises:
            ValueError: the action lies outside the space.
        """
        picks = self._choices.picks(action, ())
        observation, reward, terminated, truncated, info = self.env.step(picks)
        return observation, reward, terminated, truncated, self._masked(observation, info)

    def action_masks(self) -> Flags:
        """Return which actions are possible, (M·S + 1,), for MaskablePPO."""
        return self._mask.copy()

    def _masked(self, observation: Entries, info: dict[str, Any]) -> dict[str, Any]:
        rows = info["action_mask"][np.newaxis], observation["origin"][np.newaxis]
        self._mask = self._choices.masks(*rows)[0]
        return info | {"action_mask": self.action_masks()}
