"""The environments with a vector reward: its terms, not their weighted sum.

As MO-Gymnasium asks for them: `reward_space`, `reward_dim`, a step whose reward is an array. Its
wrappers and learners work on them; the package itself is needed only by whoever uses those (the
extra `multiobjective`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Actions, Entries, Flags, Floats
from mec_moe_env.core.scalar import SimulatorEnv
from mec_moe_env.core.vector import SimulatorVectorEnv
from mec_moe_env.dmoe.env import DMoEEnv, DMoEVectorEnv
from mec_moe_env.offloading.env import OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.pareto import exhaustive_front, layered_front


class Objectives:
    """What a vector reward consists of, for the scalar and for the vector environments."""

    config: Any
    reward_space: spaces.Box
    """Of float64, (reward_dim,), unbounded."""

    @property
    def reward_dim(self) -> int:
        """Number of components."""
        return len(self.objectives)

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of the components of the reward, as in `info`; each is to be maximized."""
        terms: tuple[str, ...] = self.config.outcomes.terms
        return terms

    @property
    def reward_weights(self) -> Floats:
        """The configuration's weight of each component, (reward_dim,).

        Products with them, summed from the first to the last, are the scalar reward bit for bit; a
        dot product may round otherwise.
        """
        weights: Floats = self.config.reward_weights
        return weights

    def _make_space(self) -> None:
        self.reward_space = spaces.Box(-np.inf, np.inf, (self.reward_dim,), np.float64)


class VectorReward(Objectives, SimulatorEnv):
    """Base of the scalar environments, beside the one that each of them is."""

    def __init__(
        self, scenario: Any = "default", *, render_mode: str | None = None, **overrides: Any
    ) -> None:
        """Build the environment; arguments and errors as of the one with a scalar reward."""
        super().__init__(scenario, render_mode=render_mode, **overrides)
        self._make_space()

    def step(  # type: ignore[override]  # as MO-Gymnasium's environments do
        self, action: Actions
    ) -> tuple[Entries, Floats, bool, bool, dict[str, Any]]:
        """Carry out an action and advance by one step; the reward is a vector, (reward_dim,).

        Raises:
            ValueError: the action lies outside the space.
            RuntimeError: `reset` was not called before, or the episode is over.
        """
        observation, _, terminated, truncated, info = super().step(action)
        reward = np.array([info[name] for name in self.objectives], np.float64)
        return observation, reward, terminated, truncated, info


class VectorRewards(Objectives, SimulatorVectorEnv):
    """Base of the vector environments, beside the one that each of them is."""

    def __init__(self, num_envs: int = 1, scenario: Any = "default", **options: Any) -> None:
        """Build the sub-environments; arguments and errors as of those with a scalar reward."""
        super().__init__(num_envs, scenario, **options)
        self._make_space()

    def step(self, actions: Actions) -> tuple[Entries, Floats, Flags, Flags, dict[str, Any]]:
        """Advance every sub-environment; rewards are (n, reward_dim).

        Raises:
            ValueError: an action lies outside the space.
            RuntimeError: as of the environment with a scalar reward.
        """
        observation, _, terminated, truncated, infos = super().step(actions)
        rewards = self._terms(infos)
        if "final_info" in infos:
            # Where an episode has ended and another begun, the terms are here, elsewhere zeros.
            rewards += self._terms(infos["final_info"])
        return observation, rewards, terminated, truncated, infos

    def _terms(self, infos: dict[str, Any]) -> Floats:
        return np.stack([infos[name] for name in self.objectives], axis=1)


class MOOffloadingEnv(VectorReward, OffloadingEnv):
    """`OffloadingEnv` with the reward (`reward_error`, `reward_energy`, `reward_delay`).

    Minus the growth of the summed error E, minus joules, minus slots of delay; the error's
    component is positive where a training made the models better. Everything else, observations,
    infos and seeds among it, is as in `OffloadingEnv`. The configuration's weights change nothing
    here but `reward_weights`.

    ```python
    from mec_moe_env.multiobjective import MOOffloadingEnv

    env = MOOffloadingEnv("default", horizon=50)
    observation, info = env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    assert reward.shape == (env.reward_dim,) == (3,)
    ```
    """

    def pareto_front(self, gamma: float = 1.0) -> list[Floats]:
        """Return the vector returns of `toy` that no other episode dominates.

        Raises:
            ValueError: the scenario is another one, whose front nobody knows, or too long.
        """
        if self.config.tasks != "toy":
            raise reject("tasks", self.config.tasks, "'toy' where an exact front is wanted")
        make = partial(MOOffloadingEnv, self.config)
        return list(exhaustive_front(make, self.episode_steps, gamma))


class MODMoEEnv(VectorReward, DMoEEnv):
    """`DMoEEnv` with the reward (`reward_error`, `reward_energy`), both at most 0.

    Everything else, observations, infos and seeds among it, is as in `DMoEEnv`. The
    configuration's weights change nothing here but `reward_weights`.
    """

    def pareto_front(self, gamma: float = 1.0) -> list[Floats]:
        """Return the vector returns of `toy` that no other episode dominates.

        Raises:
            ValueError: the scenario is another one, whose front nobody knows.
        """
        if self.config.gates != "toy":
            raise reject("gates", self.config.gates, "'toy' where an exact front is wanted")
        return list(layered_front(partial(MODMoEEnv, self.config), self.episode_steps, gamma))


class MOOffloadingVectorEnv(VectorRewards, OffloadingVectorEnv):
    """`num_envs` copies of `MOOffloadingEnv` in one compiled step; rewards are (n, 3)."""


class MODMoEVectorEnv(VectorRewards, DMoEVectorEnv):
    """`num_envs` copies of `MODMoEEnv` in one compiled step; rewards are (n, 2)."""
