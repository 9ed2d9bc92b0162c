"""SB3's checkers, wrappers and algorithms work on the environments through the adapter."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import MultiDiscrete
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy as evaluate_masked
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor, VecNormalize

from mec_moe_env import DMoEEnv, OffloadingEnv
from mec_moe_env.sb3 import make_vec_env
from mec_moe_env.wrappers import FlatAction
from tests.environments.catalogue import DMOE, OFFLOADING

N = 4
SMALL: dict[str, Any] = {"n_steps": 32, "batch_size": 64, "n_epochs": 2, "seed": 0}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks are slower on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("env", [FlatAction(OffloadingEnv()), OffloadingEnv(), DMoEEnv()], ids=str)
@pytest.mark.filterwarnings("ignore:.*not wrapped with a ``Monitor``")
def test_check_env(env: Any) -> None:
    check_env(env)


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
@pytest.mark.filterwarnings("error::UserWarning")
def test_wrappers_together(id_: str) -> None:
    """NaN check, normalisation of entries of the Dict, and statistics, over episode ends."""
    keywords = ("dropped_picks", "episode_energy_j")
    inner = VecMonitor(make_vec_env(id_, N, seed=0), info_keywords=keywords)
    env = VecNormalize(
        VecCheckNan(inner, raise_exception=True), norm_obs_keys=["spectral_efficiency"]
    )
    env.reset()
    episodes: list[dict[str, Any]] = []
    for _ in range(2 * env.get_attr("episode_steps")[0]):
        actions = np.stack([env.action_space.sample() for _ in range(N)])
        _, _, dones, infos = env.step(actions)
        episodes += [info["episode"] for info in infos if "episode" in info]
        if dones.any():
            original = env.get_original_obs()
            assert all(env.observation_space.contains(_row(original, i)) for i in range(N))
    assert len(episodes) == 2 * N
    assert all(episode["l"] == env.get_attr("episode_steps")[0] for episode in episodes)
    assert all(episode["episode_energy_j"] > 0.0 for episode in episodes)
    assert is_masking_supported(env)
    assert isinstance(env.action_space, MultiDiscrete)
    assert get_action_masks(env).shape == (N, sum(env.action_space.nvec))


def _row(observation: Any, index: int) -> dict[str, np.ndarray]:
    return {key: entry[index] for key, entry in observation.items()}


def test_monitor_writes_a_file(tmp_path: Any) -> None:
    path = tmp_path / "log.monitor.csv"
    keywords = ("generalization_error", "forgetting", "episode_accepted")
    env = VecMonitor(make_vec_env(OFFLOADING, 2, seed=0, horizon=5), str(path), keywords)
    env.reset()
    for _ in range(10):
        env.step(np.zeros((2, 2), np.int64))
    env.close()
    header, names, *rows = path.read_text().splitlines()
    assert OFFLOADING in header
    assert names == "r,l,t,generalization_error,forgetting,episode_accepted"
    assert len(rows) == 4


@pytest.mark.parametrize("flat", [False, True])
def test_ppo(flat: bool) -> None:
    env = VecMonitor(make_vec_env(OFFLOADING, N, flat_action=flat, horizon=20))
    model = PPO("MultiInputPolicy", env, **SMALL).learn(256)
    assert len(model.ep_info_buffer or ()) == 256 // 20 // N * N
    rewards, lengths = evaluate_policy(model, env, 2 * N, return_episode_rewards=True)
    assert isinstance(rewards, list)
    assert len(rewards) == 2 * N
    assert lengths == [20] * 2 * N


@pytest.mark.parametrize(
    ("id_", "options"),
    [(OFFLOADING, {"horizon": 20}), (OFFLOADING, {"horizon": 20, "flat_action": True}), (DMOE, {})],
)
def test_maskable_ppo(id_: str, options: dict[str, Any]) -> None:
    env = VecMonitor(make_vec_env(id_, N, **options))
    model = MaskablePPO("MultiInputPolicy", env, **SMALL).learn(256)
    rewards, _ = evaluate_masked(model, env, N, return_episode_rewards=True)
    assert isinstance(rewards, list)
    assert len(rewards) == N


def test_maskable_ppo_drops_nothing() -> None:
    """With the exact mask not one pick of a training run is dropped."""
    env = make_vec_env(OFFLOADING, N, flat_action=True, horizon=16)
    dropped: list[int] = []

    def note(local: dict[str, Any], _: dict[str, Any]) -> bool:
        dropped.extend(i["episode_dropped_picks"] for i in local["infos"] if i)
        return True

    MaskablePPO("MultiInputPolicy", env, **SMALL).learn(512, callback=note)
    assert len(dropped) == 512 // 16
    assert not any(dropped)


def test_dqn() -> None:
    env = VecMonitor(make_vec_env(OFFLOADING, N, flat_action=True, horizon=20))
    model = DQN("MultiInputPolicy", env, buffer_size=500, learning_starts=64, seed=0).learn(400)
    rewards, _ = evaluate_policy(model, env, N, return_episode_rewards=True)
    assert isinstance(rewards, list)
    assert len(rewards) == N


def test_seeded_training_repeats() -> None:
    def returns() -> list[float]:
        env = VecMonitor(make_vec_env(OFFLOADING, N, flat_action=True, horizon=20))
        model = PPO("MultiInputPolicy", env, **SMALL).learn(256)
        return [episode["r"] for episode in model.ep_info_buffer or ()]

    assert returns() == returns()
