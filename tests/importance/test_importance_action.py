"""ImportanceAction: a policy sets the importance of a layer, JESA does the rest."""

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import RescaleAction
from gymnasium.wrappers.vector import RescaleAction as RescaleActionVector
from mec_moe_agents import make_agent
from mec_moe_agents.dmoe.importance import ImportanceAction, ImportanceActionVector
from mec_moe_agents.dmoe.layer import ThresholdSchedule, aim_at
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3
from stable_baselines3.common.evaluation import evaluate_policy

from mec_moe_env import DMoEEnv, DMoEVectorEnv, Layer, OffloadingEnv
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.sb3 import SB3VecEnv, make_vec_env
from tests.environments.peers import sync_vector
from tests.environments.test_vector import assert_equal

SCENES: list[dict[str, Any]] = [
    {"scenario": "digits-moe"},
    {"scenario": "paper", "num_layers": 3, "qos": 0.7, "importance": (0.9, 0.3, 0.6)},
    {"failure_rate": 0.4, "csi_delay": 1, "num_sources": 2, "num_subcarriers": 2},
]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
@pytest.mark.filterwarnings("ignore:.*not wrapped with a ``Monitor``")
@pytest.mark.filterwarnings("error")
def test_checkers_are_content(scene: dict[str, Any]) -> None:
    check_env(ImportanceAction(DMoEEnv(**scene)), skip_render_check=True)
    one = np.ones(1, np.float32)
    check_env_for_sb3(RescaleAction(ImportanceAction(DMoEEnv(**scene)), -one, one))


@pytest.mark.parametrize("scene", SCENES)
def test_the_configured_schedule_gives_jesa(scene: dict[str, Any]) -> None:
    """Bit for bit: rewards, infos, and what is seen next."""
    plain = DMoEVectorEnv(3, **scene)
    ours = ImportanceActionVector(DMoEVectorEnv(3, **scene))
    jesa = make_agent("jesa", plain)
    seen, _ = plain.reset(seed=5)
    summary, _ = ours.reset(seed=5)
    theirs: list[Any] = []
    for _ in range(plain.config.num_layers):
        seen, *theirs = plain.step(jesa.predict(seen)[0])
        summary, *mine = ours.step(summary["importance"])
        for one, other in zip(mine, theirs, strict=True):
            assert_equal(one, other, "step")
        np.testing.assert_array_equal(summary["layer"], seen["layer"])
    assert theirs[1].all()


def test_chosen_thresholds_are_those_of_jesa() -> None:
    """To the last bit, with the margin against rounding."""
    config = DMoEEnv(**SCENES[1]).config
    layer = Layer.read(DMoEVectorEnv(2, config).reset(seed=0)[0], config)
    importance = layer.importance[:, 0].astype(np.float64)
    np.testing.assert_array_equal(
        aim_at(config.qos, importance), ThresholdSchedule(config).thresholds(layer)
    )


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("scene", SCENES[1:])
def test_vector_form_equals_sync_vector_env(mode: AutoresetMode, scene: dict[str, Any]) -> None:
    ours = ImportanceActionVector(DMoEVectorEnv(3, autoreset_mode=mode, **scene))
    theirs = sync_vector([lambda: ImportanceAction(DMoEEnv(**scene))] * 3, mode)
    assert ours.action_space == theirs.action_space
    assert ours.single_action_space == theirs.single_action_space
    assert ours.observation_space == theirs.observation_space
    theirs.action_space.seed(0)
    for mine, other in zip(ours.reset(seed=[1, 2, 3]), theirs.reset(seed=[1, 2, 3]), strict=True):
        assert_equal(mine, other, "reset")
    for step in range(8):
        action = theirs.action_space.sample()
        for one, another in zip(ours.step(action), theirs.step(action), strict=True):
            assert_equal(one, another, f"step {step}")


def test_more_importance_costs_more() -> None:
    env = ImportanceActionVector(DMoEVectorEnv(4, "digits-moe"))
    joules = []
    for importance in (0.0, 0.3, 0.9):
        env.reset(seed=0)
        _, _, _, _, info = env.step(np.full((4, 1), importance))
        joules.append(info["energy_j"])
        assert (info["relevance"] >= importance - 1e-6).all() or importance == 0.9
    assert not joules[0].any()
    assert (joules[0] < joules[1]).all()
    assert (joules[1] < joules[2]).all()


