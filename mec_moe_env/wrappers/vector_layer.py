"""What the vector wrappers of this project have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorWrapper
from numpy.typing import NDArray

from mec_moe_env.core.attributes import PerSubEnvironment
from mec_moe_env.core.autoreset import AutoresetMode


class VectorLayer(PerSubEnvironment, VectorWrapper):
    """A wrapper of a native vector environment that answers what the environment does.

    `call`, `get_attr` and `set_attr` reach the outermost layer that has the name.
    """

    unwrapped: Any

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """When sub-environments restart, as the environment was made."""
        mode: AutoresetMode = self.unwrapped.autoreset_mode
        return mode


class ObservationLayer(VectorLayer):
    """Shows observations differently, the last ones of episodes that are over too."""

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begin new episodes."""
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return self._show(observation, infos), infos

    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Advance every sub-environment.

        Raises:
            ValueError: an action lies outside the space.
        """
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        if "final_obs" in infos:
            finals = infos["final_obs"].copy()
            for index in np.flatnonzero(infos["_final_obs"]).tolist():
                finals[index] = self._show_last(finals[index], infos["final_info"], index)
            infos = infos | {"final_obs": finals}
        return self._show(observation, infos), rewards, terminated, truncated, infos

    def _show(self, observation: Any, infos: dict[str, Any]) -> Any:
        """Return what is shown of the observations of all."""
        raise NotImplementedError

    def _show_last(self, observation: Any, final_info: dict[str, Any], index: int) -> Any:
        """Return what is shown of the last observation of an episode in one sub-environment."""
        raise NotImplementedError
