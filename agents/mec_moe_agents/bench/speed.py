"""Time of a step, scalar and vector, and where it goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from mec_moe_env.orders import LOOK, START, STEP
from numpy.typing import NDArray

from mec_moe_agents.bench.case import Case, sample_actions
from mec_moe_agents.bench.floor import floor_seconds
from mec_moe_agents.bench.rounds import LONGEST, round_steps
from mec_moe_agents.bench.timing import Stopwatch, per_call
from mec_moe_env.core.buffers import Buffers

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

    All of a step but Gymnasium's API is one compiled call. Observing is timed by calls that only
    observe; acting by calls that step through a world that is not drawn anew, less observing;
    starting by a call that begins episodes; and drawing is what remains of the compiled calls. The
    API, in Python, checks actions, names rows, writes `_key` masks and restarts episodes. All are
    timed in every round and set against its step, for the reason of `vector_rounds`.
    """
    env = case.vector(num_envs)
    play, watch = _player(env, steps), Stopwatch()
    rounds: list[Parts] = []
    with contextlib.ExitStack() as stack:
        for method in COMPILED:
            stack.enter_context(watch.watching("compiled", type(env._simulator), method))
        end = time.perf_counter() + 2 * seconds
        while len(rounds) < ROUNDS or time.perf_counter() < end:
            rounds.append(_parts(env, play, steps, watch))
    return shares_of(rounds)


class Parts(NamedTuple):
    """Seconds of one round's step, all of it and what was timed of its compiled call."""

    total: float
    compiled: float
    starting: float
    """Of an episode, spread over its steps."""
    replaying: float
    """A step through a world that is not drawn anew: acting and observing."""
    observing: float


def _parts(env: Any, play: Callable[[], None], steps: int, watch: Stopwatch) -> Parts:
    simulator = env._simulator
    looks, starts, acts = (np.full(env.num_envs, o, np.int8) for o in (LOOK, START, STEP))
    actions = env.action_space.sample()
    length = min(simulator.episode_steps, LONGEST)

    def spent(orders: NDArray[np.int8], times: int) -> float:
        watch.seconds.clear()
        for _ in range(times):
            simulator.run(orders, _rows, actions)
        return watch.seconds["compiled"] / times

    env.reset()  # What the round before did to the simulator, the environment does not know.
    watch.seconds.clear()
    start = time.perf_counter()
    play()
    total, compiled = time.perf_counter() - start, watch.seconds["compiled"]
    starting = spent(starts, 1)
    fixed = simulator._source.exogenous._replace(fixed=True)
    with patch.object(simulator._source, "exogenous", fixed):
        replaying = spent(acts, length)
    return Parts(
        total=total / steps,
        compiled=compiled / steps,
        starting=starting / (simulator.episode_steps + 1),
        replaying=replaying,
        observing=spent(looks, length),
    )


def shares_of(rounds: Sequence[Parts]) -> dict[str, float]:
    """Return the share of each of `STAGES`, from the medians of what they took of a step.

    What a difference leaves below zero, as noise can where a stage takes next to nothing, is zero.
    """
    of_step = [[part / parts.total for part in parts] for parts in rounds]
    total, compiled, starting, replaying, observing = np.median(of_step, axis=0).tolist()
    acting = max(replaying - observing, 0.0)
    drawing = max(compiled - starting - acting - observing, 0.0)
    stages = (drawing, starting, acting, observing, max(total - compiled, 0.0))
    return {name: stage / sum(stages) for name, stage in zip(STAGES, stages, strict=True)}


def _rows(rows: Buffers) -> Buffers:
    return rows


def _player(env: Any, steps: int) -> Callable[[], None]:
    """Return a function that plays one round."""
    env.reset(seed=0)
    actions = sample_actions(env.action_space)

    def play() -> None:
        for step in range(steps):
            env.step(actions[step % len(actions)])

    return play
