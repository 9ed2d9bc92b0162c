"""Training speed of SB3's PPO on `default` beside the same PPO on a step that costs nothing.

The free environment has the same spaces and hands out constant observations, so that the ratio is
the share of SB3's own speed that the environment leaves. Runs of both alternate, which cancels
what else the machine does. One thread.

    python benchmarks/sb3_training.py [--scenario default] [--updates 3] [--flat]
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from mec_moe_env import OffloadingVectorEnv
from mec_moe_env.sb3 import SB3VecEnv
from mec_moe_env.wrappers import FlatActionVector


@dataclass
class Setting:
    """How PPO runs for one number of environments."""

    num_envs: int
    steps: int
    batch: int
    epochs: int


SETTINGS = (Setting(64, 64, 2048, 10), Setting(1024, 16, 4096, 4))


class FreeVecEnv(SB3VecEnv):
    """The adapter, but for the step: constant observations, no reward, no end."""

    def step_wait(self) -> Any:
        """Return what was returned before."""
        return self._outcome

    def reset(self) -> Any:
        """Keep the first observation for ever."""
        observation = super().reset()
        zeros = np.zeros(self.num_envs, np.float32)
        infos: list[dict[str, Any]] = [{}] * self.num_envs
        self._outcome = observation, zeros, zeros.astype(np.bool_), infos
        return observation


def build(kind: type[SB3VecEnv], scenario: str, setting: Setting, flat: bool) -> SB3VecEnv:
    """Build an adapter of the given kind on the native environment."""
    native = OffloadingVectorEnv(setting.num_envs, scenario, autoreset_mode="same_step")
    return kind(FlatActionVector(native) if flat else native)


def fps(env: VecEnv, setting: Setting, updates: int) -> tuple[float, float]:
    """Return env-steps/s of whole updates and of their collecting part alone, as medians."""
    model = PPO(
        "MultiInputPolicy",
        env,
        n_steps=setting.steps,
        batch_size=setting.batch,
        n_epochs=setting.epochs,
        device="cpu",
        seed=0,
    )
    collecting: list[float] = []
    collect = model.collect_rollouts

    def timed(*args: Any, **kwargs: Any) -> bool:
        start = time.perf_counter()
        went_on = collect(*args, **kwargs)
        collecting.append(time.perf_counter() - start)
        return went_on

    model.collect_rollouts = timed  # type: ignore[method-assign]
    per_update = setting.num_envs * setting.steps
    model.learn(per_update)
    collecting.clear()
    whole: list[float] = []
    for _ in range(updates):
        start = time.perf_counter()
        model.learn(per_update, reset_num_timesteps=False)
        whole.append(time.perf_counter() - start)
    return per_update / statistics.median(whole), per_update / statistics.median(collecting)


def compare(scenario: str, setting: Setting, updates: int, rounds: int, flat: bool) -> None:
    """Print the speeds on the real and on the free environment, and their ratio."""
    speeds: list[NDArray[np.float64]] = []
    for _ in range(rounds):
        real, free = (build(kind, scenario, setting, flat) for kind in (SB3VecEnv, FreeVecEnv))
        speeds.append(np.array([fps(free, setting, updates), fps(real, setting, updates)]))
    (free_whole, free_part), (whole, part) = np.median(speeds, axis=0)
    ratio, ratio_part = np.median([pair[1] / pair[0] for pair in speeds], axis=0)
    print(
        f"{setting.num_envs:>6}{whole:>11,.0f}{free_whole:>11,.0f}{ratio:>8.1%}"
        f"{part:>13,.0f}{free_part:>11,.0f}{ratio_part:>8.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="default")
    parser.add_argument("--updates", type=int, default=3, help="PPO updates per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each kind")
    parser.add_argument("--flat", action="store_true", help="one Discrete action")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"PPO fps on {options.scenario}, one thread, torch {torch.__version__}")
    print(
        f"{'envs':>6}{'fps':>11}{'free':>11}{'ratio':>8}{'collecting':>13}{'free':>11}{'ratio':>8}"
    )
    for setting in SETTINGS:
        compare(options.scenario, setting, options.updates, options.rounds, options.flat)


if __name__ == "__main__":
    main()
