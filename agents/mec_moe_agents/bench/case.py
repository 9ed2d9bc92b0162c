"""One preset of one environment, as it is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from mec_moe_env import (
    DMOE_PRESETS,
    OFFLOADING_PRESETS,
    DMoEConfig,
    DMoEVectorEnv,
    OffloadingConfig,
    OffloadingVectorEnv,
)
from mec_moe_env.config import suggest

NEEDS_FILES = frozenset({"mnist"})
ACTION_BYTES = 1 << 25


@dataclass(frozen=True)
class Case:
    """A preset and how to build its environments."""

    id: str
    preset: str
    config: OffloadingConfig | DMoEConfig

    @property
    def name(self) -> str:
        """`Offloading default`, say."""
        return f"{self.id.split('/')[1].split('-')[0]} {self.preset}"

    @property
    def episode_steps(self) -> int:
        """Steps of an episode."""
        config = self.config
        return config.horizon if isinstance(config, OffloadingConfig) else config.num_layers

    def scalar(self) -> gym.Env[Any, Any]:
        """Build what a user gets, with Gymnasium's own wrappers."""
        return gym.make(self.id, scenario=self.config)

    def vector(self, num_envs: int, num_threads: int = 1) -> Any:
        """Build the native vector environment."""
        if isinstance(self.config, OffloadingConfig):
            return OffloadingVectorEnv(num_envs, self.config, num_threads=num_threads)
        return DMoEVectorEnv(num_envs, self.config, num_threads=num_threads)


def find_cases(presets: Sequence[str]) -> list[Case]:
    """Return the cases of these presets in both environments; all that need no files if empty.

    Raises:
        ValueError: no environment has a preset of that name.
    """
    known = [*OFFLOADING_PRESETS, *DMOE_PRESETS]
    for name in presets:
        if name not in known:
            raise ValueError(f"unknown preset {name!r}: {suggest(name, known)}")
        if name in NEEDS_FILES:
            raise ValueError(f"preset {name!r} needs files that are not in this package")
    wanted = set(presets or known) - NEEDS_FILES
    return [case for case in _all_cases() if case.preset in wanted]


def _all_cases() -> Iterator[Case]:
    for name, offloading in OFFLOADING_PRESETS.items():
        yield Case("mec_moe/Offloading-v0", name, offloading)
    for name, dmoe in DMOE_PRESETS.items():
        yield Case("mec_moe/DMoE-v0", name, dmoe)


def sample_actions(space: gym.Space[Any], most: int = 16) -> list[Any]:
    """Draw random actions to repeat in turn: fewer where they are large."""
    space.seed(0)
    first = space.sample()
    count = min(most, max(2, ACTION_BYTES // max(np.asarray(first).nbytes, 1)))
    return [first, *(space.sample() for _ in range(count - 1))]
