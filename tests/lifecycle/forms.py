"""The three forms of an environment, told alike: scalar ones, the native vector, SyncVectorEnv."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.autoreset import AutoresetMode
from tests.environments.catalogue import DMOE, OFFLOADING, SCALAR, VECTOR
from tests.environments.peers import sync_vector

NUM_ENVS = 3
ROWS = (0, 2)
"""Those that are rendered."""
Observation = dict[str, NDArray[np.float32]]
Actions = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Case(NamedTuple):
    """A scenario whose episodes end after a few steps."""

    id: str
    scenario: str
    options: dict[str, Any]


CASES = (
    Case(OFFLOADING, "default", {"horizon": 5, "failure_rate": 0.2, "num_servers": 4}),
    Case(OFFLOADING, "joint", {"horizon": 4}),
    Case(OFFLOADING, "toy", {}),
    Case(DMOE, "default", {"num_layers": 3, "failure_rate": 0.3, "csi_delay": 1}),
    Case(DMOE, "toy", {}),
)


def make_native(case: Case, mode: AutoresetMode, threads: int) -> Any:
    """Build the native vector environment."""
    return VECTOR[case.id](
        NUM_ENVS,
        case.scenario,
        autoreset_mode=mode,
        num_threads=threads,
        render_mode="ansi",
        render_rows=ROWS,
        **case.options,
    )


def make_scalar(case: Case) -> Any:
    """Build a scalar environment."""
    return SCALAR[case.id](case.scenario, render_mode="ansi", **case.options)


def make_sync(case: Case, mode: AutoresetMode) -> Any:
    """Build Gymnasium's vector environment over scalar ones."""
    return sync_vector([lambda: make_scalar(case)] * NUM_ENVS, mode)


class Scalars:
    """Scalar environments, restarted by hand as an autoreset mode says."""

    def __init__(self, case: Case, mode: AutoresetMode) -> None:
        self.envs = [make_scalar(case) for _ in range(NUM_ENVS)]
        self._mode = mode
        self.over = np.zeros(NUM_ENVS, np.bool_)
        """Who has to begin an episode before anything else."""

    def reset(self, seeds: Sequence[int | None], chosen: Flags) -> list[Observation | None]:
        """Reset those chosen; return what they show."""
        self.over &= ~chosen
        return [
            env.reset(seed=seed)[0] if mine else None
            for env, seed, mine in zip(self.envs, seeds, chosen, strict=True)
        ]

    def step(self, actions: Actions) -> list[tuple[Observation, float, bool]]:
        """Return what each shows, its reward, and whether its episode ended."""
        results = [self._step(row, action) for row, action in enumerate(actions)]
        ended = np.array([result[2] for result in results])
        self.over = np.zeros_like(ended) if self._mode is AutoresetMode.SAME_STEP else ended
        return results

    def _step(self, row: int, action: Actions) -> tuple[Observation, float, bool]:
        env = self.envs[row]
        if self.over[row]:
            return env.reset()[0], 0.0, False
        observation, reward, ended, _, _ = env.step(action)
        if ended and self._mode is AutoresetMode.SAME_STEP:
            observation, _ = env.reset()
        return observation, reward, ended
