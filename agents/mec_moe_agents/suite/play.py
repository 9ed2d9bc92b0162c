"""Whole episodes with everything kept: actions, rewards, and the time of each decision."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Agent
from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.rollout import Episodes, batches, run_episodes
from mec_moe_agents.suite.actions import compact, widened
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats

Factory = Callable[[Any, Sequence[int]], Agent]
"""Builds an agent for a native vector environment and the seeds of its rows."""


@dataclass(frozen=True)
class Recording:
    """n episodes of T steps with actions of A entries."""

    episodes: Episodes
    actions: NDArray[Any]
    """(n, T, A), unsigned integers as small as possible."""
    rewards: Floats
    """(n, T)."""
    seconds: Floats
    """(n, T), the time of the call that decided, divided by the rows it decided for."""

    @property
    def returns(self) -> Floats:
        """Sum of the rewards of each episode, (n,), in the order of the steps."""
        return self.episodes.metrics["return"]


class _Watched:
    """An environment whose rewards are kept; otherwise the environment itself."""

    def __init__(self, env: Any) -> None:
        self._env = env
        self.config = env.config
        self.rewards: list[Floats] = []

    def reset(self, **options: Any) -> Any:
        return self._env.reset(**options)

    def step(self, action: Any) -> Any:
        result = self._env.step(action)
        self.rewards.append(np.array(result[1]))
        return result


class _Recorder:
    """An agent whose actions and times are kept."""

    def __init__(self, agent: Agent, rows: int, nvec: Any) -> None:
        self._agent, self._rows, self._nvec = agent, rows, nvec
        self.actions: list[NDArray[Any]] = []
        self.seconds: list[float] = []

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, **options: Any
    ) -> tuple[NDArray[Any], Any]:
        begin = time.perf_counter()
        action, state = self._agent.predict(observation, state, episode_start, **options)
        self.seconds.append((time.perf_counter() - begin) / self._rows)
        self.actions.append(compact(action, self._nvec))
        return np.asarray(action), state


class Script:
    """An agent that plays given actions, (n, T, A), whatever it sees."""

    def __init__(self, actions: NDArray[Any]) -> None:
        self._actions = actions

    def predict(
        self,
        observation: Any,
        state: int | None = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.int64], int]:
        """Return the actions of the next step, (n, A), and its number."""
        step = state or 0
        return widened(self._actions[:, step]), step + 1


def play(
    factory: Factory,
    config: Config,
    seeds: Sequence[int],
    *,
    threads: int = 1,
    batch: int | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Recording:
    """Run an agent on one episode per seed and keep everything.

    Args:
        factory: called for each batch.
        config: the scenario.
        seeds: at least one.
        threads: of the environment.
        batch: most episodes at a time; what fits in memory if None. Episodes depend neither on
            it nor on the threads.
        on_step: called after each step with the number of environment steps it made.

    Raises:
        ValueError: an action lies outside the space.
    """
    most = batch or len(seeds)
    chunks = [
        chunk
        for start in range(0, len(seeds), most)
        for chunk in batches(config, seeds[start : start + most])
    ]
    parts = [_play_batch(factory, config, chunk, threads, on_step) for chunk in chunks]
    return Recording(
        Episodes.concatenate([part.episodes for part in parts]),
        np.concatenate([part.actions for part in parts]),
        np.concatenate([part.rewards for part in parts]),
        np.concatenate([part.seconds for part in parts]),
    )


def _play_batch(
    factory: Factory,
    config: Config,
    seeds: Sequence[int],
    threads: int,
    on_step: Callable[[int], None] | None,
) -> Recording:
    build: Any = environment_of(config).vector
    env = build(len(seeds), config, num_threads=threads)
    watched: Any = _Watched(env)
    recorder: Any = _Recorder(factory(env, seeds), len(seeds), env.single_action_space.nvec)
    episodes = run_episodes(recorder, watched, seeds, on_step)
    env.close()
    seconds = np.tile(np.array(recorder.seconds), (len(seeds), 1))
    actions, rewards = np.stack(recorder.actions, axis=1), np.stack(watched.rewards, axis=1)
    return Recording(episodes, actions, rewards, seconds)


def replay(
    actions: NDArray[Any], config: Config, seeds: Sequence[int], *, threads: int = 1
) -> Recording:
    """Play given actions, (n, T, A), on one episode per seed.

    Raises:
        ValueError: an action lies outside the space.
    """
    row = {seed: index for index, seed in enumerate(seeds)}
    return play(
        lambda env, chunk: Script(actions[[row[seed] for seed in chunk]]),
        config,
        seeds,
        threads=threads,
    )
