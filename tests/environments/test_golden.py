"""Trajectories that were once written down, so that no edit changes results unseen.

`python -m tests.environments.test_golden --write` writes them anew, where a change is meant.
Machines differ in the last digits of their logarithms, so what is on file is compared with a
tolerance; scalar, vector and threaded environments on one machine are compared bit for bit.
"""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from mec_moe_env.files import write_text
from tests.environments.catalogue import CASES, DMOE, LARGE, OFFLOADING, SCALAR, VECTOR

FILE = Path(__file__).with_name("golden.json")
NUM_ENVS, SEED = 3, 2024
LOOKS = (0, 1, 2, 4, 8, 16, 32, 64)
FEW = 4
"""Looks at presets that are large."""
VARIANTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    str(case): (case.id, case.scenario, {}) for case in CASES if case.scenario != "mnist"
} | {
    "Offloading networks": (OFFLOADING, "digits", {"experts": "mlp"}),
    "Offloading restarted networks": (
        OFFLOADING,
        "teacher",
        {"experts": "mlp", "expert_restart": True, "expert_loss": "logistic", "failure_rate": 0.1},
    ),
    "Offloading failing": (OFFLOADING, "joint", {"failure_rate": 0.1, "rician_factor": 2.0}),
    "Offloading memoryless": (OFFLOADING, "default", {"doppler_hz": float("inf"), "horizon": 25}),
    "DMoE delayed": (DMOE, "default", {"csi_delay": 2, "count_backward": True}),
    "DMoE failing": (DMOE, "default", {"failure_rate": 0.2, "doppler_hz": float("inf")}),
}
Snapshot = dict[str, np.ndarray]


def play(env: Any, looks: tuple[int, ...]) -> Iterator[Snapshot]:
    """Yield everything that the environment gives, after its reset and after each step."""
    rng = np.random.default_rng(SEED)
    observation, info = env.reset(seed=SEED)
    yield flat({"observation": observation, "info": info})
    for _ in range(looks[-1]):
        action = rng.integers(0, env.single_action_space.nvec, env.action_space.shape)
        observation, reward, terminated, truncated, info = env.step(action)
        flags = {"terminated": terminated, "truncated": truncated}
        yield flat({"observation": observation, "reward": reward, "info": info} | flags)


def flat(tree: dict[str, Any], prefix: str = "") -> Snapshot:
    """Give every array the path to it as its name."""
    leaves: Snapshot = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            leaves |= flat(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = np.asarray(value)
    return leaves


def summary(array: np.ndarray) -> float:
    """Sum an array with fixed weights, so that no two entries can change places."""
    return float(f"{weights(array) @ array.ravel().astype(float):.7g}")


def weights(array: np.ndarray) -> np.ndarray:
    return np.random.default_rng(array.size).uniform(0.5, 1.5, array.size) / array.size


def digest(env: Any, looks: tuple[int, ...]) -> str:
    bits = hashlib.sha256()
    for snapshot in play(env, looks):
        for name in sorted(snapshot):
            bits.update(f"{name} {snapshot[name].dtype} {snapshot[name].shape}".encode())
            bits.update(snapshot[name].tobytes())
    return bits.hexdigest()


def looks_at(scenario: str) -> tuple[int, ...]:
    return LOOKS[:FEW] if scenario in LARGE else LOOKS


def summarise(variant: str) -> dict[str, list[float]]:
    """Return the summary of everything that a variant gives, at each look."""
    id_, scenario, options = VARIANTS[variant]
    looks = looks_at(scenario)
    seen: dict[str, list[float]] = {}
    for step, snapshot in enumerate(play(VECTOR[id_](NUM_ENVS, scenario, **options), looks)):
        for name, array in snapshot.items() if step in looks else ():
            if not name.split(".")[-1].startswith("_"):
                seen.setdefault(name, []).append(summary(array))
    return seen


def test_every_variant_is_on_file() -> None:
    assert list(json.loads(FILE.read_text())) == list(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_trajectory_is_as_written_down(variant: str) -> None:
    now, before = summarise(variant), json.loads(FILE.read_text())[variant]
    assert now.keys() == before.keys()
    for name, values in now.items():
        assert values == pytest.approx(before[name], rel=1e-5, abs=1e-7), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_forms_agree_bit_for_bit(variant: str) -> None:
    id_, scenario, options = VARIANTS[variant]
    make: Callable[[], gym.Env[Any, Any]] = lambda: SCALAR[id_](scenario, **options)  # noqa: E731
    forms = [
        SyncVectorEnv([make] * NUM_ENVS),
        *(VECTOR[id_](NUM_ENVS, scenario, num_threads=count, **options) for count in (1, 2)),
    ]
    assert len({digest(env, looks_at(scenario)) for env in forms}) == 1
    for env in forms:
        env.close()


def write() -> None:
    """Write the trajectories of now, a line for each array."""
    document = json.dumps({variant: summarise(variant) for variant in VARIANTS}, indent=1)
    write_text(FILE, re.sub(r"(?<=[\d\[,])\n\s+(?=[-\d\]])", "", document) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit("usage: python -m tests.environments.test_golden --write")
    write()
