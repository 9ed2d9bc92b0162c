"""Training runs of a second."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from mec_moe_agents.training.plan import Plan
from mec_moe_agents.training.run import train
from mec_moe_agents.training.run_folder import Progress, open_run
from numpy.typing import NDArray

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from mec_moe_env.files import read_arrays

SEGMENT = 80
TINY = {"num_envs": 4, "steps_per_leg": SEGMENT, "width": 8, "rollout_steps": 10}
MORE: dict[str, dict[str, Any]] = {
    "ppo": {"epochs": 2, "batch_size": 20},
    "maskable-ppo": {"epochs": 2, "batch_size": 20},
    "recurrent-ppo": {"epochs": 2, "batch_size": 20, "lstm_size": 4},
    "a2c": {},
    # A buffer that is full before the run ends, and learning that begins within the first segment.
    "dqn": {"replay_steps": 100, "first_update": 40, "exploration_steps": 200, "batch_size": 16},
}


class Silent:
    """Watches, and tells the test what it saw."""

    def __init__(self) -> None:
        self.steps = 0
        self.evaluations = 0

    def began(self, done: int, total: int, same_code: bool) -> None:
        self.steps = done

    def stepped(self, steps: int) -> None:
        self.steps += steps

    def evaluated(self, progress: Progress) -> None:
        self.evaluations += 1


def tiny_plan(
    algo: str = "ppo", env: str = "offloading", policy: str = "mlp", **fields: Any
) -> Plan:
    """An episode of 20 slots, or four layers, and segments of 80 steps."""
    scenario = "default" if env == "offloading" else "toy"
    config: Any = (
        OFFLOADING_PRESETS["default"].override(horizon=20)
        if env == "offloading"
        else DMOE_PRESETS["toy"]
    )
    plan = Plan.tuned(algo, config, scenario, policy, {**TINY, **MORE[algo]}, validation_episodes=4)
    return dataclasses.replace(plan, **fields)


def run(plan: Plan, folder: Path, steps: int, watcher: Any = None) -> Progress:
    open_run(folder, plan)
    return train(plan, folder, steps, watcher or Silent())


def contents(folder: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a run's checkpoints."""
    return {
        f"{checkpoint}/{file.stem}/{key}": value
        for checkpoint in ("best", "last")
        for file in sorted((folder / checkpoint).glob("*.npz"))
        for key, value in read_arrays(file).items()
    }


def assert_same(one: Path, other: Path) -> None:
    """The runs' weights, optimizers and evaluations are equal, bit for bit."""
    first, second = contents(one), contents(other)
    assert first.keys() == second.keys()
    assert first
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)
    assert returns(one) == returns(other)


def returns(folder: Path) -> list[str]:
    """The evaluations as they are on disk, without the times."""
    lines = (folder / "evaluations.csv").read_text().splitlines()
    return [line.rpartition(",")[0] for line in lines]
