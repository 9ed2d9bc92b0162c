"""Offloading one task at a time, through the features of the learned scheduler.

`DecisionVecEnv` is what a learner steps through; `DecisionAgent` lets what was trained there act in
the original environment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import (
    VecEnvIndices,
    VecEnvObs,
    VecEnvStepReturn,
)

from mec_moe_agents.offloading.features import choice_masks
from mec_moe_agents.offloading.learned import Decisions
from mec_moe_env import OffloadingConfig
from mec_moe_env.sb3 import make_vec_env

FEATURE_BOUND = 10.0
"""No feature reaches it."""


class DecisionVecEnv(VecEnvWrapper):
    """Every task of a slot is a step of its own; the environment advances after the last.

    Observation: `Box` of CONTEXT + M·SERVER features (`mec_moe_agents.offloading.features`).
    Action: `Discrete(M + 1)`, a server over its best free subcarrier, or none. A server that
    cannot take the task stands for none; `action_masks` tells which can. The reward is the
    slot's, after its last task. Infos and resets are those of `mec_moe_env.sb3.SB3VecEnv`.
    Sub-environment i begins its first episode with `seed` + i.

    Raises:
        ValueError: a count is out of range.
    """

    def __init__(
        self, config: OffloadingConfig, n_envs: int, seed: int | None = None, num_threads: int = 1
    ) -> None:
        native = make_vec_env(
            "mec_moe/Offloading-v0", n_envs, seed, scenario=config, num_threads=num_threads
        )
        self.config = config
        self._decisions = Decisions(config, n_envs)
        self._task = 0
        self._choices = np.zeros(n_envs, np.int64)
        self._features = np.zeros((n_envs, self._decisions.width), np.float32)
        bound = spaces.Box(-FEATURE_BOUND, FEATURE_BOUND, (self._decisions.width,), np.float32)
        super().__init__(native, bound, spaces.Discrete(config.num_servers + 1))

    def reset(self) -> VecEnvObs:
        """Begin new episodes."""
        observation = self.venv.reset()
        self.reset_infos = self.venv.reset_infos
        self._decisions.forget(np.ones(self.num_envs, np.bool_))
        return self._look(observation)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Keep the choices for `step_wait`."""
        self._choices = possible_choices(self._features, actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Take the choice; after the last of a slot the environment advances."""
        self._decisions.choose(self._task, self._choices)
        if self._task + 1 < self.config.num_tasks:
            self._task += 1
            self._features = self._decisions.features(self._task)
            rewards, dones = np.zeros(self.num_envs, np.float32), np.zeros(self.num_envs, np.bool_)
            return self._features, rewards, dones, [{} for _ in range(self.num_envs)]
        observation, rewards, dones, infos = self.venv.step(self._decisions.action)
        for index in np.flatnonzero(dones).tolist():
            # A true end, since the horizon is part of the problem: no algorithm looks at what the
            # last observation shows, and the features of the last decision stand for it.
            infos[index]["terminal_observation"] = self._features[index].copy()
        if dones.any():
            self._decisions.forget(dones)
        return self._look(observation), rewards, dones, infos

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Return the rows of `action_masks`, or of a method of the native environment."""
        if method_name != "action_masks":
            return self.venv.env_method(method_name, *method_args, indices=indices, **kwargs)
        masks = choice_masks(self._features)
        return [masks[index] for index in self._get_indices(indices)]

    def _look(self, observation: Any) -> NDArray[np.float32]:
        self._task = 0
        self._decisions.begin(observation)
        self._features = self._decisions.features(0)
        return self._features


def possible_choices(
    features: NDArray[np.float32], choices: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the choices, (n,), with none, M, where the server cannot take the task."""
    masks = choice_masks(features)
    return np.where(masks[np.arange(len(masks)), choices], choices, masks.shape[1] - 1)


class DecisionAgent:
    """A model that was trained on decisions; it is asked for one task of a slot after the other."""

    def __init__(self, model: Any, config: OffloadingConfig, masked: bool) -> None:
        self._model = model
        self._config = config
        self._masked = masked

    def predict(
        self,
        observation: Any,
        state: tuple[Decisions, Any] | None = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.int64], tuple[Decisions, Any]]:
        """Choose the actions of a batch of slots, (n, U·D·2).

        The state holds the model's own, if it is recurrent.
        """
        batch = len(observation["progress"])
        starts = np.zeros(batch, np.bool_) if episode_start is None else episode_start
        decisions, memory = (Decisions(self._config, batch), None) if state is None else state
        decisions.forget(starts)
        decisions.begin(observation)
        for task in range(self._config.num_tasks):
            features = decisions.features(task)
            options = {"action_masks": choice_masks(features)} if self._masked else {}
            choices, memory = self._model.predict(
                features, memory, starts, deterministic, **options
            )
            decisions.choose(task, possible_choices(features, choices))
            starts = np.zeros(batch, np.bool_)
        return decisions.action, (decisions, memory)
