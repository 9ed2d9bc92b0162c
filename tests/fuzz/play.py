"""Plays a configuration and checks every step of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mec_moe_env import (
    DMoEConfig,
    DMoEEnv,
    DMoEVectorEnv,
    OffloadingConfig,
    OffloadingEnv,
    OffloadingVectorEnv,
)
from mec_moe_env.core.autoreset import AutoresetMode
from tests.environments.test_vector import assert_equal
from tests.fuzz import actions, dmoe, invariants, offloading
from tests.fuzz.configurations import configuration
from tests.fuzz.transition import Observation, told_alike

STEPS_EACH = 3300
"""Steps of a configuration, unless its networks are large."""
NUMBERS_EACH = 2e7
"""Numbers that a configuration's observations may have in all."""
NETWORK_SHARE = 0.4
"""Of these steps where servers train networks, which takes several times as long."""
MOST_CALLS = 150
TWIN_CALLS = 8
"""Calls in which a twin on two threads, and now and then others, play along."""


@dataclass(frozen=True)
class Kind:
    """What differs between the two environments."""

    scalar: Any
    vector: Any
    checks: Any
    exogenous: tuple[str, ...]


KINDS: Mapping[type, Kind] = {
    OffloadingConfig: Kind(
        OffloadingEnv, OffloadingVectorEnv, offloading.OffloadingChecks, offloading.EXOGENOUS
    ),
    DMoEConfig: Kind(DMoEEnv, DMoEVectorEnv, dmoe.DMoEChecks, dmoe.EXOGENOUS),
}


def size_of_run(rng: np.random.Generator, config: Any) -> tuple[int, int]:
    """Return how many sub-environments play and how many calls."""
    numbers = sum(map(math.prod, config.observation_shapes.values()))
    steps = min(STEPS_EACH, NUMBERS_EACH / numbers)
    if getattr(config, "experts", "linear") == "mlp":
        steps *= NETWORK_SHARE
    num_envs = int(min(rng.choice([1, 3, 24, 48, 96], p=[0.03, 0.04, 0.3, 0.33, 0.3]), steps / 4))
    num_envs = max(num_envs, 1)
    return num_envs, int(min(max(steps / num_envs, 4), MOST_CALLS))


def play(seed: int, number: int) -> int:
    """Play configuration `number` of a seed; return the steps made.

    Raises:
        AssertionError: an invariant does not hold.
    """
    config = configuration(seed, number)
    rng = np.random.default_rng((seed, number, 1))
    num_envs, calls = size_of_run(rng, config)
    mode = list(AutoresetMode)[rng.integers(3)]
    return Run(config, num_envs, mode, rng).play(calls)


