"""The scalar environment: a simulator of one sub-environment, seen through Gymnasium's API."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium import logger, spaces

from mec_moe_env.config import resolve
from mec_moe_env.core.buffers import Actions, Entries, Flags
from mec_moe_env.core.simulator import (
    RESET,
    STEP,
    Builder,
    Simulator,
    build,
    check_actions,
    check_options,
)
from mec_moe_env.rendering.modes import Art, make_renderer


class SimulatorEnv(gym.Env[Entries, Actions]):
    """Base of the scalar environments."""

    metadata: dict[str, Any]
    config: Any
    action_space: spaces.MultiDiscrete
    _presets: Mapping[str, Any]
    _builder: Builder
    _art: Art
    _simulator: Simulator

    def __init__(
        self, scenario: Any = "default", *, render_mode: str | None = None, **overrides: Any
    ) -> None:
        """Build the environment.

        Raises:
            ValueError: the preset, a field or the render mode is unknown, or out of range.
            TypeError: `scenario` is neither a name nor a config of this environment.
            FileNotFoundError: the scenario's data are missing.
            ImportError: the scenario or the render mode needs an extra that is not installed.
            RuntimeError: render mode `human` has no display.
        """
        self.config = resolve(scenario, self._presets, overrides)
        self.render_mode = render_mode
        modes, fps = self.metadata["render_modes"], self.metadata["render_fps"]
        self._renderer = make_renderer(render_mode, modes, self._art, fps)
        self._simulator = simulator = build(type(self)._builder, self.config, 1, 1)
        self._resetting, self._stepping = np.array([[RESET], [STEP]], np.int8)
        self._begun = False
        self._over = True
        if self._renderer is not None:
            simulator.watch(0)
        self.action_space = spaces.MultiDiscrete(simulator.nvec)
        self.observation_space = cast("spaces.Space[Entries]", simulator.observation_space)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin an episode; a seed fixes everything that does not depend on the actions.

        Raises:
            ValueError: there is an option; no one is known.
        """
        check_options(options)
        super().reset(seed=None if seed is None else operator.index(seed))
        # Over until it succeeds: a task stream of the user's own can fail.
        self._begun, self._over = False, True
        simulator = self._simulator
        simulator.adopt(np.zeros(1, np.int64), [self.np_random])
        buffers = simulator.run(self._resetting)
        self._begun, self._over = True, False
        observation, _, info = simulator.table.single(buffers)
        if self._renderer is not None and self._renderer.by_itself:
            self.render()
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
        if self._renderer is not None and self._renderer.by_itself:
            self.render()
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
            raise RuntimeError("call reset() before scene() or render()")
        return self._simulator.watch(0).scene()

    def render(self) -> Any:
        """Return a text in mode `ansi`, a picture, (640, 960, 3), in `rgb_array`; else None.

        Mode `human` shows every step in a window by itself.

        Raises:
            RuntimeError: `reset` was not called before.
        """
        if self._renderer is None:
            logger.warn("render() shows nothing: the environment was made without a render_mode")
            return None
        return self._renderer.show(self._scene())

    def close(self) -> None:
        """Close the window of mode `human`."""
        if self._renderer is not None:
            self._renderer.close()
