"""The scalar environment: a simulator of one sub-environment, seen through Gymnasium's API."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from mec_moe_env.config import resolve
from mec_moe_env.core.buffers import Actions, Entries, Flags
from mec_moe_env.core.simulator import RESET, STEP, Builder, Simulator, build, check_actions


class SimulatorEnv(gym.Env[Entries, Actions]):
    """Base of the scalar environments."""

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 10}  # noqa: RUF012
    config: Any
    action_space: spaces.MultiDiscrete
    _presets: Mapping[str, Any]
    _builder: Builder
    _simulator: Simulator

    def __init__(
        self, scenario: Any = "default", *, render_mode: str | None = None, **overrides: Any
    ) -> None:
        """Build the environment.

        Raises:
            ValueError: the preset or a field is unknown, or out of range.
            TypeError: `scenario` is neither a name nor a config of this environment.
            FileNotFoundError: the scenario's data are missing.
            ImportError: the scenario needs an extra that is not installed.
        """
        self.config = resolve(scenario, self._presets, overrides)
        self.render_mode = render_mode
        self._simulator = simulator = build(type(self)._builder, self.config, 1, 1)
        self._resetting, self._stepping = np.array([[RESET], [STEP]], np.int8)
        self._begun = False
        self._over = True
        self.action_space = spaces.MultiDiscrete(simulator.nvec)
        self.observation_space = cast("spaces.Space[Entries]", simulator.observation_space)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode; a seed fixes everything that does not depend on the actions."""
        super().reset(seed=None if seed is None else operator.index(seed))
        # Over until it succeeds: a task stream of the user's own can fail.
        self._begun, self._over = False, True
        simulator = self._simulator
        simulator.adopt(np.zeros(1, np.int64), [self.np_random])
        buffers = simulator.run(self._resetting)
        self._begun, self._over = True, False
        observation, _, info = simulator.table.single(buffers)
        return observation, info

    def step(self, action: Actions) -> tuple[Entries, float, bool, bool, dict[str, Any]]:
        """Carry out an action and advance by one step.

        Raises:
            ValueError: the action lies outside the space.
            RuntimeError: `reset` was not called before, or the episode is over.
        """
        if self._over:
            raise RuntimeError("call reset() before step(), and again once an episode is over")
        simulator = self._simulator
        checked = check_actions(action, simulator.nvec.shape, simulator.nvec)
        self._over = True
        buffers = simulator.run(self._stepping, checked[np.newaxis])
        observation, reward, info = simulator.table.single(buffers)
        self._over = bool(simulator.finished[0])
        return observation, reward, self._over, False, info

    @property
    def episode_steps(self) -> int:
        """Steps of an episode."""
        return self._simulator.episode_steps

    def action_masks(self) -> Flags:
        """Return the flat mask of possible choices, (sum(nvec),), for MaskablePPO."""
        masks: Flags = self._simulator.masks()[0]
        return masks

    def _scene(self) -> Any:
        """Return what there is to see now."""
        if not self._begun:
            raise RuntimeError("call reset() before scene()")
        return self._simulator.watch(0).scene()

    def render(self) -> str | None:
        """Return what the render mode shows."""
        return None
