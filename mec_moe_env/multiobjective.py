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
from mec_moe_env.core.buffers import Actions, Entries, Floats
from mec_moe_env.core.scalar import SimulatorEnv
from mec_moe_env.dmoe.env import DMoEEnv
from mec_moe_env.offloading.env import OffloadingEnv
from mec_moe_env.pareto import exhaustive_front, layered_front


class VectorReward(SimulatorEnv):
    """Base of the multi-objective environments, beside the environment of which they are."""

    reward_space: spaces.Box
    """Of float64, (reward_dim,), unbounded."""
    reward_dim: int
    """Number of terms."""

    def __init__(
        self, scenario: Any = "default", *, render_mode: str | None = None, **overrides: Any
    ) -> None:
        """Build the environment; arguments and errors as of the one with a scalar reward."""
        super().__init__(scenario, render_mode=render_mode, **overrides)
        self.reward_dim = len(self.objectives)
        self.reward_space = spaces.Box(-np.inf, np.inf, (self.reward_dim,), np.float64)

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
        """Return the vector returns of `toy` that no other episode dominates; all are tried.

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
        """Return the vector returns of `toy` that no other episode dominates; all actions are tried.

        Raises:
            ValueError: the scenario is another one, whose front nobody knows.
        """
        if self.config.gates != "toy":
            raise reject("gates", self.config.gates, "'toy' where an exact front is wanted")
        return list(layered_front(partial(MODMoEEnv, self.config), self.episode_steps, gamma))
