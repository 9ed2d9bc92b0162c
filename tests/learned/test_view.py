"""One decision after the other, as a learner steps through them."""

from typing import Any

import numpy as np
import pytest
import torch
from mec_moe_agents import LearnedAgent, run_episodes
from mec_moe_agents.offloading.features import CONTEXT, OF_SERVER, SERVER
from mec_moe_agents.offloading.network import arrays_of
from mec_moe_agents.training.decisions import DecisionVecEnv
from mec_moe_agents.training.policy import deep_set_policy
from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.vec_env import VecMonitor

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingVectorEnv
from tests.learned.models import Untrained

DEFAULT = OFFLOADING_PRESETS["default"].override(horizon=40)
JOINT = OFFLOADING_PRESETS["joint"].override(horizon=30)


@pytest.mark.parametrize("config", [DEFAULT, JOINT], ids=["default", "joint"])
def test_the_view_and_the_agent_play_the_same_episodes(config: OffloadingConfig) -> None:
    model = Untrained(config.num_servers, seed=3)
    agent = LearnedAgent(config, arrays_of(model))
    expected = run_episodes(agent, OffloadingVectorEnv(5, config), range(20, 25))
    env = DecisionVecEnv(config, 5, 20)
    features, totals = env.reset(), np.zeros(5)
    for _ in range(config.horizon * config.num_tasks):
        with torch.no_grad():
            logits = model.network.forward_actor(torch.as_tensor(features))
        features, rewards, dones, infos = env.step(logits.argmax(1).numpy())
        totals += rewards
    assert dones.all()
    assert all("terminal_observation" in info for info in infos)
    np.testing.assert_allclose(totals, expected.metrics["return"], rtol=1e-5)


def test_a_new_episode_starts_with_an_empty_memory() -> None:
    env: Any = DecisionVecEnv(DEFAULT, 2, 7)
    env.reset()
    for _ in range(DEFAULT.horizon):
        features, _, dones, _ = env.step(np.argmax(env.env_method("action_masks"), axis=1))
    assert dones.all()
    assert isinstance(features, np.ndarray)
    blocks = features[:, CONTEXT:].reshape(2, 8, SERVER)
    assert (blocks[..., OF_SERVER.untrained] == 1.0).all()
    assert np.all(env.env_method("action_masks"))


def test_an_impossible_choice_is_a_rejection() -> None:
    env = DecisionVecEnv(DEFAULT, 1, 0)
    env.reset()
    for _ in range(DEFAULT.horizon):
        masks = env.env_method("action_masks")[0]
        blocked = np.flatnonzero(~masks)
        _, _, done, infos = env.step(np.array([blocked[0] if len(blocked) else 0]))
    assert done.all()
    assert infos[0]["episode_dropped_picks"] == 0
    assert infos[0]["episode_rejected"] > 0


@pytest.mark.parametrize(
    ("algo", "learner"), [("ppo", PPO), ("a2c", A2C), ("maskable-ppo", MaskablePPO)]
)
def test_algorithms_train_on_the_view(algo: str, learner: Any) -> None:
    policy = deep_set_policy(algo)
    env = VecMonitor(DecisionVecEnv(JOINT.override(horizon=5), 4, 0))
    model = learner(policy, env, n_steps=20, seed=0, device="cpu")
    before = arrays_of(model)["score.weight"].copy()
    model.learn(160)
    assert (arrays_of(model)["score.weight"] != before).any()
    assert len(model.ep_info_buffer) == 8


def test_an_algorithm_without_such_a_policy_is_named() -> None:
    with pytest.raises(ValueError, match="'ddpg'.*ppo, a2c, maskable-ppo"):
        deep_set_policy("ddpg")
