"""Whatever can act, as an agent over a batch of rows: which methods it has says how it is asked.

| it has | it is asked |
|---|---|
| `predict(observation, state, episode_start, deterministic)` | for a batch, (n, …), as `Agent` |
| the same with `action_masks` | likewise, with the masks (n, sum(nvec)) |
| `act(observation)`, or with `action_mask` | for one row, (…,); each row has an object of its own |
| neither, but can be called | `policy(observation)`, for a batch |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation, with_batch_axis
from mec_moe_agents.environments import call_batched
from mec_moe_agents.outside.errors import AgentError
from mec_moe_agents.outside.signature import parameters_of
from mec_moe_env.core.buffers import Flags

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
            AgentError: the agent returned something else than actions and a state.
        """
        batched, single = with_batch_axis(observation)
        given = {"state": state, "episode_start": episode_start, "deterministic": deterministic}
        answer = self._ask(batched, {name: given[name] for name in self._taken})
        actions, state = pair(answer, type(self._agent).__name__)
        return (np.asarray(actions)[0] if single else actions), state

    def _ask(self, observation: Observation, given: Mapping[str, Any]) -> Any:
        masks = {MASKS: self._masks(observation)} if self._masked else {}
        return self._agent.predict(observation, **given, **masks)

    def _masks(self, observation: Observation) -> Flags:
        """Return the masks of the environment's own actions, (n, sum(nvec))."""
        return call_batched(self._env, MASKS, single_ndim=1).astype(np.bool_)


def pair(answer: Any, who: str) -> tuple[Any, Any]:
    """Return what `predict` has answered if it is a pair: actions and a state.

    Raises:
        AgentError: it is something else.
    """
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise AgentError(
            f"predict of {who} must return (actions, state), got {type(answer).__name__}"
        )
    return answer


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
