"""Offloading one task at a time, through the features of the learned scheduler.

`DecisionVecEnv` is what a learner steps through; `DecisionAgent` lets what was trained there act in
the original environment.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
from mec_moe_env.sb3 import SB3VecEnv, make_vec_env

FEATURE_BOUND = 10.0
"""No feature reaches it."""


def make_decision_env(
    config: OffloadingConfig, n_envs: int, seed: int | None, num_threads: int = 1
) -> DecisionVecEnv:
    """Build the training view; sub-environment i begins its first episode with `seed` + i.

    Raises:
        ValueError: a count is out of range.
    """
    native = make_vec_env(
        "mec_moe/Offloading-v0", n_envs, seed, scenario=config, num_threads=num_threads
    )
    return DecisionVecEnv(native, config)


class DecisionVecEnv(VecEnvWrapper):
    """Every task of a slot is a step of its own; the environment advances after the last.

    Observation: `Box` of CONTEXT + M·SERVER features (`mec_moe_agents.offloading.features`).
    Action: `Discrete(M + 1)`, a server over its best free subcarrier, or none. A server that
    cannot take the task stands for none; `action_masks` tells which can. The reward is the
    slot's, after its last task. Infos and resets are those of `mec_moe_env.sb3.SB3VecEnv`.
    """

    def __init__(self, native: SB3VecEnv, config: OffloadingConfig) -> None:
        self.config = config
        self._decisions = Decisions(config, native.num_envs)
        self._task = 0
        self._choices = np.zeros(native.num_envs, np.int64)
        self._features = np.zeros((native.num_envs, self._decisions.width), np.float32)
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
        self._choices = np.where(
            self.masks()[np.arange(self.num_envs), actions], actions, self.config.num_servers
        )

    def step_wait(self) -> VecEnvStepReturn:
        """Take the choice; after the last of a slot the environment advances."""
        self._decisions.choose(self._task, self._choices)
        if self._task + 1 < self.config.num_tasks:
            self._task += 1
            self._features = self._decisions.features(self._task)
            infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
            return (
                self._features,
                np.zeros(self.num_envs, np.float32),
                np.zeros(self.num_envs, np.bool_),
                infos,
            )
        observation, rewards, dones, infos = self.venv.step(self._decisions.action)
        if dones.any():
            self._end(dones, infos)
        return self._look(observation), rewards, dones, infos

    def masks(self) -> NDArray[np.bool_]:
        """Return which choices are possible, (n, M + 1)."""
        return choice_masks(self._features)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Return the rows of `action_masks`, or of a method of the native environment."""
        if method_name != "action_masks":
            return self.venv.env_method(method_name, *method_args, indices=indices, **kwargs)
        masks = self.masks()
        return [masks[index] for index in self._get_indices(indices)]

    def has_attr(self, attr_name: str) -> bool:
        """Tell whether the view or the native environment has an attribute."""
        return attr_name == "action_masks" or self.venv.has_attr(attr_name)

    def _look(self, observation: Any) -> NDArray[np.float32]:
        self._task = 0
        self._decisions.begin(observation)
        self._features = self._decisions.features(0)
        return self._features

    def _end(self, dones: NDArray[np.bool_], infos: list[dict[str, Any]]) -> None:
        """Forget the episodes that are over.

        Their last observation is a true end (the horizon is part of the problem), so that no
        algorithm looks at what it shows: the features of the last decision stand for it.
        """
        for index in np.flatnonzero(dones).tolist():
            infos[index]["terminal_observation"] = self._features[index].copy()
            self.reset_infos[index] = self.venv.reset_infos[index]
        self._decisions.forget(dones)


class DecisionState(NamedTuple):
    """State of a `DecisionAgent` over a batch of sub-environments."""

    decisions: Decisions
    memory: Any
    """The model's own, if it is recurrent."""


class DecisionAgent:
    """A model that was trained on decisions; it is asked for one task of a slot after the other."""

    def __init__(self, model: Any, config: OffloadingConfig, masked: bool) -> None:
        self._model = model
        self._config = config
        self._masked = masked

    def predict(
        self,
        observation: Any,
        state: DecisionState | None = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.int64], DecisionState]:
        """Choose the actions of a batch of slots, (n, U·D·2)."""
        batch = len(observation["progress"])
        starts = np.zeros(batch, np.bool_) if episode_start is None else episode_start
        if state is None:
            state = DecisionState(Decisions(self._config, batch), None)
        elif starts.any():
            state.decisions.forget(starts)
        decisions, memory = state
        decisions.begin(observation)
        for task in range(self._config.num_tasks):
            choice, memory = self._choose(decisions.features(task), memory, starts, deterministic)
            decisions.choose(task, choice)
            starts = np.zeros(batch, np.bool_)
        return decisions.action, DecisionState(decisions, memory)

    def _choose(
        self, features: NDArray[np.float32], memory: Any, starts: NDArray[np.bool_], mode: bool
    ) -> tuple[NDArray[np.int64], Any]:
        masks = choice_masks(features)
        options = {"action_masks": masks} if self._masked else {}
        choice, memory = self._model.predict(features, memory, starts, mode, **options)
        possible = masks[np.arange(len(choice)), choice]
        return np.where(possible, choice, self._config.num_servers), memory
