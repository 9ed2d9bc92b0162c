"""The native vector environment: many sub-environments in one compiled step."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import logger, spaces
from gymnasium.utils import seeding
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mec_moe_env.config import plain, resolve
from mec_moe_env.core.attributes import PerSubEnvironment
from mec_moe_env.core.autoreset import AutoresetMode, read_mode
from mec_moe_env.core.buffers import Actions, Entries, Flags
from mec_moe_env.core.simulator import (
    IGNORE,
    LOOK,
    RESET,
    STEP,
    Builder,
    Orders,
    Simulator,
    build,
    check_actions,
    check_options,
)
from mec_moe_env.core.step_buffers import Buffers, blank, with_presence
from mec_moe_env.rendering.modes import Art, make_renderer
from mec_moe_env.shown import shown

MOST_SHOWN = 4
"""Sub-environments that are rendered unless others are named."""


class SimulatorVectorEnv(PerSubEnvironment, VectorEnv[Entries, Actions, NDArray[Any]]):
    """Base of the vector environments: equal in every value to a SyncVectorEnv of scalar ones.

    Arguments are those of the scalar environment, and `num_envs`; `autoreset_mode` (NEXT_STEP by
    default); `num_threads`, which share the sub-environments: the results are the same for any;
    `render_mode`, `ansi` or `rgb_array`; `render_rows`, the sub-environments of which `render()`
    returns a tuple of texts or pictures, the first four if left out.

    `reset(seed=s)` seeds sub-environment i with s + i; a list gives each its own seed. The option
    `reset_mask`, a boolean array (n,), resets some sub-environments only.
    """

    metadata: dict[str, Any]
    config: Any
    single_action_space: spaces.MultiDiscrete
    closed = True
    """Until it is built: Gymnasium closes what a constructor that failed leaves behind."""
    _presets: Mapping[str, Any]
    _builder: Builder
    _art: Art
    _simulator: Simulator

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Any = "default",
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        num_threads: int = 1,
        render_mode: str | None = None,
        render_rows: Sequence[int] | None = None,
        **overrides: Any,
    ) -> None:
        """Build the sub-environments.

        Raises:
            ValueError: the preset, a field, a count, a mode or a row is unknown or out of range.
            TypeError: `scenario` is neither a name nor a config of this environment.
            FileNotFoundError: the scenario's data are missing.
            ImportError: the scenario or the render mode needs an extra that is not installed.
        """
        self.config = resolve(scenario, self._presets, overrides)
        counts = plain(num_envs), plain(num_threads)
        simulator = build(type(self)._builder, self.config, *counts)
        modes, fps = self.metadata["render_modes"], self.metadata["render_fps"]
        self._renderer = make_renderer(render_mode, modes, self._art, fps)
        self.render_mode = render_mode
        self._rows = (
            range(min(simulator.num_envs, MOST_SHOWN))
            if render_rows is None
            else tuple(render_rows)
        )
        if self._renderer is not None:
            for row in self._rows:
                simulator.watch(row)
        self.autoreset_mode = read_mode(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self.num_envs = simulator.num_envs
        self._simulator = simulator
        self.single_action_space = spaces.MultiDiscrete(simulator.nvec)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.single_observation_space = simulator.observation_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self._seeded: list[tuple[np.random.Generator, int] | None] = [None] * self.num_envs
        self._everyone = np.ones(self.num_envs, np.bool_)
        self._stepping = np.full(self.num_envs, STEP, np.int8)
        self._over = np.zeros(self.num_envs, np.bool_)
        self._some_over = False
        self._begun = False
        self.closed = False

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Entries, dict[str, Any]]:
        """Begin new episodes, in all sub-environments or in those of `options["reset_mask"]`.

        Raises:
            ValueError: the list of seeds or the mask does not fit the number of environments, or
                another option was given.
        """
        chosen = self._chosen(options)
        seeds = self._seeds(seed)
        # All generators first: a bad seed must not leave some sub-environments reset.
        fresh = {
            index: seeding.np_random(seeds[index])
            for index in np.flatnonzero(chosen).tolist()
            if seeds[index] is not None
        }
        # What fails half-way, or is interrupted, wants a reset.
        self._begun = False
        for index, seeded in fresh.items():
            self._seeded[index] = seeded
        buffers = self._simulator.run(self._orders(chosen, otherwise=LOOK))
        self._over &= ~chosen
        self._some_over = bool(self._over.any())
        self._begun = True
        table = self._simulator.table
        infos = with_presence(table.infos(buffers), chosen)
        return table.observation(buffers.observation), infos

    def step(
        self, actions: Actions
    ) -> tuple[Entries, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Advance every sub-environment; those that are over restart as the autoreset mode says.

        Raises:
            ValueError: an action lies outside the space.
            RuntimeError: autoreset is disabled and a sub-environment that is over was not reset,
                or `reset` was not called before.
        """
        if not self._begun:
            raise RuntimeError("call reset() before step()")
        nvec = self._simulator.nvec
        checked = check_actions(actions, (self.num_envs, len(nvec)), nvec)
        if self.autoreset_mode is AutoresetMode.DISABLED and self._some_over:
            raise RuntimeError(
                f"sub-environments {np.flatnonzero(self._over).tolist()} are over: reset them "
                "with options={'reset_mask': mask}"
            )
        self._begun = False
        orders = self._orders(self._over, otherwise=STEP) if self._some_over else self._stepping
        buffers = self._simulator.run(orders, checked)
        table = self._simulator.table
        terminated = self._simulator.finished
        truncated = np.zeros(self.num_envs, np.bool_)
        ending = bool(np.count_nonzero(terminated))
        if self.autoreset_mode is AutoresetMode.SAME_STEP and ending:
            infos = self._restart(buffers, terminated)
        else:
            infos = table.infos_of_all(buffers)
            if self.autoreset_mode is not AutoresetMode.SAME_STEP:
                self._over, self._some_over = terminated.copy(), ending
        self._begun = True
        observation = table.observation(buffers.observation)
        return observation, buffers.measures[table.reward], terminated, truncated, infos

    @property  # type: ignore[misc]  # SyncVectorEnv has no setter either
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator that drives each sub-environment, n of them, as in SyncVectorEnv."""
        return tuple(self._seed_once(index)[0] for index in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seed that each generator was begun with, n of them, as in SyncVectorEnv."""
        return tuple(self._seed_once(index)[1] for index in range(self.num_envs))

    @property
    def episode_steps(self) -> int:
        """Steps of an episode."""
        return self._simulator.episode_steps

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads."""
        self._simulator.close()

    def action_masks(self) -> Flags:
        """Return the flat masks of possible choices, (n, sum(nvec))."""
        return self._simulator.masks()

    def _scene(self, row: int) -> Any:
        """Return what there is to see now of a sub-environment."""
        watcher = self._simulator.watch(row)
        if not self._begun:
            raise RuntimeError("call reset() before scene() or render()")
        return watcher.scene()

    def render(self) -> tuple[Any, ...] | None:
        """Return texts in mode `ansi`, pictures in `rgb_array`, of the rows shown; else None.

        After an episode's end a row shows what its observation shows: in SAME_STEP autoreset the
        next episode.

        Raises:
            RuntimeError: `reset` was not called before.
        """
        if self._renderer is None:
            logger.warn("render() shows nothing: the environment was made without a render_mode")
            return None
        return tuple(self._renderer.show(self._scene(row)) for row in self._rows)

    def _restart(self, buffers: Buffers, terminated: Flags) -> dict[str, Any]:
        """Begin new episodes within the step that ended the old ones; return the step's infos.

        Observations and masks become those of the resets, in place.
        """
        infos = self._simulator.table.infos(buffers)
        finals = self._finals(buffers, infos, terminated)
        self._simulator.run(self._orders(terminated, otherwise=IGNORE), buffers=buffers)
        infos = blank(infos, ~terminated) | {"action_mask": buffers.masks}
        return finals | with_presence(infos, self._everyone)

    def _orders(self, starting: Flags, otherwise: int) -> Orders:
        """Order new episodes where `starting` says, driven by the generators of now."""
        orders = np.full(self.num_envs, otherwise, np.int8)
        orders[starting] = RESET
        indices = np.flatnonzero(starting)
        self._simulator.adopt(indices, [self._seed_once(index)[0] for index in indices.tolist()])
        return orders

    def _seed_once(self, index: int) -> tuple[np.random.Generator, int]:
        """Return generator and seed of a sub-environment, at random if it had none so far."""
        seeded = self._seeded[index] or seeding.np_random()
        self._seeded[index] = seeded
        return seeded

    def _finals(self, buffers: Buffers, infos: dict[str, Any], terminated: Flags) -> dict[str, Any]:
        """Report the last observation and info of what is over, before it restarts in place."""
        final_obs = np.full(self.num_envs, None, dtype=object)
        indices = np.flatnonzero(terminated)
        for index, written in zip(indices.tolist(), buffers.observation[indices], strict=True):
            final_obs[index] = self._simulator.table.observation(written)
        last = infos | {"action_mask": infos["action_mask"].copy()}
        return {
            "final_obs": final_obs,
            "_final_obs": terminated.copy(),
            "final_info": with_presence(last, terminated),
            "_final_info": terminated.copy(),
        }

    def _chosen(self, options: dict[str, Any] | None) -> Flags:
        check_options(options, ("reset_mask",))
        mask = (options or {}).get("reset_mask")
        if mask is None:
            return self._everyone.copy()
        mask = np.asarray(mask)
        if mask.dtype != np.bool_ or mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(
                f"options['reset_mask'] must be a boolean array of shape ({self.num_envs},) "
                f"with a True in it, got {shown(mask)}"
            )
        if not self._begun and not mask.all():
            raise ValueError("options['reset_mask'] must be all True at the first reset")
        return mask

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int | np.integer):
            return [int(seed) + index for index in range(self.num_envs)]
        seed = [None if one is None else operator.index(one) for one in seed]
        if len(seed) != self.num_envs:
            raise ValueError(f"seed must have num_envs = {self.num_envs} entries, got {len(seed)}")
        return seed
