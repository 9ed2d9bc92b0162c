"""What is measured: a preset, the steps of one measurement, its time and its memory."""

from __future__ import annotations

import gc
import math
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.naming import NEEDS_FILES, SEPARATOR, parse_scenarios, presets
from mec_moe_env import DMoEConfig, OffloadingConfig

MOST_ACTIONS, ACTION_BYTES = 16, 1 << 25
"""Random actions that are repeated in turn: fewer where they are large."""
SHORTEST, LONGEST = 50, 200
FEWEST = 20
"""Steps of a round that is cut because it would take too long."""
SAMPLE = 3
"""Sub-environments from which the memory of one is told."""


@dataclass(frozen=True)
class Case:
    """A preset and how to build its environments."""

    preset: str
    config: OffloadingConfig | DMoEConfig

    @property
    def name(self) -> str:
        """`Offloading default`, say."""
        return f"{environment_of(self.config).id.split('/')[1].split('-')[0]} {self.preset}"

    def scalar(self) -> gym.Env[Any, Any]:
        """Build what a user gets, with Gymnasium's own wrappers."""
        return gym.make(environment_of(self.config).id, scenario=self.config)

    def vector(self, num_envs: int, num_threads: int = 1) -> Any:
        """Build the native vector environment."""
        build: Any = environment_of(self.config).vector
        return build(num_envs, self.config, num_threads=num_threads)


def find_cases(scenarios: Sequence[str], files: Sequence[Path] = ()) -> list[Case]:
    """Return the cases of these scenarios and files; all that need no files if there are none.

    Raises:
        ValueError: there is no scenario of that name, or it needs files.
    """
    if NEEDS_FILES in scenarios:
        raise ValueError(f"scenario {NEEDS_FILES!r} needs files that are not in this package")
    asked = bool(scenarios or files)
    configs = parse_scenarios(",".join(scenarios), files=files) if asked else presets()
    return [
        Case(name.rpartition(SEPARATOR)[2], config)
        for name, config in configs.items()
        if name != NEEDS_FILES
    ]


def round_steps(episode_steps: int, affordable: float = math.inf) -> int:
    """Return the steps of one measurement: whole episodes, resets included, unless they are long.

    The vector environment takes one step more than the episode has: the one that resets.

    Args:
        episode_steps: steps of an episode.
        affordable: steps beyond which a round is cut, as far as it stays a fair share.
    """
    period = episode_steps + 1
    if period < SHORTEST:
        wanted = -(-SHORTEST // period) * period
        return max(int(min(wanted, affordable)) // period, 1) * period
    return int(min(period, LONGEST + 1, max(affordable, FEWEST)))


def player(env: Any, steps: int) -> Callable[[], None]:
    """Return a function that plays a round of an environment, scalar or vector."""
    env.reset(seed=0)
    space = env.action_space
    space.seed(0)
    first = space.sample()
    count = min(MOST_ACTIONS, max(2, ACTION_BYTES // max(np.asarray(first).nbytes, 1)))
    actions = [first, *(space.sample() for _ in range(count - 1))]
    restarts = isinstance(env, gym.vector.VectorEnv)

    def play() -> None:
        for step in range(steps):
            *_, terminated, truncated, _ = env.step(actions[step % len(actions)])
            if not restarts and (terminated or truncated):
                env.reset()

    return play


def per_call(work: Callable[[], object], seconds: float, least: int = 3) -> float:
    """Return the median time of a call in seconds, over `seconds` and at least `least` calls."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < least:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def step_seconds(env: Any, steps: int, seconds: float) -> float:
    """Return the time of a step of one environment, or of one in a vector, resets included."""
    play = player(env, steps)
    play()
    return per_call(play, seconds) / (steps * getattr(env, "num_envs", 1))


def bytes_per_env(case: Case) -> int:
    """Return what one more sub-environment takes: state, channel memory, streams, generator.

    What all share, such as images, and what a step hands out are not counted.
    """
    case.vector(1).reset(seed=0)  # what is compiled or loaded once does not count
    return max(reserved_bytes(case, SAMPLE) - reserved_bytes(case, 1), 0) // (SAMPLE - 1)


def reserved_bytes(case: Case, num_envs: int) -> int:
    """Return what a vector environment asks for; pages that it never touches are counted too."""
    gc.collect()
    tracemalloc.start()
    try:
        env: Any = case.vector(num_envs)
        env.reset(seed=0)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
