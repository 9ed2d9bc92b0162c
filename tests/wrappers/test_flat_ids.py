"""The flat ids: whoever takes nothing but an id gets a Box, a Discrete and a mask."""

import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from mec_moe_env import OFFLOADING_PRESETS, OffloadingEnv
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.offloading.flat import FlatOffloadingEnv, FlatOffloadingVectorEnv
from mec_moe_env.offloading.flat_ids import flat_id, has_one_pick
from mec_moe_env.wrappers import FlatAction, FlatObservation
from tests.environments.peers import RESETS_SOME, sync_vector
from tests.environments.test_vector import assert_equal

NAMES = [name for name, config in OFFLOADING_PRESETS.items() if has_one_pick(config)]
QUICK = [name for name in NAMES if name not in ("massive", "mnist", "mnist-5k")]
TOY = flat_id("toy")


def test_one_for_each_preset_with_one_pick() -> None:
    registered = {id_ for id_ in gym.registry if id_.endswith("-flat-v0") and "mec_moe" in id_}
    assert registered == {flat_id(name) for name in NAMES}
    assert "mec_moe/Offloading-digits-flat-v0" in registered
    assert set(OFFLOADING_PRESETS) - set(NAMES) == {"joint", "congested"}


@pytest.mark.parametrize("name", QUICK)
def test_what_an_id_makes(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(f"mec_moe_env:{flat_id(name)}")
        check_env(env.unwrapped)
    config = OFFLOADING_PRESETS[name]
    assert env.unwrapped.config == config  # type: ignore[attr-defined]
    assert env.spec is not None
    assert env.spec.max_episode_steps == config.horizon
    assert isinstance(env.observation_space, spaces.Box)
    assert env.observation_space.shape is not None
    assert len(env.observation_space.shape) == 1
    assert env.action_space == spaces.Discrete(config.num_servers * config.num_subcarriers + 1)
    assert env.unwrapped.action_space == env.action_space
    _, info = env.reset(seed=0)
    for _ in range(min(config.horizon, 20)):
        np.testing.assert_array_equal(env.get_wrapper_attr("action_masks")(), info["action_mask"])
        action: Any = env.action_space.sample(info["action_mask"])
        assert info["action_mask"][action]
        _, _, _, _, info = env.step(action)
        assert info["dropped_picks"] == 0


def test_equals_the_wrappers() -> None:
    flat: Any = FlatOffloadingEnv("default", horizon=30, failure_rate=0.1)
    wrapped: Any = FlatObservation(FlatAction(OffloadingEnv(horizon=30, failure_rate=0.1)))
    assert flat.observation_space == wrapped.observation_space
    assert flat.action_space == wrapped.action_space
    for mine, other in zip(flat.reset(seed=3), wrapped.reset(seed=3), strict=True):
        np.testing.assert_equal(mine, other)
    flat.action_space.seed(0)
    for _ in range(30):
        action = flat.action_space.sample()
        for mine, other in zip(flat.step(action), wrapped.step(action), strict=True):
            np.testing.assert_equal(mine, other)
        np.testing.assert_array_equal(flat.action_masks(), wrapped.env.action_masks())
    assert type(flat.model_errors()) is np.ndarray


@pytest.mark.parametrize("mode", list(AutoresetMode)[:2])
def test_native_vector_equals_sync_vector_env(mode: AutoresetMode) -> None:
    options: dict[str, Any] = {"horizon": 7, "failure_rate": 0.2}
    id_ = flat_id("default")
    ours: Any = gym.make_vec(id_, 3, autoreset_mode=mode, **options)
    assert isinstance(ours, FlatOffloadingVectorEnv)
    theirs: Any = sync_vector([lambda: FlatOffloadingEnv(**options)] * 3, mode)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    theirs.action_space.seed(0)
    for mine, other in zip(ours.reset(seed=5), theirs.reset(seed=5), strict=True):
        assert_equal(mine, other, "reset")
    for step in range(30):
        if step == 10 and RESETS_SOME:
            mask: dict[str, Any] = {"reset_mask": np.array([True, False, False])}
            pairs = zip(ours.reset(options=dict(mask)), theirs.reset(options=mask), strict=True)
            for mine, other in pairs:
                assert_equal(mine, other, "masked reset")
        action = theirs.action_space.sample()
        for mine, other in zip(ours.step(action), theirs.step(action), strict=True):
            assert_equal(mine, other, f"step {step}")
        np.testing.assert_array_equal(ours.call("action_masks"), theirs.call("action_masks"))


def test_the_last_step_is_terminated() -> None:
    env: Any = gym.make(TOY)
    env.reset(seed=0)
    ends = [env.step(4)[2:4] for _ in range(4)]
    assert ends == [(False, False)] * 3 + [(True, True)]
    native: Any = gym.make_vec(TOY, 2)
    native.reset(seed=0)
    for _ in range(4):
        _, _, terminated, truncated, _ = native.step(np.full(2, 4))
    assert terminated.all()
    assert not truncated.any()


def test_no_limit_cuts_a_longer_horizon() -> None:
    """Gymnasium's time limit would end it early, and nobody would notice."""
    assert gym.make(TOY, horizon=3).unwrapped.episode_steps == 3  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="horizon = 9 .* at most the 4 steps of this id"):
        gym.make(TOY, horizon=9)
    with pytest.raises(ValueError, match="horizon = 9 .* at most the 4 steps of this id"):
        gym.make_vec(TOY, 2, horizon=9)
    with pytest.raises(ValueError, match="at most max_episode_steps = 2; .* is horizon"):
        gym.make_vec(TOY, 2, max_episode_steps=2)
    assert FlatOffloadingEnv("toy", horizon=9).episode_steps == 9


def test_spec_and_pickle() -> None:
    env: Any = gym.make(TOY, energy_weight=2.5)
    spec = EnvSpec.from_json(env.spec.to_json())
    twin: Any = gym.make(spec)
    assert twin.unwrapped.config == env.unwrapped.config
    env.reset(seed=0)
    env.step(0)
    again = pickle.loads(pickle.dumps(env))
    for mine, other in zip(env.step(3), again.step(3), strict=True):
        np.testing.assert_equal(mine, other)


def test_several_picks_are_refused() -> None:
    with pytest.raises(ValueError, match="num_tasks = 1, got 4"):
        FlatOffloadingEnv("joint")
    with pytest.raises(ValueError, match="max_experts = 1, got 2"):
        gym.make(TOY, max_experts=2)
