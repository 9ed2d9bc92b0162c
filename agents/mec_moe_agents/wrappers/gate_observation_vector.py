"""A policy is handed what a gate computes: the vector form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_agents.wrappers.gate_observation import check_actions_are_picks
from mec_moe_agents.wrappers.relevance_tracker import ENTRY, RelevanceTracker
from mec_moe_env.core.buffers import Entries, Flags
from mec_moe_env.offloading.env import OffloadingVectorEnv


class GateObservationVector(VectorWrapper):
    """`GateObservation` for the native vector environment, in every autoreset mode.

    Equal in every value to a SyncVectorEnv of wrapped scalar environments.
    """

    def __init__(
        self, env: OffloadingVectorEnv | VectorWrapper, gate: str = "profile", **options: Any
    ) -> None:
        """Wrap a native offloading vector environment; arguments as of `GateObservation`.

        Raises:
            TypeError: `env` is another environment, or its observation or action was changed;
                the gate does not know an option.
            ValueError: the gate is unknown, or an option is out of range or not allowed.
        """
        super().__init__(env)
        native = env.unwrapped
        if not isinstance(native, OffloadingVectorEnv):
            raise TypeError(f"GateObservationVector needs an OffloadingVectorEnv, got {native!r}")
        self._tracker = RelevanceTracker(native.config, env.num_envs, gate, options)
        self._restarts_later = native.autoreset_mode is AutoresetMode.NEXT_STEP
        self._over = np.zeros(env.num_envs, np.bool_)
        check_actions_are_picks(env.single_action_space, native.single_action_space)
        self.single_observation_space = self._tracker.space(env.single_observation_space)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin new episodes, in all sub-environments or in those of `options["reset_mask"]`."""
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        begun: Flags = infos["_action_mask"]
        self._over = self._over & ~begun
        return observation | {ENTRY: self._tracker.begin(observation, begun)}, infos

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Entries, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Advance every sub-environment.

        Raises:
            ValueError: an action lies outside the space.
        """
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        if "final_obs" in infos:
            relevance, infos = self._follow_to_ends(actions, observation, infos)
        else:
            relevance = self._tracker.follow(np.asarray(actions), observation, ~self._over)
        if self._restarts_later:
            self._over = terminated | truncated
        return observation | {ENTRY: relevance}, rewards, terminated, truncated, infos

    def _follow_to_ends(
        self, actions: NDArray[np.int64], observation: Entries, infos: dict[str, Any]
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Follow episodes to their last observation, and begin those that come after them."""
        over: Flags = infos["_final_obs"]
        endings = np.flatnonzero(over)
        last = {key: entry.copy() for key, entry in observation.items()}
        for index in endings:
            for key, entry in infos["final_obs"][index].items():
                last[key][index] = entry
        relevance = self._tracker.follow(np.asarray(actions), last, np.ones_like(over))
        final = infos["final_obs"].copy()
        for index in endings:
            final[index] = final[index] | {ENTRY: relevance[index]}
        return self._tracker.begin(observation, over), infos | {"final_obs": final}
