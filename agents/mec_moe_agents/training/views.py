"""The forms in which a learner sees an environment, and how it then acts in the original."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from stable_baselines3.common.vec_env import VecEnv

from mec_moe_agents.agent import Agent
from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.offloading.features import width
from mec_moe_agents.offloading.learned import LearnedAgent
from mec_moe_agents.offloading.network import SUFFIX, arrays_of, export
from mec_moe_agents.outside.model import ModelAgent
from mec_moe_agents.training.decisions import DecisionAgent, DecisionVecEnv
from mec_moe_agents.training.plan import Plan
from mec_moe_agents.training.policy import deep_set_policy
from mec_moe_env import OffloadingConfig
from mec_moe_env.sb3 import make_vec_env

EXPORTED = f"learned{SUFFIX}"
"""What the deep-set policy has learned; a `.json` of the same name lies beside it."""
MOST_CHOICES = 2048
"""Up to so many choices one discrete action learns faster than two; DQN takes any number."""


class View:
    """The environment of a plan as it is; base of the other forms."""

    kind = "MultiInput"
    """What Stable-Baselines3 calls policies for such observations."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._config: Any = plan.config

    @property
    def steps_per_episode(self) -> int:
        """The learner's steps in an episode: slots, layers or decisions."""
        return self._plan.config.steps

    @property
    def rollout_steps(self) -> int:
        """The learner's steps of each sub-environment between two updates."""
        return self._plan.hyperparameters.rollout_steps or self.steps_per_episode

    @property
    def observation_size(self) -> int:
        """How many numbers the learner sees at a step."""
        return sum(map(math.prod, self._config.observation_shapes.values()))

    @property
    def policy(self) -> tuple[Any, dict[str, Any]]:
        """The policy's class, or its name in Stable-Baselines3, and its arguments."""
        return self._plan.algorithm.policy.format(self.kind), self._plan.hyperparameters.network

    def make_env(self) -> VecEnv:
        """Build the environment that the learner steps through."""
        return make_vec_env(
            environment_of(self._config).id,
            self._plan.hyperparameters.num_envs,
            flat_action=self._has_flat_action,
            scenario=self._config,
            num_threads=self._plan.threads,
        )

    def agent(self, model: Any, env: Any) -> Agent:
        """Return what `model` has learned as an agent for the original environment `env`."""
        return ModelAgent(model, env)

    def export(self, model: Any, folder: Path) -> None:
        """Write the model in a form of its own; here weights and config.json say it all."""

    @property
    def _has_flat_action(self) -> bool:
        """Whether the only pick of a slot is one discrete action, not `MultiDiscrete`."""
        config = self._config
        if not isinstance(config, OffloadingConfig) or config.num_tasks * config.max_experts > 1:
            return False
        few_choices = config.num_servers * config.num_subcarriers < MOST_CHOICES
        return few_choices or self._plan.algorithm.off_policy


class FeatureView(View):
    """One task after the other, seen through the features of the learned scheduler."""

    kind = "Mlp"

    @property
    def steps_per_episode(self) -> int:
        """The decisions of an episode: one for each task."""
        return super().steps_per_episode * int(self._config.num_tasks)

    @property
    def observation_size(self) -> int:
        """How many features a decision has."""
        return width(self._config)

    def make_env(self) -> VecEnv:
        """Build the environment that the learner steps through."""
        num_envs = self._plan.hyperparameters.num_envs
        return DecisionVecEnv(self._config, num_envs, num_threads=self._plan.threads)

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


def view_of(plan: Plan) -> View:
    """Return the form in which the learner of a plan sees its environment."""
    return {"shape": DeepSetView, "features": FeatureView, "mlp": View}[plan.policy](plan)
