"""Deliberately broken environments and scenarios, each of which a check must catch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mec_moe_env.offloading.config import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.offloading.env import OffloadingEnv
from mec_moe_env.testing.broken_streams import Locked

CONFIG = OFFLOADING_PRESETS["joint"].override(horizon=8)


class Generous(OffloadingEnv):
    """Adds one to every reward, but not to a term."""

    def step(self, action: Any) -> Any:
        """Step, and add one."""
        observation, reward, over, cut, info = super().step(action)
        return observation, reward + 1.0, over, cut, info


class Overflowing(OffloadingEnv):
    """Shows payloads in bits, in a space of Mbit."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Reset, and show bits."""
        observation, info = super().reset(seed=seed, options=options)
        return {**observation, "payload": np.float32(1e6) * observation["payload"]}, info

    def step(self, action: Any) -> Any:
        """Step, and show bits."""
        observation, *rest = super().step(action)
        return {**observation, "payload": np.float32(1e6) * observation["payload"]}, *rest


class Endless(OffloadingEnv):
    """Ends after its step before the last."""

    def step(self, action: Any) -> Any:
        """Step, and end too early."""
        observation, reward, over, cut, info = super().step(action)
        early = self._simulator.state.episodes["time"][0] == self.config.horizon - 1
        return observation, reward, bool(over or early), cut, info


class Counting(OffloadingEnv):
    """Shows a progress that goes on from one episode to the next."""

    _met = 0

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Reset, and show how many episodes there were."""
        observation, info = super().reset(seed=seed, options=options)
        self._met += 1
        shown = np.float32(min(self._met, 2) / 2)
        return {**observation, "drift": np.full_like(observation["drift"], shown)}, info


class Individual(OffloadingEnv):
    """Shows a drift that no other environment shows."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._own = np.float32(np.random.default_rng().random())

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Reset, and show its own drift."""
        observation, info = super().reset(seed=seed, options=options)
        return {**observation, "drift": np.full_like(observation["drift"], self._own)}, info


class Responsive(OffloadingEnv):
    """Makes the next payloads small after an action that begins with server 0, 1 or 2."""

    def step(self, action: Any) -> Any:
        """Step, and answer the action."""
        observation, *rest = super().step(action)
        share = np.float32(0.5 if action[0] < 3 else 1.0)
        return {**observation, "payload": share * observation["payload"]}, *rest


class Shy(OffloadingEnv):
    """Forbids everything."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Reset, and mask all."""
        observation, info = super().reset(seed=seed, options=options)
        return observation, {**info, "action_mask": np.zeros_like(info["action_mask"])}

    def step(self, action: Any) -> Any:
        """Step, and mask all."""
        *rest, info = super().step(action)
        return *rest, {**info, "action_mask": np.zeros_like(info["action_mask"])}


class Tilted(OffloadingEnv):
    """Shows another drift than the native vector environment, always the same."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        """Reset, and show a drift of one."""
        observation, info = super().reset(seed=seed, options=options)
        return {**observation, "drift": np.ones_like(observation["drift"])}, info


class Silent(OffloadingEnv):
    """Says nothing of a seed: `np_random` is that of an earlier reset."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Reset without a seed whenever there was one before."""
        first = getattr(self, "_seed_of_all", None)
        self._seed_of_all = seed if first is None else first
        return super().reset(seed=self._seed_of_all, options=options)


def _refuse(config: Any) -> Any:
    raise RuntimeError("no environment today")


class BrokenEnvironment(NamedTuple):
    """A specimen, and the checks that must fail, no others."""

    config: OffloadingConfig
    make: Callable[[Any], Any]
    fails: tuple[str, ...]


def broken_environments() -> list[BrokenEnvironment]:
    """Return a specimen for every check of a scenario, at least."""
    locked = CONFIG.override(tasks=Locked(), num_types=4)
    vector = "vector_and_scalar_agree"
    return [
        BrokenEnvironment(CONFIG, _refuse, ("environment_is_built",)),
        BrokenEnvironment(CONFIG, Generous, ("rewards_are_their_terms", vector)),
        BrokenEnvironment(
            CONFIG,
            Overflowing,
            ("gymnasium_accepts_it", "observations_are_inside_the_space", vector),
        ),
        BrokenEnvironment(CONFIG, Endless, ("episodes_end_when_they_should",)),
        BrokenEnvironment(
            CONFIG,
            Counting,
            ("equal_seeds_give_equal_episodes", vector),
        ),
        BrokenEnvironment(
            CONFIG,
            Individual,
            ("equal_seeds_give_equal_episodes", vector, "configuration_pickles"),
        ),
        BrokenEnvironment(CONFIG, Responsive, ("no_action_changes_what_comes", vector)),
        BrokenEnvironment(CONFIG, Shy, ("masks_leave_a_choice",)),
        BrokenEnvironment(CONFIG, Tilted, (vector,)),
        BrokenEnvironment(CONFIG, Silent, ("gymnasium_accepts_it",)),
        BrokenEnvironment(locked, OffloadingEnv, ("configuration_pickles",)),
    ]
