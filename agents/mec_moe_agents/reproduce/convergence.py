"""When a router has converged, and the least number of servers with which it does.

Li & Duan 2024 call the gate converged when every expert has become that of one type of tasks and
the router sends each type to its own experts. Both can be seen without looking into a gate, so that
routers of any kind can be compared: a task is *at home* on a server whose last training was of the
task's own type. It then overwrites nobody's model. All other tasks go *astray*: to an untrained
server, to one of another type, or nowhere at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Agent
from mec_moe_agents.evaluation.rollout import Episodes, run_episodes
from mec_moe_agents.evaluation.statistics import LEVEL, RESAMPLES, Estimate, resampled_means
from mec_moe_agents.registry import make_agent
from mec_moe_env import OffloadingConfig, OffloadingVectorEnv, foresight
from mec_moe_env.core.buffers import Flags, Floats, Integers

WINDOW = 300
"""Tasks in a row that are judged together: a tenth of the paper's horizon."""
UNTRAINED = -1


class Routing(NamedTuple):
    """Episodes of a router, and which of their tasks were at home."""

    episodes: Episodes
    at_home: Flags
    """(n, T)."""


class Watched:
    """An agent, and a record of whether its tasks are at home; U = D = 1.

    Args:
        agent: whose picks are watched.
        types: of the tasks to come, (n, T).
        num_servers: M.
    """

    def __init__(self, agent: Agent, types: Integers, num_servers: int) -> None:
        self._agent = agent
        self._types = types
        # The last place is of tasks that nobody takes.
        self._learned = np.full((len(types), num_servers + 1), UNTRAINED)
        self._pending = np.full_like(self._learned, UNTRAINED)
        self._slot = 0
        self.at_home = np.zeros(types.shape, np.bool_)

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[Any, Any]:
        """Let the agent act on a slot, and note where its tasks go."""
        action, state = self._agent.predict(observation, state, episode_start, deterministic)
        self.note(np.asarray(observation["completed"]) > 0, action[:, 0])
        return action, state

    def note(self, completed: Flags, chosen: Integers) -> None:
        """Note whose training ended in the slot before, (n, M), and who takes the tasks, (n,).

        Work that is lost in a failure never completes, and changes no model.
        """
        rows, types = np.arange(len(chosen)), self._types[:, self._slot]
        np.copyto(self._learned[:, :-1], self._pending[:, :-1], where=completed)
        self.at_home[:, self._slot] = self._learned[rows, chosen] == types
        self._pending[rows, chosen] = types
        self._slot += 1


def types_of(config: OffloadingConfig, seeds: Sequence[int]) -> Integers:
    """Return the types of the tasks of each episode, (n, T), which no number of servers changes."""
    small = config.override(num_servers=1, num_subcarriers=1)
    return np.stack([foresight(small, seed).types[:, 0] for seed in seeds])


def watch(router: str, config: OffloadingConfig, seeds: Sequence[int], types: Integers) -> Routing:
    """Run a router on one episode per seed, whose tasks have these types, (n, T)."""
    env = OffloadingVectorEnv(len(seeds), config)
    watched = Watched(make_agent(router, env, seed=seeds), types, config.num_servers)
    episodes = run_episodes(watched, env, seeds, name=router)
    env.close()
    return Routing(episodes, watched.at_home)


def strays(at_home: Flags, window: int) -> Integers:
    """Return how many of the `window` tasks from each slot on are not at home, (n, T − window + 1).

    Raises:
        ValueError: an episode is shorter than the window.
    """
    if not 1 <= window <= at_home.shape[1]:
        raise ValueError(f"window = {window} is not allowed: 1..{at_home.shape[1]}, T")
    sums = np.cumsum(np.pad(~at_home, ((0, 0), (1, 0))), axis=1, dtype=np.int64)
    return np.asarray(sums[:, window:] - sums[:, :-window])


def converged_from(at_home: Flags, window: int, tolerance: float) -> Floats:
    """Return from which slot on each episode, (n, T), has converged for good, (n,); NaN is never.

    The first slot from which on, up to the end, no `window` tasks in a row have more than a share
    `tolerance` that are not at home.
    """
    fine = strays(at_home, window) <= tolerance * window
    lasting = np.logical_and.accumulate(fine[:, ::-1], axis=1)[:, ::-1]
    return _first(lasting)


def first_reached(at_home: Flags, window: int, tolerance: float) -> Floats:
    """Return the first slot from which on `window` tasks are as if converged, (n,); NaN is never.

    Later ones may not be.
    """
    return _first(strays(at_home, window) <= tolerance * window)


def _first(flags: Flags) -> Floats:
    return np.where(flags.any(axis=1), flags.argmax(axis=1), np.nan)


def estimate_least(
    servers: Sequence[int], converged: Flags, failure_probability: float
) -> Estimate:
    """Estimate the least M with which a share 1 − δ of the episodes converges.

    The interval (95 %, percentiles of the bootstrap) resamples the seeds, the same for all M. NaN
    stands for none of these M.

    Args:
        servers: K numbers of servers, ascending.
        converged: (n, K).
        failure_probability: δ.
    """

    def least(shares: Floats) -> NDArray[np.int64]:
        enough = shares >= 1.0 - failure_probability - 1e-9
        return np.where(enough.any(axis=1), enough.argmax(axis=1), len(servers))

    return _estimate_choice(servers, converged.astype(np.float64), least)


def estimate_best(servers: Sequence[int], errors: Floats) -> Estimate:
    """Estimate the M with the least mean error, (n, K), with its interval as above."""
    return _estimate_choice(servers, errors, lambda means: means.argmin(axis=1))


def _estimate_choice(
    servers: Sequence[int], values: Floats, choose: Callable[[Floats], NDArray[np.int64]]
) -> Estimate:
    """Estimate what is chosen among K numbers, by its place, from means (·, K); place K is none."""
    chosen = choose(values.mean(axis=0, keepdims=True))
    named = np.array([*servers, np.nan])
    if len(values) < 2:
        return Estimate(float(named[chosen[0]]))
    tail = (1.0 - LEVEL) / 2.0
    resamples = choose(resampled_means(values, RESAMPLES))
    low, high = np.quantile(resamples, [tail, 1.0 - tail], method="inverted_cdf")
    return Estimate(*(float(named[place]) for place in (chosen[0], low, high)))
