"""Every step of every episode, kept while an agent runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import DMoEVectorEnv, OffloadingVectorEnv
from mec_moe_env.core.buffers import Actions, Entries, Flags, Floats

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Steps:
    """One episode as Minari has it, of T steps: between T + 1 observations lie T of all else."""

    seed: int
    observations: Arrays
    """By entry, (T + 1, size)."""
    actions: NDArray[np.int64]
    """(T, …)."""
    rewards: Floats
    """(T,)."""
    terminations: Flags
    truncations: Flags
    infos: Arrays
    """By key of `info` that `reset` and every step have, (T + 1, …); `action_mask` among them."""


class Tape:
    """A native vector environment that keeps copies of all that it is told and tells.

    One episode of each sub-environment: what follows the first `reset` until the next one.
    """

    def __init__(self, env: OffloadingVectorEnv | DMoEVectorEnv) -> None:
        self._env = env
        self._seeds: Sequence[int] = ()
        self._observations: list[Entries] = []
        self._infos: list[dict[str, Any]] = []
        self._actions: list[Actions] = []
        self._outcomes: list[tuple[Floats, Flags, Flags]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, *, seed: Sequence[int]) -> tuple[Entries, dict[str, Any]]:
        """Begin episodes, and forget those before."""
        observation, info = self._env.reset(seed=list(seed))
        self._seeds, self._actions, self._outcomes = seed, [], []
        self._observations, self._infos = [_copied(observation)], [_copied(info)]
        return observation, info

    def step(self, actions: Actions) -> tuple[Entries, Floats, Flags, Flags, dict[str, Any]]:
        """Advance every sub-environment by one step."""
        self._actions.append(np.array(actions))
        observation, rewards, terminations, truncations, info = self._env.step(actions)
        self._outcomes.append((rewards.copy(), terminations.copy(), truncations.copy()))
        self._observations.append(_copied(observation))
        self._infos.append(_copied(info))
        return observation, rewards, terminations, truncations, info

    @property
    def episodes(self) -> list[Steps]:
        """The episode of each sub-environment."""
        kept = [key for key in self._infos[0] if all(key in info for info in self._infos)]
        observations = {
            key: np.stack([each[key] for each in self._observations], axis=1)
            for key in self._observations[0]
        }
        infos = {key: np.stack([info[key] for info in self._infos], axis=1) for key in kept}
        actions = np.stack(self._actions, axis=1)
        rewards, ends, cuts = (np.stack(each, axis=1) for each in zip(*self._outcomes, strict=True))
        return [
            Steps(
                int(seed),
                {key: each[row] for key, each in observations.items()},
                actions[row],
                rewards[row],
                ends[row],
                cuts[row],
                {key: each[row] for key, each in infos.items()},
            )
            for row, seed in enumerate(self._seeds)
        ]


def _copied(told: Mapping[str, Any]) -> dict[str, Any]:
    """Copy arrays; a key with an underscore says only in which rows the other one has a value."""
    return {key: np.array(value) for key, value in told.items() if not key.startswith("_")}
