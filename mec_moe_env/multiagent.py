"""Offloading as PettingZoo wants it: every base station decides for the tasks that arrive there.

Importing this module needs PettingZoo (the extra `multiagent`); importing `mec_moe_env`, whose
`parallel_env` comes here, does not.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import logger, spaces

from mec_moe_env.core.buffers import Actions, Entries, Flags, Singles
from mec_moe_env.core.simulator import check_actions
from mec_moe_env.offloading.env import OffloadingEnv
from mec_moe_env.shown import shown
from mec_moe_env.wrappers.flat_observation import FlatEntries
from mec_moe_env.wrappers.masks import MaskedMultiDiscrete

try:
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise ImportError(
        "mec_moe_env.parallel_env needs PettingZoo: pip install 'mec-moe-env[multiagent]'"
    ) from error


class OffloadingParallelEnv(ParallelEnv):  # type: ignore[misc]  # PettingZoo is not typed
    """`OffloadingEnv` with M agents, `station_0`, `station_1`, …, one per base station.

    A slot's U tasks arrive at random base stations. For those that arrive at its own an agent picks
    servers and subcarriers; what it picks for others is ignored. The picks of all agents, put
    together in the order of the tasks, are the action of `OffloadingEnv`, so that conflicts are
    settled by its rule: of two picks of one server or subcarrier the earlier task's counts, the
    other is dropped. Seeds, physics and infos are those of `OffloadingEnv`.

    **Action.** `MultiDiscrete([M + 1, S] * (U * D))`, laid out as there. The agent's
    `infos[agent]["action_mask"]`, (sum(nvec),), admits a single choice, none over subcarrier 0, for
    tasks that arrive elsewhere; `action_space(agent).sample(mask)` takes it as it is.

    **Observation.** The entries of `OffloadingEnv`, with zeros for tasks that arrive elsewhere: in
    `task`, `payload`, `origin` and `spectral_efficiency`. Which servers and subcarriers are busy
    and what servers cost is seen by all. `state()` is the whole observation, one after the other.

    **Reward.** The one of `OffloadingEnv`, whole, for every agent.

    **Episode.** All agents are terminated after T slots, and `agents` is empty until `reset`.

    ```python
    from mec_moe_env import parallel_env

    env = parallel_env("default", num_tasks=2, horizon=50)
    observations, infos = env.reset(seed=0)
    actions = {
        agent: env.action_space(agent).sample(infos[agent]["action_mask"]) for agent in env.agents
    }
    observations, rewards, terminations, truncations, infos = env.step(actions)
    assert len(set(rewards.values())) == 1
    ```
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  # as PettingZoo declares it
        **OffloadingEnv.metadata,
        "name": "mec_moe_offloading_v0",
        "is_parallelizable": True,
    }

    def __init__(
        self, scenario: Any = "default", *, render_mode: str | None = None, **overrides: Any
    ) -> None:
        """Build the environment; arguments and errors as of `OffloadingEnv`."""
        self._env = OffloadingEnv(scenario, render_mode=render_mode, **overrides)
        self.config, self.render_mode = self._env.config, render_mode
        self.possible_agents = [f"station_{m}" for m in range(self.config.num_servers)]
        self.agents: list[str] = []
        space, nvec = self._env.observation_space, self._env.action_space.nvec
        self.observation_spaces = {agent: copy.deepcopy(space) for agent in self.possible_agents}
        self.action_spaces = {agent: MaskedMultiDiscrete(nvec) for agent in self.possible_agents}
        self._flat = FlatEntries(space)
        self.state_space = self._flat.space
        """Of `state()`."""
        entries = self.config.entries.items()
        self._of_tasks = [name for name, entry in entries if entry.axes.startswith("U")]
        pick = [0] * self.config.num_servers + [1, 1] + [0] * (self.config.num_subcarriers - 1)
        self._no_pick = np.array(pick * self.config.max_experts, np.bool_)
        self._seen: Entries = {}

    def observation_space(self, agent: str) -> spaces.Space[Entries]:
        """Return what an agent observes; the same object every time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> MaskedMultiDiscrete:
        """Return what an agent can do; the same object every time."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Entries], dict[str, dict[str, Any]]]:
        """Begin an episode; a seed fixes everything that does not depend on the actions.

        There are no options. Those given are ignored with a warning, since PettingZoo's own test
        gives some to every environment.
        """
        if options:
            logger.warn(f"reset() has no options, ignored: {sorted(options)}")
        observation, info = self._env.reset(seed=seed)
        self.agents = list(self.possible_agents)
        return self._shown(observation, info)

    def step(
        self, actions: Mapping[str, Actions]
    ) -> tuple[
        dict[str, Entries],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Carry out the actions of all agents.

        Raises:
            ValueError: an action is missing or lies outside the space, there is no such agent, or
                the actions are no mapping of agents to theirs.
            RuntimeError: `reset` was not called before, or the episode is over.
        """
        if not self.agents:
            raise RuntimeError("call reset() before step(), and again once an episode is over")
        observation, reward, terminated, truncated, info = self._env.step(self._joint(actions))
        everyone = self.possible_agents
        self.agents = [] if terminated else list(everyone)
        observations, infos = self._shown(observation, info)
        rewards = dict.fromkeys(everyone, reward)
        ends, cuts = dict.fromkeys(everyone, terminated), dict.fromkeys(everyone, truncated)
        return observations, rewards, ends, cuts, infos

    def state(self) -> Singles:
        """Return the whole observation as one vector, for a critic that sees everything.

        Raises:
            RuntimeError: `reset` was not called before.
        """
        if not self._seen:
            raise RuntimeError("call reset() before state()")
        return self._flat.flatten(self._seen)

    def render(self) -> Any:
        """Return what `OffloadingEnv.render` does."""
        return self._env.render()

    def close(self) -> None:
        """Close the window of mode `human`."""
        self._env.close()

    @property
    def _origins(self) -> Flags:
        """Where each task of now arrived, (U, M)."""
        here: Flags = self._seen["origin"].reshape(-1, self.config.num_servers) > 0.0
        return here

    def _shown(
        self, observation: Entries, info: dict[str, Any]
    ) -> tuple[dict[str, Entries], dict[str, dict[str, Any]]]:
        """Return what each agent sees of an observation, and its info."""
        self._seen = observation
        observations, infos = {}, {}
        for agent, own in zip(self.possible_agents, self._origins.T, strict=True):
            rows = {name: observation[name].reshape(len(own), -1) for name in self._of_tasks}
            # Copies of all: whoever scales entries in place must not change them for the others.
            observations[agent] = {name: entry.copy() for name, entry in observation.items()} | {
                name: np.where(own[:, np.newaxis], row, 0).ravel() for name, row in rows.items()
            }
            masks = info["action_mask"].reshape(len(own), -1)
            mask = np.where(own[:, np.newaxis], masks, self._no_pick).ravel()
            infos[agent] = info | {"action_mask": mask}
        return observations, infos

    def _joint(self, actions: Mapping[str, Actions]) -> Actions:
        """Return the picks for each task of the agent where it arrived, (2·U·D,)."""
        if not isinstance(actions, Mapping):
            raise ValueError(
                f"actions must be a mapping of agents to their actions, got {shown(actions)}"
            )
        if actions.keys() != set(self.agents):
            raise ValueError(
                f"actions are of {shown(list(actions))}, expected those of {self.agents}"
            )
        nvec = self._env.action_space.nvec
        chosen = []
        for agent in self.agents:
            try:
                chosen.append(check_actions(actions[agent], nvec.shape, nvec))
            except ValueError as error:
                raise ValueError(f"{agent}: {error}") from error
        origins = self._origins.argmax(axis=1)
        picks = np.stack(chosen).reshape(len(chosen), len(origins), -1)
        joint: Actions = picks[origins, np.arange(len(origins))].ravel()
        return joint
