"""The forms in which a learner sees an environment, and how it then acts in the original."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from mec_moe_agents.agent import Agent
from mec_moe_agents.evaluation.measures import steps_of
from mec_moe_agents.learning.plan import Plan
from mec_moe_env.configuration import Config
from mec_moe_env.sb3 import make_vec_env
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.wrappers.flat_choices import FlatChoices

MASKED = "maskable-ppo"
MOST_CHOICES = 2048
"""Up to so many choices one discrete action learns faster than two; DQN takes any number."""


class View(Protocol):
    """One form of the environment."""

    name: str

    def make_env(self, plan: Plan) -> VecEnv:
        """Build the environment that the learner steps through."""

    def steps_per_episode(self, config: Config) -> int:
        """Return the learner's steps in an episode."""

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return what `model` has learned as an agent for the original environment `env`."""


class NativeView:
    """The environment as it is: `MultiDiscrete` actions."""

    name = "native"

    def make_env(self, plan: Plan) -> VecEnv:
        """Build the environment that the learner steps through."""
        return _native(plan, flat=False)

    def steps_per_episode(self, config: Config) -> int:
        """Return the slots or layers of an episode."""
        return steps_of(config)

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return the model itself, with the masks if it learned with them."""
        agent: Agent = MaskedAgent(model, env) if plan.algo == MASKED else model
        return agent


class FlatView:
    """One discrete action for the only pick of a slot; see `mec_moe_env.wrappers.FlatAction`."""

    name = "flat"

    def make_env(self, plan: Plan) -> VecEnv:
        """Build the environment that the learner steps through."""
        return _native(plan, flat=True)

    def steps_per_episode(self, config: Config) -> int:
        """Return the slots of an episode."""
        return steps_of(config)

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return the model with its choices turned into picks."""
        return FlatAgent(model, env, masked=plan.algo == MASKED)


class MaskedAgent:
    """A maskable model in the environment whose masks it needs."""

    def __init__(self, model: Any, env: Any) -> None:
        self._model = model
        self._env = env

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], Any]:
        """Choose among the possible actions of a batch of sub-environments."""
        masks = self._env.action_masks()
        action, state = self._model.predict(
            observation, state, episode_start, deterministic, action_masks=masks
        )
        return action, state


class FlatAgent:
    """A model of one discrete action in the environment with servers and subcarriers."""

    def __init__(self, model: Any, env: Any, masked: bool) -> None:
        self._model = model
        self._env = env
        self._masked = masked
        self._choices = FlatChoices(env.config)

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], Any]:
        """Choose a server and a subcarrier for a batch of sub-environments, (n, 2)."""
        masks = {}
        if self._masked:
            picks = self._env.action_masks()
            masks["action_masks"] = self._choices.masks(picks, observation["origin"])
        choice, state = self._model.predict(
            observation, state, episode_start, deterministic, **masks
        )
        return self._choices.picks(choice, np.shape(choice)), state


def view_of(plan: Plan) -> View:
    """Return the form in which the learner of a plan sees its environment."""
    return FlatView() if plan.algo == "dqn" or _is_small(plan.config) else NativeView()


def _is_small(config: Config) -> bool:
    return (
        isinstance(config, OffloadingConfig)
        and config.num_tasks == config.max_experts == 1
        and config.num_servers * config.num_subcarriers < MOST_CHOICES
    )


def _native(plan: Plan, flat: bool) -> VecEnv:
    id_ = "mec_moe/Offloading-v0" if plan.env == "offloading" else "mec_moe/DMoE-v0"
    return make_vec_env(
        id_,
        plan.hyperparameters.num_envs,
        flat_action=flat,
        scenario=plan.config,
        num_threads=plan.threads,
    )
