"""Training runs of a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mec_moe_agents.learning.defaults import hyperparameters_for
from mec_moe_agents.learning.plan import Plan
from mec_moe_agents.learning.records import Progress
from mec_moe_agents.learning.run_folder import open_run
from mec_moe_agents.learning.training import train
from safetensors.numpy import load_file

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS

LEG = 80
TINY = {"num_envs": 4, "steps_per_leg": LEG, "width": 8, "rollout_steps": 10}
MORE: dict[str, dict[str, Any]] = {
    "ppo": {"epochs": 2, "batch_size": 20},
    "maskable-ppo": {"epochs": 2, "batch_size": 20},
    "recurrent-ppo": {"epochs": 2, "batch_size": 20, "lstm_size": 4},
    "a2c": {},
    # A buffer that is full before the run ends, and learning that begins within the first leg.
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
    """An episode of 20 slots, or four layers, and legs of 80 steps."""
    scenario = "default" if env == "offloading" else "toy"
    config: Any = (
        OFFLOADING_PRESETS["default"].override(horizon=20)
        if env == "offloading"
        else DMOE_PRESETS["toy"]
    )
    hyperparameters = hyperparameters_for(algo, policy, env, scenario, {**TINY, **MORE[algo]})
    given: dict[str, Any] = {
        "env": env,
        "scenario": scenario,
        "config": config,
        "algo": algo,
        "policy": policy,
        "hyperparameters": hyperparameters,
        "validation_episodes": 4,
    }
    return Plan(**given | fields)


def run(plan: Plan, folder: Path, steps: int, watcher: Any = None) -> Progress:
    open_run(folder, plan)
    return train(plan, folder, steps, watcher or Silent())


def contents(folder: Path) -> dict[str, Any]:
    """All arrays of a run's checkpoints."""
    arrays: dict[str, Any] = {}
    for file in sorted(folder.glob("*/*.safetensors")):
        arrays |= {f"{file.parent.name}/{key}": value for key, value in load_file(file).items()}
    return arrays


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
