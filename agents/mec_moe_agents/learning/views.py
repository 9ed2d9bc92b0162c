"""The forms in which a learner sees an environment, and how it then acts in the original."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from mec_moe_agents.agent import Agent
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.learning.decision_agent import DecisionAgent
from mec_moe_agents.learning.decisions import make_decision_env
from mec_moe_agents.learning.plan import Plan, command_of
from mec_moe_agents.offloading.features import width
from mec_moe_agents.offloading.learned import LearnedAgent
from mec_moe_agents.offloading.network import arrays_of, export
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import Config
from mec_moe_env.sb3 import make_vec_env
from mec_moe_env.wrappers.flat_choices import FlatChoices

MASKED = "maskable-ppo"
EXPORTED = "learned.npz"
"""What the `shape` policy has learned; a `.json` of the same name lies beside it."""
MOST_CHOICES = 2048
"""Up to so many choices one discrete action learns faster than two; DQN takes any number."""


class View(Protocol):
    """One form of the environment."""

    name: str

    def make_env(self, plan: Plan) -> VecEnv:
        """Build the environment that the learner steps through."""

    def steps_per_episode(self, config: Config) -> int:
        """Return the learner's steps in an episode."""

    def observation_size(self, config: Config) -> int:
        """Return how many numbers the learner sees at a step."""

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return what `model` has learned as an agent for the original environment `env`."""

    def export(self, plan: Plan, model: Any, folder: Path, steps: int) -> None:
        """Write the model in a form of its own, if it has one, after so many steps."""


class NativeView:
    """The environment as it is: `MultiDiscrete` actions."""

    name = "native"

    def make_env(self, plan: Plan) -> VecEnv:
        """Build the environment that the learner steps through."""
        return _native(plan, flat=False)

    def steps_per_episode(self, config: Config) -> int:
        """Return the slots or layers of an episode."""
        return config.steps

    def observation_size(self, config: Config) -> int:
        """Return how many numbers the environment shows."""
        return _observation_size(config)

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return the model itself, with the masks if it learned with them."""
        agent: Agent = MaskedAgent(model, env) if plan.algo == MASKED else model
        return agent

    def export(self, plan: Plan, model: Any, folder: Path, steps: int) -> None:
        """Write nothing: the weights and the run's config.json say it all."""


class FlatView(NativeView):
    """One discrete action for the only pick of a slot; see `mec_moe_env.wrappers.FlatAction`."""

    name = "flat"

    def make_env(self, plan: Plan) -> VecEnv:
        """Build the environment that the learner steps through."""
        return _native(plan, flat=True)

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return the model with its choices turned into picks."""
        return FlatAgent(model, env, masked=plan.algo == MASKED)


class DecisionView:
    """One task after the other, seen through the features of the learned scheduler."""

    name = "decisions"

    def make_env(self, plan: Plan) -> VecEnv:
        """Build the environment that the learner steps through."""
        assert isinstance(plan.config, OffloadingConfig)
        num_envs = plan.hyperparameters.num_envs
        return make_decision_env(plan.config, num_envs, None, plan.threads)

    def steps_per_episode(self, config: Config) -> int:
        """Return the decisions of an episode: one for each task."""
        assert isinstance(config, OffloadingConfig)
        return config.horizon * config.num_tasks

    def observation_size(self, config: Config) -> int:
        """Return how many features a decision has."""
        assert isinstance(config, OffloadingConfig)
        return width(config)

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return the learned scheduler with the model's weights of now."""
        assert isinstance(plan.config, OffloadingConfig)
        return LearnedAgent(plan.config, arrays_of(model))

    def export(self, plan: Plan, model: Any, folder: Path, steps: int) -> None:
        """Write the files that `make_agent("learned", env, path=...)` reads."""
        training = {
            "command": command_of(plan, steps),
            "scenario": plan.scenario,
            "seed": plan.seed,
            "steps": steps,
            "commit": current_provenance().commit,
        }
        export(model, folder / EXPORTED, training)


class FeatureView(DecisionView):
    """The decision view for models of Stable-Baselines3's own."""

    name = "features"

    def agent(self, plan: Plan, model: Any, env: Any) -> Agent:
        """Return the model, asked for one task after the other."""
        assert isinstance(plan.config, OffloadingConfig)
        return DecisionAgent(model, plan.config, masked=plan.algo == MASKED)

    def export(self, plan: Plan, model: Any, folder: Path, steps: int) -> None:
        """Write nothing: the weights and the run's config.json say it all."""


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
    if plan.policy == "shape":
        return DecisionView()
    if plan.policy == "features":
        return FeatureView()
    return FlatView() if plan.algo == "dqn" or _is_small(plan.config) else NativeView()


def _is_small(config: Config) -> bool:
    return (
        isinstance(config, OffloadingConfig)
        and config.num_tasks == config.max_experts == 1
        and config.num_servers * config.num_subcarriers < MOST_CHOICES
    )


def _observation_size(config: Config) -> int:
    assert isinstance(config, OffloadingConfig | DMoEConfig)
    return sum(math.prod(shape) for shape in config.observation_shapes.values())


def _native(plan: Plan, flat: bool) -> VecEnv:
    id_ = "mec_moe/Offloading-v0" if plan.env == "offloading" else "mec_moe/DMoE-v0"
    return make_vec_env(
        id_,
        plan.hyperparameters.num_envs,
        flat_action=flat,
        scenario=plan.config,
        num_threads=plan.threads,
    )
