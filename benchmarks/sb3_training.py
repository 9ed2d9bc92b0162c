"""Training speed of SB3's PPO on `default` beside the same PPO on a step that costs nothing.

The free environment has the same spaces and hands out constant observations, so that the ratio is
the share of SB3's own speed that the environment leaves. With --flat a third trains on one
Discrete, to show what `FlatAction` gains over two components. Updates alternate, which cancels what
else the machine does; intervals are bootstraps of the mean of the paired ratios.

    python benchmarks/sb3_training.py [--scenario default] [--rounds 60] [--flat] [--device cuda]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mec_moe_agents.evaluation.statistics import estimate_mean
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


def build(
    kind: type[SB3VecEnv], options: argparse.Namespace, setting: Setting, flat: bool
) -> SB3VecEnv:
    """Build an adapter of the given kind on the native environment."""
    native = OffloadingVectorEnv(
        setting.num_envs,
        options.scenario,
        num_threads=options.threads,
        autoreset_mode="same_step",
    )
    return kind(FlatActionVector(native) if flat else native)


class Trainer:
    """PPO on one environment, timed update by update."""

    def __init__(self, env: VecEnv, setting: Setting, device: str) -> None:
        """Build the model; the first update is not timed."""
        self._model = PPO(
            "MultiInputPolicy",
            env,
            n_steps=setting.steps,
            batch_size=setting.batch,
            n_epochs=setting.epochs,
            device=device,
            seed=0,
        )
        self._per_update = setting.num_envs * setting.steps
        self._collecting = 0.0
        self._collect = self._model.collect_rollouts
        self._model.collect_rollouts = self._timed  # type: ignore[method-assign]
        self._model.learn(self._per_update)

    def update(self) -> tuple[float, float]:
        """Return env-steps/s of one more update and of its collecting part alone."""
        start = time.perf_counter()
        self._model.learn(self._per_update, reset_num_timesteps=False)
        whole = time.perf_counter() - start
        return self._per_update / whole, self._per_update / self._collecting

    def _timed(self, *args: Any, **kwargs: Any) -> bool:
        start = time.perf_counter()
        went_on = self._collect(*args, **kwargs)
        self._collecting = time.perf_counter() - start
        return went_on


def compare(options: argparse.Namespace, setting: Setting) -> None:
    """Print the speeds on the real and on the free environment, and the paired ratios."""
    kinds = [(SB3VecEnv, False), (FreeVecEnv, False)] + [(SB3VecEnv, True)] * options.flat
    trainers = [
        Trainer(build(kind, options, setting, flat), setting, options.device)
        for kind, flat in kinds
    ]
    rounds = [[trainer.update() for trainer in trainers] for _ in range(options.rounds)]
    (real, free, *flat), (part, free_part, *_) = np.array(rounds).T
    print(
        f"{setting.num_envs:>6}{np.median(real):>9,.0f}{np.median(free):>9,.0f}"
        f"{_interval(real / free):>24}{np.median(part):>12,.0f}{np.median(free_part):>9,.0f}"
        + "".join(f"{_interval(speed / real):>24}" for speed in flat),
        flush=True,
    )


def _interval(ratios: NDArray[np.float64]) -> str:
    mean = estimate_mean(ratios)
    return f"{mean.mean:.1%} [{mean.low:.1%}, {mean.high:.1%}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="default")
    parser.add_argument("--rounds", type=int, default=60, help="updates of each, in turn")
    parser.add_argument("--flat", action="store_true", help="also train on one Discrete action")
    parser.add_argument("--device", default="cpu", help="where the policy is trained")
    parser.add_argument("--threads", type=int, default=1, help="of torch and of the environment")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(
        f"PPO fps on {options.scenario}, {options.device}, "
        f"{options.threads} thread(s), torch {torch.__version__}"
    )
    print(
        f"{'envs':>6}{'fps':>9}{'free':>9}{'of free, 95 %':>24}"
        f"{'collecting':>12}{'free':>9}" + f"{'FlatAction, of fps':>24}" * options.flat
    )
    for setting in SETTINGS:
        compare(options, setting)


if __name__ == "__main__":
    main()