def test_the_summary_by_hand() -> None:
    """One source, one token, two nodes; of the second nothing is heard but at the least rate."""
    config = DMoEEnv(
        num_nodes=2, num_sources=1, tokens_per_source=1, num_layers=1, max_experts=1
    ).config
    env = ImportanceAction(DMoEEnv(config))
    summary, _ = env.reset(seed=0)
    seen = {key: entry[0].astype(float) for key, entry in env._decision.seen.items()}  # type: ignore[union-attr]
    gate, (own, other) = seen["gate"], seen["compute_energy"]
    reference = config.power_w * config.state_bits / (4.0 * config.bandwidth_hz)
    # Link 0→1 has the second half of the entries.
    efficiency = seen["spectral_efficiency"][config.num_subcarriers :].max()
    other += reference * 4.0 / efficiency
    entropy = -(gate * np.log2(gate)).sum()
    np.testing.assert_allclose(summary["relevance"], [gate.max(), gate.max(), gate[0], entropy])
    shown = [joules / (joules + reference) for joules in (own, other, other)]
    np.testing.assert_allclose(summary["price"], shown, rtol=1e-6)
    assert summary["layer"].tolist() == [1.0]
    assert summary["importance"] == np.float32(config.layer_importance[0])


def test_spec_makes_it_again() -> None:
    env = ImportanceAction(gym.make("mec_moe/DMoE-v0", scenario="toy"))
    assert env.spec is not None
    again = env.spec.make()
    again.reset(seed=0)
    again.step(np.array([0.5], np.float32))


@pytest.mark.parametrize("action", [1.5, -0.1, np.nan, np.inf, "much", True, [0.5, 0.5], []])
def test_bad_actions(action: Any) -> None:
    env = ImportanceAction(DMoEEnv())
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        env.step(np.atleast_1d(action))
    with pytest.raises(ValueError, match="action"):
        env.step(0.5)
    vector = ImportanceActionVector(DMoEVectorEnv(2))
    vector.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        vector.step(np.array([np.atleast_1d(action), np.atleast_1d(action)]))
    with pytest.raises(ValueError, match="action"):
        vector.step(np.array([0.5, 0.5]))


def test_wrong_environments_and_orders() -> None:
    with pytest.raises(TypeError, match="mec_moe/DMoE-v0"):
        ImportanceAction(OffloadingEnv())
    with pytest.raises(TypeError, match="DMoEVectorEnv"):
        ImportanceActionVector(SyncVectorEnv([DMoEEnv]))  # type: ignore[arg-type]
    envs: list[Any] = [ImportanceAction(DMoEEnv()), ImportanceActionVector(DMoEVectorEnv(1))]
    for env in envs:
        with pytest.raises(RuntimeError, match="reset"):
            env.step(np.full(env.action_space.shape, 0.5))


def make_importance_vec_env(n_envs: int, seed: int, **overrides: Any) -> SB3VecEnv:
    """The action is rescaled to [−1, 1], where Stable-Baselines3's Gaussian policies begin."""
    one = np.ones(1, np.float32)
    return make_vec_env(
        "mec_moe/DMoE-v0",
        n_envs,
        seed,
        wrap=lambda env: RescaleActionVector(ImportanceActionVector(env), -one, one),
        **overrides,
    )


def test_sb3_form_is_rescaled() -> None:
    ours = ImportanceActionVector(DMoEVectorEnv(2))
    theirs = make_importance_vec_env(2, seed=3)
    ours.reset(seed=3)
    theirs.reset()
    summary, rewards, *_ = ours.step(np.array([[0.0], [0.75]]))
    seen: Any
    seen, others, *_ = theirs.step(np.array([[-1.0], [0.5]]))
    np.testing.assert_array_equal(rewards.astype(np.float32), others)
    for key, entry in summary.items():
        np.testing.assert_array_equal(entry, seen[key])


@pytest.mark.filterwarnings("ignore:.*not wrapped with a ``Monitor``")
def test_ppo_trains() -> None:
    env = make_importance_vec_env(4, seed=0, tokens_per_source=1)
    model = PPO("MultiInputPolicy", env, n_steps=16, batch_size=32, n_epochs=1, seed=0)
    model.learn(128)
    assert model.num_timesteps == 128
    returns, lengths = evaluate_policy(model, env, 8, return_episode_rewards=True)
    assert lengths == [4] * 8
    assert np.max(returns) < 0.0