class Run:
    """One configuration in one vector environment, beside what must be equal to it."""

    def __init__(
        self, config: Any, num_envs: int, mode: AutoresetMode, rng: np.random.Generator
    ) -> None:
        self._config, self._rng, self._mode = config, rng, mode
        self._kind = KINDS[type(config)]
        self._env = self._kind.vector(num_envs, config, autoreset_mode=mode)
        self._checks = self._kind.checks(config, num_envs)
        self._over = np.zeros(num_envs, np.bool_)
        self._seed = int(rng.integers(2**31))

    def play(self, calls: int) -> int:
        """Make so many calls; return the steps that sub-environments made in them."""
        env, steps = self._env, 0
        self._start()
        for call in range(calls):
            told, masked = actions.draw(self._rng, env)
            if call == TWIN_CALLS // 2:
                self._refuse()
            rejecting = env.rejection_errors() if self._offloading else None
            result = env.step(told)
            if call < TWIN_CALLS:
                self._compare(call, told, result)
            step, shown = told_alike(self._shown, told, self._over, result)
            invariants.numbers_are_finite(step)
            invariants.reward_is_its_terms(step, self._config)
            invariants.energy_is_spent(step)
            invariants.observation_is_inside(step.after, env.single_observation_space)
            self._checks.step(step, rejecting)
            if (
                masked
                and self._offloading
                and self._config.num_tasks * self._config.max_experts == 1
            ):
                assert not step.of("dropped_picks").any(), "a masked pick was dropped"
            self._show(shown, step.ended)
            steps += int(step.stepped.sum())
        env.close()
        return steps

    @property
    def _offloading(self) -> bool:
        return isinstance(self._config, OffloadingConfig)

    def _start(self) -> None:
        """Reset, and let others begin alike: a twin on two threads, an idler, a scalar."""
        n = self._env.num_envs
        self._shown, _ = self._env.reset(seed=self._seed)
        self._twin = self._kind.vector(n, self._config, autoreset_mode=self._mode, num_threads=2)
        assert_equal(self._twin.reset(seed=self._seed)[0], self._shown, "twin's reset")
        self._idler: Any = None
        self._scalar: Any = None
        if self._rng.random() < 0.3:
            self._idler = self._kind.vector(n, self._config, autoreset_mode=self._mode)
            self._idler.reset(seed=self._seed)
        if self._rng.random() < 0.3:
            self._row = int(self._rng.integers(n))
            self._scalar = self._kind.scalar(self._config)
            self._scalar.reset(seed=self._seed + self._row)
        self._check_shown()

    def _show(self, shown: Observation, ended: Any) -> None:
        """Go on to what is shown now; without autoreset, begin anew what has ended."""
        same_step = self._mode is AutoresetMode.SAME_STEP
        if same_step:
            self._checks.begin(ended)
        self._over = np.zeros_like(ended) if same_step else ended.copy()
        if self._mode is AutoresetMode.DISABLED and ended.any():
            with pytest.raises(RuntimeError, match="over: reset them"):
                self._env.step(self._env.action_space.sample())
            options = {"reset_mask": ended}
            shown, _ = self._env.reset(options=options)
            if self._twin is not None:
                self._twin.reset(options=options)
            if self._idler is not None:
                self._idler.reset(options=options)
            self._checks.begin(ended)
            self._over[:] = False
        self._shown = shown
        self._check_shown()

    def _check_shown(self) -> None:
        masks = self._env.action_masks()
        invariants.observation_is_inside(self._shown, self._env.single_observation_space)
        invariants.masks_offer_a_choice(masks, self._env.single_action_space.nvec)
        self._checks.masks(self._shown, masks)

    def _refuse(self) -> None:
        """Offer what is no action: it is refused, and the twin, who never saw it, stays equal."""
        with pytest.raises(ValueError, match="action"):
            self._env.step(actions.refused(self._rng, self._env))

    def _compare(self, call: int, told: Any, result: tuple[Any, ...]) -> None:
        """Require the twin to answer alike, the idler to meet the same, the scalar to be a row."""
        for part, (one, other) in enumerate(zip(result, self._twin.step(told), strict=True)):
            assert_equal(one, other, f"twin on two threads, call {call}, part {part}")
        if self._idler is not None:
            nothing = np.tile(self._env.single_action_space.nvec - 1, (self._env.num_envs, 1))
            met = self._idler.step(nothing)[0]
            for key in self._kind.exogenous:
                np.testing.assert_array_equal(result[0][key], met[key], f"{key} is exogenous")
        if self._scalar is not None:
            self._compare_scalar(told[self._row], result)

    def _compare_scalar(self, told: Any, result: tuple[Any, ...]) -> None:
        observation, reward, terminated, _, _ = self._scalar.step(told)
        row = self._row
        assert reward == result[1][row], f"reward of the scalar: {reward} and {result[1][row]}"
        assert terminated == result[2][row]
        if terminated:
            self._scalar = None
            if self._mode is AutoresetMode.SAME_STEP:
                result = (copy.copy(result[4]["final_obs"]),)
                assert_equal(result[0][row], observation, "last observation of the scalar")
                return
        mine = {key: entry[row] for key, entry in result[0].items()}
        assert_equal(mine, observation, "observation of the scalar")
