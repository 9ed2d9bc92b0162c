"""Whatever can act, as an agent over a batch of rows: which methods it has says how it is asked.

| it has | it is asked |
|---|---|
| `predict(observation, state, episode_start, deterministic)` | for a batch, (n, …), as `Agent` |
| the same with `action_masks` | likewise, with the masks (n, sum(nvec)) |
| `act(observation)`, or with `action_mask` | for one row, (…,); each row has an object of its own |
| neither, but can be called | `policy(observation)`, for a batch |

A model of Stable-Baselines3 has `predict`, and spaces that say in which form it sees and acts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Agent, Observation, with_batch_axis
from mec_moe_agents.environments import call_batched, config_of
from mec_moe_agents.outside.signature import parameters_of
from mec_moe_env.core.buffers import Flags
from mec_moe_env.wrappers.flat_action import FlatChoices

SEVERAL = ("state", "episode_start", "deterministic")
MASKS = "action_masks"


class Adapter:
    """`predict` for what acts on batches alone, with the environment's masks if it takes them.

    Args:
        agent: has a `predict` that takes what it wants of the arguments of `Agent.predict`.
        env: the environment that it acts in.
    """

    def __init__(self, agent: Any, env: Any) -> None:
        self._agent = agent
        self._env = env
        names = parameters_of(agent.predict)
        anything = any(each.kind is each.VAR_KEYWORD for each in names.values())
        self._taken = [name for name in SEVERAL if name in names or anything]
        self._masked = MASKS in names

    def predict(
        self,
        observation: Observation,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], Any]:
        """Choose the actions of a batch of rows, or of one, as described in `Agent.predict`.

        Raises:
            TypeError: the agent returned something else than actions and a state.
        """
        batched, single = with_batch_axis(observation)
        given = {"state": state, "episode_start": episode_start, "deterministic": deterministic}
        answer = self._ask(batched, {name: given[name] for name in self._taken})
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TypeError(
                f"predict of {type(self._agent).__name__} must return (actions, state), "
                f"got {type(answer).__name__}"
            )
        return (np.asarray(answer[0])[0] if single else answer[0]), answer[1]

    def _ask(self, observation: Observation, given: Mapping[str, Any]) -> Any:
        masks = {MASKS: self._masks(observation)} if self._masked else {}
        return self._agent.predict(observation, **given, **masks)

    def _masks(self, observation: Observation) -> Flags:
        """Return the masks of the environment's own actions, (n, sum(nvec))."""
        return call_batched(self._env, MASKS, single_ndim=1).astype(np.bool_)


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
        choices = FlatChoices(self._config)
        if count != choices.count:
            raise ValueError(
                f"the model has {count} actions, here a slot has {choices.count} (FlatAction)"
            )
        return choices

    def _ask(self, observation: Observation, given: Mapping[str, Any]) -> Any:
        seen = observation
        if self._flat:
            order = self._order()
            seen = np.concatenate([observation[key] for key in order], axis=1)  # type: ignore[assignment]
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


class RowAgent:
    """One object for each row and episode, which is asked for one action at a time.

    Args:
        build: returns the object of a row, which has `act`.
        env: the environment that it acts in.
    """

    def __init__(self, build: Callable[[int], Any], env: Any) -> None:
        self._build = build
        self._env = env

    def predict(
        self,
        observation: Observation,
        state: list[Any] | None = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[Any], list[Any]]:
        """Choose the actions of a batch of rows, or of one, as described in `Agent.predict`."""
        batched, single = with_batch_axis(observation)
        rows = len(next(iter(batched.values())))
        if state is None:
            state = [self._build(row) for row in range(rows)]
        elif episode_start is not None:
            for row in np.flatnonzero(np.broadcast_to(episode_start, (rows,))).tolist():
                state[row] = self._build(row)
        masked = "action_mask" in parameters_of(state[0].act)
        masks = call_batched(self._env, MASKS, single_ndim=1).astype(np.bool_) if masked else None
        actions = []
        for row, actor in enumerate(state):
            options = {} if masks is None else {"action_mask": masks[row]}
            seen = {key: entry[row] for key, entry in batched.items()}
            actions.append(np.ravel(actor.act(seen, **options)))
        return (actions[0] if single else np.stack(actions)), state


class PolicyFunction:
    """A function from observations to actions, which remembers nothing."""

    def __init__(self, policy: Callable[[Observation], Any]) -> None:
        self._policy = policy

    def predict(self, observation: Observation) -> tuple[NDArray[Any], None]:
        """Choose the actions of a batch of rows."""
        return np.asarray(self._policy(observation)), None


def is_model(agent: Any) -> bool:
    """Tell whether something is a model of Stable-Baselines3, or made like one."""
    parts = ("predict", "policy", "observation_space", "action_space")
    return all(hasattr(agent, part) for part in parts)


def adapt(agent: Any, env: Any) -> Agent:
    """Return an agent for a batch of rows of `env` from anything that can act.

    Raises:
        TypeError: it has neither `predict` nor `act`, and cannot be called.
        ValueError: it is a model for other spaces.
    """
    if isinstance(agent, Adapter | RowAgent):
        return agent
    if is_model(agent):
        return ModelAgent(agent, env)
    if hasattr(agent, "predict"):
        names = parameters_of(agent.predict)
        whole = all(name in names for name in SEVERAL) and MASKS not in names
        acting: Agent = agent
        return acting if whole else Adapter(agent, env)
    if hasattr(agent, "act"):
        return RowAgent(lambda row: copy.deepcopy(agent), env)
    if callable(agent):
        return Adapter(PolicyFunction(agent), env)
    raise TypeError(f"an agent needs predict or act, or must be callable, got {agent!r}")
