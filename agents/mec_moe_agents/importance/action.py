"""The importance of a layer as the action: the scalar form."""

from __future__ import annotations

from typing import Any, SupportsFloat, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from mec_moe_agents.importance.decision import ImportanceDecision
from mec_moe_agents.importance.summary import LayerSummary
from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Entries


class ImportanceAction(gym.Wrapper[Entries, Any, Entries, Actions], RecordConstructorArgs):
    """A policy sets the importance γ^(l) of each layer; JESA finds experts and subcarriers.

    The action is a `Box(0, 1, (1,))`: every token of the coming layer needs relevance z·γ^(l)
    (Qin et al. 2025, P1), which the paper sets by hand to z·γ0^l. The action
    `observation["importance"]` is that schedule of the configuration, and gives what the agent
    `jesa` does. The observation is a `LayerSummary`; rewards and infos are the environment's own
    (`info["action_mask"]` too: it is of experts and subcarriers).
    """

    def __init__(self, env: gym.Env[Entries, Actions]) -> None:
        """Wrap a DMoE environment.

        Raises:
            TypeError: `env` is another environment.
        """
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        config: Any = getattr(env.unwrapped, "config", None)
        self._decision = ImportanceDecision(config)
        self._summary = LayerSummary(config)
        self._seen: Entries | None = None
        self.action_space = importance_space()
        self.observation_space = cast("spaces.Space[Entries]", self._summary.space)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._see(observation), info

    def step(self, action: Any) -> tuple[Entries, SupportsFloat, bool, bool, dict[str, Any]]:
        """Schedule a layer by JESA with this importance.

        Raises:
            ValueError: the action lies outside the space.
            RuntimeError: `reset` was not called before, or the episode is over.
        """
        if self._seen is None:
            raise RuntimeError("call reset() before step()")
        picks = self._decision.picks(self._seen, np.asarray(action)[np.newaxis])[0]
        observation, reward, terminated, truncated, info = self.env.step(picks)
        return self._see(observation), reward, terminated, truncated, info

    def _see(self, observation: Entries) -> Entries:
        self._seen = {key: entry[np.newaxis] for key, entry in observation.items()}
        return {key: entry[0] for key, entry in self._summary(self._seen).items()}


def importance_space() -> spaces.Box:
    """Return the space of the importance of one layer."""
    return spaces.Box(0.0, 1.0, (1,), np.float32)
