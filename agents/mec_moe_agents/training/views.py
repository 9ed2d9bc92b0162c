"""The forms in which a learner sees an environment, and how it then acts in the original."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.wrappers.vector import RescaleAction
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from mec_moe_agents.agent import Agent
from mec_moe_agents.dmoe.importance import ImportanceActionVector
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.offloading.features import width
from mec_moe_agents.offloading.learned import LearnedAgent
from mec_moe_agents.offloading.network import SUFFIX, arrays_of, export
from mec_moe_agents.training.decisions import DecisionAgent, make_decision_env
from mec_moe_agents.training.plan import Plan, has_one_pick
from mec_moe_agents.training.policy import deep_set_policy
from mec_moe_env import OffloadingConfig
from mec_moe_env.config import Config
from mec_moe_env.sb3 import SB3VecEnv, make_vec_env
from mec_moe_env.wrappers.flat_action import FlatChoices

EXPORTED = f"learned{SUFFIX}"
"""What the deep-set policy has learned; a `.json` of the same name lies beside it."""
MOST_CHOICES = 2048
"""Up to so many choices one discrete action learns faster than two; DQN takes any number."""


class View:
    """The environment of a plan as it is; base of the other forms.

    Args:
        plan: the run.
        flat: whether the only pick of a slot is one discrete action, see
            `mec_moe_env.wrappers.FlatAction`; otherwise actions are `MultiDiscrete`.
    """

    kind = "MultiInput"
    """What Stable-Baselines3 calls policies for such observations."""

    def __init__(self, plan: Plan, flat: bool = False) -> None:
        self._plan = plan
        self._flat = flat

    @property
    def steps_per_episode(self) -> int:
        """The learner's steps in an episode: slots, layers or decisions."""
        return self._plan.config.steps

    @property
    def observation_size(self) -> int:
        """How many numbers the learner sees at a step."""
        return sum(map(math.prod, self._plan.config.observation_shapes.values()))

    @property
    def policy(self) -> tuple[Any, dict[str, Any]]:
        """The policy's class, or its name in Stable-Baselines3, and its arguments."""
        return self._plan.algorithm.policy.format(self.kind), self._plan.hyperparameters.network

    def make_env(self) -> VecEnv:
        """Build the environment that the learner steps through."""
        return make_vec_env(
            self._plan.environment.id,
            self._plan.hyperparameters.num_envs,
            flat_action=self._flat,
            scenario=self._plan.config,
            num_threads=self._plan.threads,
        )

    def agent(self, model: Any, env: Any) -> Agent:
        """Return what `model` has learned as an agent for the original environment `env`."""
        masked = self._plan.algorithm.masked
        agent: Agent = ModelAgent(model, env, masked, self._flat) if masked or self._flat else model
        return agent

    def export(self, model: Any, folder: Path) -> None:
        """Write the model in a form of its own; here weights and config.json say it all."""


class FeatureView(View):
    """One task after the other, seen through the features of the learned scheduler."""

    kind = "Mlp"

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        if not isinstance(plan.config, OffloadingConfig):
            raise TypeError(f"decisions are of Offloading, not of a {type(plan.config).__name__}")
        self._config = plan.config

    @property
    def steps_per_episode(self) -> int:
        """The decisions of an episode: one for each task."""
        return self._config.horizon * self._config.num_tasks

    @property
    def observation_size(self) -> int:
        """How many features a decision has."""
        return width(self._config)

    def make_env(self) -> VecEnv:
        """Build the environment that the learner steps through."""
        num_envs = self._plan.hyperparameters.num_envs
        return make_decision_env(self._config, num_envs, None, self._plan.threads)

    def agent(self, model: Any, env: Any) -> Agent:
        """Return the model, asked for one task after the other."""
        return DecisionAgent(model, self._config, masked=self._plan.algorithm.masked)


class DeepSetView(FeatureView):
    """The same for the deep-set policy, which needs neither Stable-Baselines3 nor torch to act."""

    @property
    def policy(self) -> tuple[Any, dict[str, Any]]:
        """The class of the deep-set policy; it takes no arguments."""
        return deep_set_policy(self._plan.algo), {}

    def agent(self, model: Any, env: Any) -> Agent:
        """Return the learned scheduler with the model's weights of now."""
        return LearnedAgent(self._config, arrays_of(model))

    def export(self, model: Any, folder: Path) -> None:
        """Write the files that `make_agent("learned", env, path=...)` reads."""
        training = {
            "command": self._plan.command(model.num_timesteps),
            "scenario": self._plan.scenario,
            "seed": self._plan.seed,
            "steps": model.num_timesteps,
            "commit": current_provenance().commit,
        }
        export(model, folder / EXPORTED, training)


class ModelAgent:
    """A model in an environment whose masks it needs, or whose picks it numbers."""

    def __init__(self, model: Any, env: Any, masked: bool, flat: bool) -> None:
        self._model = model
        self._env = env
        self._masked = masked
        self._choices = FlatChoices(env.config) if flat else None

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], Any]:
        """Choose among the possible actions of a batch of sub-environments."""
        options = {"action_masks": self._masks(observation)} if self._masked else {}
        action, state = self._model.predict(
            observation, state, episode_start, deterministic, **options
        )
        if self._choices is not None:
            action = self._choices.picks(action, np.shape(action))
        return action, state

    def _masks(self, observation: Any) -> NDArray[np.bool_]:
        masks: NDArray[np.bool_] = self._env.action_masks()
        return masks if self._choices is None else self._choices.masks(masks, observation["origin"])


def view_of(plan: Plan) -> View:
    """Return the form in which the learner of a plan sees its environment."""
    by_policy: dict[str, type[FeatureView]] = {"shape": DeepSetView, "features": FeatureView}
    if plan.policy in by_policy:
        return by_policy[plan.policy](plan)
    return View(plan, flat=plan.algorithm.off_policy or _has_few_choices(plan.config))


def _has_few_choices(config: Config) -> bool:
    sizes: Any = config
    return has_one_pick(config) and sizes.num_servers * sizes.num_subcarriers < MOST_CHOICES


def make_importance_vec_env(
    scenario: str = "digits-moe", n_envs: int = 1, seed: int | None = None, **overrides: Any
) -> SB3VecEnv:
    """Build `n_envs` sub-environments of DMoE whose action is the importance of a layer.

    The action of `ImportanceAction` is rescaled to [−1, 1], where Stable-Baselines3's Gaussian
    policies begin: −1 is importance 0.

    Args:
        scenario: a preset of `mec_moe/DMoE-v0`.
        n_envs: number of sub-environments.
        seed: sub-environment i begins its first episode with seed + i; None is random.
        overrides: `num_threads`, and config fields to override.

    Raises:
        ValueError: an argument is unknown or out of range.
    """
    # An array: Gymnasium warns of a plain number's precision.
    one = np.ones(1, np.float32)
    return make_vec_env(
        "mec_moe/DMoE-v0",
        n_envs,
        seed,
        wrap=lambda env: RescaleAction(ImportanceActionVector(env), -one, one),
        scenario=scenario,
        **overrides,
    )
