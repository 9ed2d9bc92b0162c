"""A policy is handed what a gate computes: the scalar form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from mec_moe_agents.wrappers.relevance_tracker import ENTRY, RelevanceTracker
from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Entries


class GateObservation(gym.Wrapper[Entries, Actions, Entries, Actions], RecordConstructorArgs):
    """Adds `relevance`, (U·M,), to an offloading observation: how well each server fits each task.

    The gate watches the episode and learns from the actions that the environment carries out,
    whoever chooses them: a dropped pick teaches nothing. It starts afresh with every episode. It
    knows what the baseline of the same name knows, and nothing that `oracle` reads.

    | gate | relevance | bounds |
    |---|---|---|
    | `profile` | cosine of x and the server's profile, untrained: the threshold | ±1 |
    | `guard` | the same, the lower bound where the server must not take the task | ±1 |
    | `gating` | h_m = θ_mᵀx (Li & Duan 2024, eq. (3)), without the router's noise | ±1e4 |

    Relevance is cut off at the bounds, so that −inf, a gate's "never", is the lower one.
    Put `FlatAction` around `GateObservation`, not inside.
    """

    def __init__(
        self, env: gym.Env[Entries, Actions], gate: str = "profile", **options: Any
    ) -> None:
        """Wrap an offloading environment.

        Args:
            env: an environment with its own observation and action.
            gate: `profile`, `guard` or `gating`.
            options: keyword arguments of the gate, for example `threshold`.

        Raises:
            TypeError: `env` is another environment, or its observation or action was changed;
                the gate does not know an option.
            ValueError: the gate is unknown, or an option is out of range or not allowed.
        """
        RecordConstructorArgs.__init__(self, gate=gate, **options)
        gym.Wrapper.__init__(self, env)
        config = getattr(env.unwrapped, "config", None)
        self._tracker = RelevanceTracker(config, 1, gate, options)
        check_actions_are_picks(env.action_space, env.unwrapped.action_space)
        space: Any = self._tracker.space(env.observation_space)
        self.observation_space = space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        relevance = self._tracker.begin(batched(observation), np.ones(1, np.bool_))
        return observation | {ENTRY: relevance[0]}, info

    def step(self, action: Actions) -> tuple[Entries, SupportsFloat, bool, bool, dict[str, Any]]:
        """Carry out an action.

        Raises:
            ValueError: the action lies outside the space.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        picks = np.asarray(action)[np.newaxis]
        relevance = self._tracker.follow(picks, batched(observation), np.ones(1, np.bool_))
        return observation | {ENTRY: relevance[0]}, reward, terminated, truncated, info


def batched(observation: Mapping[str, Any]) -> Entries:
    """Give the entries a leading axis."""
    return {key: entry[np.newaxis] for key, entry in observation.items()}


def check_actions_are_picks(space: gym.Space[Any], own: gym.Space[Any]) -> None:
    """Check that actions arrive here as the environment takes them.

    Raises:
        TypeError: a wrapper inside changed them.
    """
    if space != own:
        raise TypeError(
            f"GateObservation needs the environment's own action space {own}, got {space}: "
            "wrap it before FlatAction, not after"
        )
