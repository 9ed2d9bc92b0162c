"""Steps per second of the environments beside the floor of their random numbers.

The floor is the time that drawing one step's random numbers takes in the fastest way known, a
NumPy Generator inside a numba kernel, measured in the same run; a step also has to write its
observation, train a model and keep the books. One thread throughout.

    python benchmarks/environments.py [--seconds 2]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

import mec_moe_env
from mec_moe_env.compilation import compiled

SCENARIOS = {"default": 1024, "paper-synthetic": 256, "joint": 128, "digits": 256, "massive": 1}
ACTIONS = 16


@compiled
def draw(rng: np.random.Generator, normals: int, exponentials: int, uniforms: int) -> float:
    """Draw so many numbers and return their sum, so that nothing is optimised away."""
    total = 0.0
    for _ in range(normals):
        total += rng.standard_normal()
    for _ in range(exponentials):
        total += rng.standard_exponential()
    for _ in range(uniforms):
        total += rng.random()
    return total


@dataclass
class Draws:
    """Random numbers of one slot."""

    normals: int
    exponentials: int
    uniforms: int


def draws_of(config: mec_moe_env.OffloadingConfig) -> Draws:
    """Count what a slot of an offloading scenario draws."""
    U, d, k = config.num_tasks, config.feature_dim, config.samples_per_task
    coefficients = U * config.num_servers * config.num_subcarriers
    memoryless = math.isinf(config.doppler_hz)
    synthetic = config.tasks == "synthetic"
    return Draws(
        normals=(0 if memoryless else 2 * coefficients) + (U * d * (k - 1) if synthetic else 0),
        exponentials=coefficients if memoryless else 0,
        uniforms=U * (4 + (d + 1 if synthetic else k)),
    )


def per_call(work: Callable[[], object], seconds: float) -> float:
    """Return the median time of a call, in seconds, over repetitions within `seconds`."""
    work()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def floor_seconds(config: mec_moe_env.OffloadingConfig, seconds: float) -> float:
    """Return the time of drawing one slot's random numbers."""
    rng, need = np.random.default_rng(0), draws_of(config)
    repeat = max(1, 100_000 // (need.normals + need.exponentials + need.uniforms))
    counts = (repeat * need.normals, repeat * need.exponentials, repeat * need.uniforms)
    return per_call(lambda: draw(rng, *counts), seconds / 4) / repeat


def scalar_seconds(scenario: str, seconds: float) -> float:
    """Return the time of a step of `gym.make`'s environment, resets included."""
    env: gym.Env[Any, Any] = gym.make("mec_moe/Offloading-v0", scenario=scenario)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(ACTIONS)]

    def play() -> None:
        for action in actions:
            *_, terminated, _, _ = env.step(action)
            if terminated:
                env.reset()

    return per_call(play, seconds) / ACTIONS


def vector_seconds(scenario: str, num_envs: int, seconds: float) -> float:
    """Return the time per sub-environment of a step of the native vector environment.

    A whole episode counts as one measurement, so that resets and new blocks are in it.
    """
    env = mec_moe_env.OffloadingVectorEnv(num_envs, scenario)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(ACTIONS)]
    steps = min(env.config.horizon + 1, 201)

    def play() -> None:
        for step in range(steps):
            env.step(actions[step % ACTIONS])

    return per_call(play, seconds) / (steps * num_envs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="time per measurement")
    seconds = parser.parse_args().seconds
    print(f"numpy {np.__version__}, gymnasium {gym.__version__}, one thread, random actions")
    heading = (
        "scenario",
        "scalar/s",
        "envs",
        "vector/s",
        "us/step",
        "floor us",
        "drawing",
        "ratio",
    )
    print("{:<16}{:>10}{:>7}{:>11}{:>9}{:>10}{:>9}{:>7}".format(*heading))
    for scenario, num_envs in SCENARIOS.items():
        config = mec_moe_env.OFFLOADING_PRESETS[scenario]
        floor = floor_seconds(config, seconds)
        scalar = scalar_seconds(scenario, seconds)
        vector = vector_seconds(scenario, num_envs, seconds)
        print(
            f"{scenario:<16}{1 / scalar:>10,.0f}{num_envs:>7}{1 / vector:>11,.0f}"
            f"{1e6 * vector:>9.2f}{1e6 * floor:>10.2f}{floor / vector:>9.0%}{vector / floor:>7.1f}"
        )


if __name__ == "__main__":
    main()
