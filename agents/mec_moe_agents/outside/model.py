"""Models of Stable-Baselines3 as agents: their spaces say in which form they see and act.

| observation | action | trained on |
|---|---|---|
| the entries | `MultiDiscrete` | the environment as it is |
| the entries, or all in one `Box` | `Discrete(M·S + 1)` | the environment under `FlatAction` |
| a `Box` of features | `Discrete(M + 1)` | `mec_moe_agents.training.DecisionVecEnv` |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mec_moe_agents.agent import Agent, Observation
from mec_moe_agents.environments import config_of
from mec_moe_agents.offloading.features import width
from mec_moe_agents.outside.adapters import MASKS, Adapter
from mec_moe_agents.outside.signature import parameters_of
from mec_moe_env import OffloadingConfig
from mec_moe_env.core.buffers import Flags
from mec_moe_env.wrappers.flat_action import FlatChoices


class ModelAgent(Adapter):
    """A model of Stable-Baselines3 that sees entries or all of them flat, and may number picks.

    Raises:
        ValueError: it was trained on other observations or actions than the environment has.
    """

    def __init__(self, model: Any, env: Any) -> None:
        super().__init__(model, env)
        self._config: Any = config_of(env)
        space = model.observation_space
        entries = getattr(space, "spaces", None)
        sizes = {key: int(np.prod(s)) for key, s in self._config.observation_shapes.items()}
        seen = space.shape if entries is None else {key: entries[key].shape for key in entries}
        here = (sum(sizes.values()),) if entries is None else {k: (n,) for k, n in sizes.items()}
        if seen != here:
            raise ValueError(
                f"the model was trained on observations of shape {seen}, here they have {here}"
            )
        self._flat = entries is None
        self._choices = self._numbered(model.action_space)

    def _numbered(self, space: Any) -> FlatChoices | None:
        count = getattr(space, "n", None)
        if count is None or isinstance(count, np.ndarray):
            return None
        if not isinstance(self._config, OffloadingConfig):
            raise ValueError(f"the model has one discrete action of {count}, here it has several")
        choices = FlatChoices(self._config)
        if count != choices.count:
            raise ValueError(
                f"the model has {count} actions, here a slot has {choices.count} (FlatAction)"
            )
        return choices

    def _ask(self, observation: Observation, given: Mapping[str, Any]) -> Any:
        seen: Any = observation
        if self._flat:
            seen = np.concatenate([observation[key] for key in self._order()], axis=1)
        masks = {MASKS: self._masks(observation)} if self._masked else {}
        action, state = self._agent.predict(seen, **given, **masks)
        if self._choices is not None:
            action = self._choices.picks(action, np.shape(action))
        return action, state

    def _order(self) -> list[str]:
        """Return the entries in the order in which Gymnasium flattens them."""
        base = getattr(self._env, "unwrapped", self._env)
        space = getattr(base, "single_observation_space", base.observation_space)
        return list(space.spaces)

    def _masks(self, observation: Observation) -> Flags:
        masks = super()._masks(observation)
        if self._choices is None:
            return masks
        return self._choices.masks(masks, observation["origin"])


def is_model(agent: Any) -> bool:
    """Tell whether something is a model of Stable-Baselines3, or made like one."""
    parts = ("predict", "policy", "observation_space", "action_space")
    return all(hasattr(agent, part) for part in parts)


def model_agent(model: Any, env: Any) -> Agent:
    """Return a model as an agent for the environment that it acts in.

    Raises:
        ValueError: it was trained on other observations or actions than the environment has.
    """
    config = config_of(env)
    if isinstance(config, OffloadingConfig):
        features = model.observation_space.shape == (width(config),)
        if features and getattr(model.action_space, "n", None) == config.num_servers + 1:
            from mec_moe_agents.training.decisions import DecisionAgent

            masked = MASKS in parameters_of(model.predict)
            return Adapter(DecisionAgent(model, config, masked=masked), env)
    return ModelAgent(model, env)
