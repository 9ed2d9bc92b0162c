"""RLlib on our environments, by its new API stack; run by `make rllib` alone."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from mec_moe_agents import certified_bound, evaluate
from ray import tune
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.connectors.env_to_module import FlattenObservations
from ray.rllib.core import DEFAULT_MODULE_ID

from mec_moe_env import OFFLOADING_PRESETS
from tests.rllib.example import PATH, example

TOY = OFFLOADING_PRESETS["toy"]
HELD_OUT = range(100_000, 100_004)
NATIVE, FLAT = "mec_moe_env:mec_moe/Offloading-v0", "mec_moe_env:mec_moe/Offloading-toy-flat-v0"


def small(config: PPOConfig) -> PPOConfig:
    """Let it take a few steps only."""
    return config.training(train_batch_size_per_learner=32, minibatch_size=32, num_epochs=1)


def one_iteration(config: PPOConfig) -> dict[str, Any]:
    algorithm = small(config).build_algo()
    try:
        results: dict[str, Any] = algorithm.train()
        return results
    finally:
        algorithm.stop()


@pytest.mark.parametrize("flat_action", [False, True])
def test_it_learns_the_optimum_of_the_toy(flat_action: bool, tmp_path: Path) -> None:
    settings = example.Arguments(flat_action=flat_action)
    example.train(settings, tmp_path)
    restored = Algorithm.from_checkpoint(tmp_path)
    returns = evaluate(example.Policy(restored), TOY, HELD_OUT).metrics["return"]
    restored.stop()
    optimum = evaluate("clairvoyant", TOY, HELD_OUT).metrics["return"]
    np.testing.assert_allclose(returns, optimum, atol=1e-6)
    assert np.all(returns <= certified_bound(TOY, HELD_OUT))


def weights_of(algorithm: Algorithm) -> dict[str, Any]:
    state: dict[str, Any] = algorithm.get_module(DEFAULT_MODULE_ID).state_dict()
    return state


def test_what_is_restored_is_what_was_saved_and_goes_on(tmp_path: Path) -> None:
    algorithm = small(example.configure(example.Arguments())).build_algo()
    algorithm.train()
    algorithm.save_to_path(tmp_path)
    restored = Algorithm.from_checkpoint(tmp_path)
    before, after = weights_of(algorithm), weights_of(restored)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert restored.train()["training_iteration"] == 2
    algorithm.stop()
    restored.stop()


class Strict(gym.ActionWrapper[Any, Any, Any]):
    """Refuses what the mask of the last observation does not admit."""

    def action(self, action: Any) -> Any:
        own: Any = self.unwrapped
        masks = self.get_wrapper_attr("action_masks")()
        offsets = np.cumsum([0, *own.action_space.nvec[:-1]]) if np.ndim(action) else 0
        if not np.all(masks[np.asarray(action) + offsets]):
            raise AssertionError(f"{action} is not admitted by {masks}")
        return action


@pytest.mark.parametrize("build", ["make_picks", "make_flat"])
def test_what_the_mask_does_not_admit_is_never_tried(build: str) -> None:
    make = getattr(example, build)
    tune.register_env("strict", lambda fields: Strict(make(fields)))
    crowded = {"scenario": "default", "horizon": 8, "num_servers": 3, "num_subcarriers": 2}
    settings = example.Arguments(envs=2)
    config = example.configure(settings).environment("strict", env_config=crowded)
    assert one_iteration(config)["env_runners"]["num_episodes"] > 0


def test_what_is_not_admitted_would_be_told() -> None:
    env = Strict(example.make_flat({"scenario": "default", "num_servers": 3}))
    _, info = env.reset(seed=0)
    barred = np.flatnonzero(~info["action_mask"])
    with pytest.raises(AssertionError, match="is not admitted"):
        env.step(barred[0])


def test_a_connector_flattens_the_environments_own_observation() -> None:
    config = (
        PPOConfig()
        .environment(NATIVE, env_config={"scenario": "toy"})
        .env_runners(
            num_env_runners=0,
            env_to_module_connector=lambda env, spaces, device: FlattenObservations(),
        )
    )
    algorithm = small(config).build_algo()
    inputs = next(iter(weights_of(algorithm).values())).shape[-1]
    algorithm.train()
    algorithm.stop()
    assert inputs == sum(int(np.prod(shape)) for shape in TOY.observation_shapes.values())


def test_a_flat_id_needs_nothing_in_processes_of_its_own() -> None:
    config = (
        PPOConfig()
        .environment(FLAT)
        .env_runners(
            num_env_runners=1,
            num_envs_per_env_runner=4,
            gym_env_vectorize_mode="vector_entry_point",
        )
    )
    assert one_iteration(config)["env_runners"]["num_episodes"] == 8


def test_the_example_shows_what_was_learned_beside_the_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = example.Arguments(iterations=1, steps=32, envs=2, episodes=2)
    example.train(settings, tmp_path)
    example.compare(settings, tmp_path)
    found = re.findall(r"^(.*?) +mean return +(\S+)$", capsys.readouterr().out, re.MULTILINE)
    scores = {name: float(value) for name, value in found}
    assert scores["guard"] == -6.16
    assert scores["clairvoyant"] == scores["certified bound"] == -3.8
    assert -20.0 < scores["PPO"] <= -3.8


def test_tune_goes_through_a_field(tmp_path: Path) -> None:
    options = ["--iterations", "1", "--steps", "32", "--envs", "2", "--bandwidths", "1e6,4e6"]
    done = subprocess.run(
        [sys.executable, str(PATH), *options], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"bandwidth +(\S+) Hz +mean return +(\S+) +bound +(\S+)", done.stdout)
    assert [float(row[0]) for row in rows] == [1e6, 4e6]
    for bandwidth, mean, bound in rows:
        config = TOY.override(bandwidth_hz=float(bandwidth))
        expected = certified_bound(config, [example.HELD_OUT_SEED])[0]
        assert float(bound) == pytest.approx(expected, abs=0.005)
        assert -30.0 < float(mean) <= float(bound)
