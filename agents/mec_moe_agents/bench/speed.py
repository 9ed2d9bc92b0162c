"""Time of a step, scalar and vector, and where it goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.bench.case import Case, sample_actions
from mec_moe_agents.bench.floor import floor_seconds
from mec_moe_agents.bench.rounds import LONGEST, round_steps
from mec_moe_agents.bench.timing import Stopwatch, per_call
from mec_moe_env.orders import LOOK, START, STEP
from mec_moe_env.rows import Rows

ROUNDS = 3
FLOOR_SECONDS = 0.01
STAGES = ("drawing", "starting", "acting", "observing", "API")
COMPILED = ("_prepare", "_call")
Times = NDArray[np.float64]


def scalar_seconds(case: Case, seconds: float) -> float:
    """Return the time of a step of `gym.make`'s environment, resets included."""
    env = case.scalar()
    env.reset(seed=0)
    actions = sample_actions(env.action_space)
    steps = round_steps(case.episode_steps)

    def play() -> None:
        for step in range(steps):
            *_, terminated, truncated, _ = env.step(actions[step % len(actions)])
            if terminated or truncated:
                env.reset()

    play()
    return per_call(play, seconds) / steps


def vector_rounds(
    case: Case, num_envs: int, threads: Sequence[int], seconds: float, steps: int
) -> Times:
    """Measure a step of one of `num_envs` sub-environments, on each number of threads in turn.

    The speed of a shared machine changes from second to second: the floor and all numbers of
    threads are measured in every round, so that ratios within a round mean something.

    Returns:
        Seconds by round, (rounds, 1 + len(threads)): the floor, then a step on so many threads.
    """
    with contextlib.ExitStack() as stack:
        players = []
        for count in threads:
            env = stack.enter_context(contextlib.closing(case.vector(num_envs, count)))
            players.append(_player(env, steps))
            env.step(env.action_space.sample())
        rounds: list[list[float]] = []
        end = time.perf_counter() + seconds * len(threads)
        while len(rounds) < ROUNDS or time.perf_counter() < end:
            floor = floor_seconds(case.config, FLOOR_SECONDS)
            taken = [per_call(play, 0.0, least=1) / (steps * num_envs) for play in players]
            rounds.append([floor, *taken])
    return np.array(rounds)


def stage_shares(case: Case, num_envs: int, seconds: float, steps: int) -> dict[str, float]:
    """Return the share of each of `STAGES` in a step of the vector environment, one thread.

    All of a step but Gymnasium's API is one compiled call. Observing is timed by a call that only
    observes; acting by one that steps through a world that is not drawn anew, less observing;
    starting by one that begins episodes; and drawing is what remains of the compiled calls. The
    API, in Python, checks actions, names rows, writes `_key` masks and restarts episodes.
    """
    env = case.vector(num_envs)
    play = _player(env, steps)
    env.step(env.action_space.sample())
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for method in COMPILED:
            stack.enter_context(watch.watching("compiled", type(env._simulator), method))
        total, compiled = (time / steps for time in _median_seconds(watch, play, seconds))
        observing, starting, replaying = _parts(env, watch, seconds)
    return _shares(total, compiled, observing, starting / (case.episode_steps + 1), replaying)


def _parts(env: Any, watch: Stopwatch, seconds: float) -> tuple[float, float, float]:
    """Return the compiled time to observe, to begin episodes, and to step undrawn."""
    simulator = env._simulator
    looks, starts, steps = (np.full(env.num_envs, o, np.int8) for o in (LOOK, START, STEP))
    actions = env.action_space.sample()
    length = min(simulator.episode_steps, LONGEST)

    def replay() -> None:
        simulator.run(starts, _rows)
        watch.seconds.clear()
        for _ in range(length):
            simulator.run(steps, _rows, actions)

    observing = _median_seconds(watch, lambda: simulator.run(looks, _rows), seconds / 3)[1]
    starting = _median_seconds(watch, lambda: simulator.run(starts, _rows), seconds / 3)[1]
    fixed = simulator._source.exogenous._replace(fixed=True)
    with patch.object(simulator._source, "exogenous", fixed):
        replaying = _median_seconds(watch, replay, seconds / 3)[1] / length
    return observing, starting, replaying


def _median_seconds(
    watch: Stopwatch, work: Callable[[], object], seconds: float
) -> tuple[float, float]:
    """Return the median time of a call on the clock, and within it in what `watch` watches."""
    spent: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while len(spent) < ROUNDS or time.perf_counter() < end:
        watch.seconds.clear()
        start = time.perf_counter()
        work()
        spent.append((time.perf_counter() - start, watch.seconds["compiled"]))
    total, compiled = np.median(spent, axis=0).tolist()
    return total, compiled


def _rows(rows: Rows) -> Rows:
    return rows


def _shares(
    total: float, compiled: float, observing: float, starting: float, replaying: float
) -> dict[str, float]:
    acting = max(replaying - observing, 0.0)
    drawing = max(compiled - starting - acting - observing, 0.0)
    parts = (drawing, starting, acting, observing, max(total - compiled, 0.0))
    return {name: part / sum(parts) for name, part in zip(STAGES, parts, strict=True)}


def _player(env: Any, steps: int) -> Callable[[], None]:
    """Return a function that plays one round."""
    env.reset(seed=0)
    actions = sample_actions(env.action_space)

    def play() -> None:
        for step in range(steps):
            env.step(actions[step % len(actions)])

    return play
