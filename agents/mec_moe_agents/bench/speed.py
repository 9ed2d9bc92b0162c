"""Time of a step, scalar and vector, and where it goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from mec_moe_agents.bench.case import Case, sample_actions
from mec_moe_agents.bench.rounds import round_steps
from mec_moe_agents.bench.timing import Stopwatch, per_call
from mec_moe_env.dmoe.exogenous import RadioWorld
from mec_moe_env.dmoe.gates import DigitGates, RandomGates, TraceGates
from mec_moe_env.dmoe.simulator import DMoESimulator
from mec_moe_env.dmoe.toy import ToyWorld as DMoEToyWorld
from mec_moe_env.offloading.exogenous import RandomWorld
from mec_moe_env.offloading.simulator import OffloadingSimulator
from mec_moe_env.offloading.toy import ToyWorld

LOOKS = 3
MANY = 1024
"""From this many sub-environments on one round is long enough to measure."""
STAGES = ("drawing", "starting", "acting", "observing", "API")
SIMULATORS = (OffloadingSimulator, DMoESimulator)
WORLDS = (RandomWorld, RadioWorld, ToyWorld, DMoEToyWorld)
GATES = (RandomGates, TraceGates, DigitGates)
WATCHED: tuple[tuple[str, type, str], ...] = (
    *(("drawing", world, method) for world in WORLDS for method in ("start", "refill")),
    *(("drawing", gates, "start") for gates in GATES),
    *(("starting", simulator, "start") for simulator in SIMULATORS),
    *(("looking", simulator, "look") for simulator in SIMULATORS),
    *(("advancing", simulator, "advance") for simulator in SIMULATORS),
)
"""Which method's own time belongs to what."""


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


def vector_seconds(
    case: Case, num_envs: int, num_threads: int, seconds: float, steps: int
) -> float:
    """Return the time per sub-environment of a step of the vector environment, `steps` a round."""
    env = case.vector(num_envs, num_threads)
    play = _player(env, steps)
    env.step(env.action_space.sample())
    try:
        rounds = 1 if num_envs >= MANY else 3
        return per_call(play, seconds, least=rounds) / (steps * num_envs)
    finally:
        env.close()


def stage_shares(case: Case, num_envs: int, seconds: float, steps: int) -> dict[str, float]:
    """Return the share of each of `STAGES` in a step of the vector environment, one thread.

    Drawing the world, at the start of episodes and block by block; starting, the rest of what an
    episode's start costs; acting; observing, that is writing observations, masks and infos; and
    what Gymnasium's API costs in Python: checking actions, `_key` masks, autoreset. Acting and
    observing are one compiled call, so that observing is taken to last as long as an observation
    without an action.
    """
    env = case.vector(num_envs)
    play = _player(env, steps)
    env.step(env.action_space.sample())
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for watched in WATCHED:
            stack.enter_context(watch.watching(*watched))
        for _ in range(LOOKS):
            env.reset()
        look = watch.seconds["looking"] / LOOKS
        watch.seconds.clear()
        start, rounds = time.perf_counter(), 0
        while rounds == 0 or time.perf_counter() - start < seconds:
            play()
            rounds += 1
        total = time.perf_counter() - start
    return _shares(watch.seconds, look * rounds * steps, total)


def _shares(spent: Mapping[str, float], looking: float, total: float) -> dict[str, float]:
    observing = min(looking, spent["advancing"])
    stages = {
        "drawing": spent["drawing"],
        "starting": spent["starting"],
        "acting": spent["advancing"] - observing,
        "observing": observing + spent["looking"],
    }
    stages["API"] = max(total - sum(stages.values()), 0.0)
    return {name: stages[name] / total for name in STAGES}


def _player(env: Any, steps: int) -> Callable[[], None]:
    """Return a function that plays one round."""
    env.reset(seed=0)
    actions = sample_actions(env.action_space)

    def play() -> None:
        for step in range(steps):
            env.step(actions[step % len(actions)])

    return play
