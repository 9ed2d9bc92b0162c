"""What must hold for every registered environment and preset, through `gym.make`."""

import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3
from stable_baselines3.common.env_util import make_vec_env

from tests.environments.catalogue import CASES, Case


@pytest.fixture
def data(mnist_folder: str) -> dict[str, Any]:
    return {"mnist": {"data_path": mnist_folder, "feature_dim": 20}}


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def make(case: Case, data: dict[str, Any], **options: Any) -> gym.Env[Any, Any]:
    return gym.make(case.id, scenario=case.scenario, **data.get(case.scenario, {}), **options)


def play(env: gym.Env[Any, Any], steps: int, seed: int) -> list[Any]:
    """Play by chance, restarting at the end of an episode; return all that is returned."""
    rng = np.random.default_rng(seed)
    history: list[Any] = []
    for _ in range(steps):
        history.append(env.step(rng.integers(env.action_space.nvec)))  # type: ignore[attr-defined]
        if history[-1][2] or history[-1][3]:
            history.append(env.reset())
    return history


def same(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return np.array_equal(left, right)


def test_checkers_pass_without_a_warning(case: Case, data: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = make(case, data)
        check_env(env.unwrapped)
        check_env_for_sb3(env)


def test_seed_repeats_and_seeds_differ(case: Case, data: dict[str, Any]) -> None:
    first, second = make(case, data), make(case, data)
    start = first.reset(seed=7)
    assert same(start, second.reset(seed=7))
    histories = [play(first, 12, seed=1), play(second, 12, seed=1)]
    assert same(*histories)
    assert same(start, first.reset(seed=7))
    if case.random:
        assert not same(start, first.reset(seed=8))


def test_unseeded_episodes_differ(case: Case, data: dict[str, Any]) -> None:
    env = make(case, data)
    if case.random:
        assert not same(env.reset(seed=1), env.reset())


def test_pickled_env_has_the_same_future(case: Case, data: dict[str, Any]) -> None:
    env = make(case, data)
    env.reset(seed=3)
    play(env, 7, seed=0)
    twin = pickle.loads(pickle.dumps(env))
    steps = 90 if case.small else 5
    assert same(play(env, steps, 5), play(twin, steps, 5))


def test_episode_ends_at_the_horizon(case: Case, data: dict[str, Any]) -> None:
    env = make(case, data)
    env.reset(seed=0)
    steps = env.unwrapped.episode_steps  # type: ignore[attr-defined]
    if steps > 500:
        pytest.skip("long episodes are covered by their shorter kin")
    rng = np.random.default_rng(0)
    for step in range(steps):
        *_, terminated, truncated, _ = env.step(rng.integers(env.action_space.nvec))  # type: ignore[attr-defined]
        assert terminated == (step == steps - 1)
        assert not truncated


def test_render_modes(case: Case, data: dict[str, Any]) -> None:
    text = make(case, data, render_mode="ansi")
    text.reset(seed=0)
    text.step(text.action_space.sample())
    lines = str(text.render()).split("\n")
    assert len(lines) > 5
    assert max(map(len, lines)) <= 100
    pictures = make(case, data, render_mode="rgb_array_list")
    pictures.reset(seed=0)
    pictures.step(pictures.action_space.sample())
    frames: Any = pictures.render()
    first, second = frames
    assert first.shape == second.shape == (640, 960, 3)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("id_", sorted({case.id for case in CASES}))
def test_sb3_builds_it_from_its_id(id_: str) -> None:
    env = make_vec_env(id_, 2, seed=0)
    model = PPO("MultiInputPolicy", id_, n_steps=8, batch_size=8, device="cpu")
    model.learn(8)
    assert env.reset().keys() == model.observation_space.spaces.keys()  # type: ignore[union-attr, attr-defined]


def test_spec_survives_json(case: Case, data: dict[str, Any]) -> None:
    env = make(case, data, energy_weight=2.5, bandwidth_hz=np.float64(2e6))
    spec = EnvSpec.from_json(env.spec.to_json())  # type: ignore[union-attr]
    assert gym.make(spec).unwrapped.config == env.unwrapped.config  # type: ignore[attr-defined]


def test_step_wants_a_reset_before_and_after(case: Case, data: dict[str, Any]) -> None:
    env = make(case, data).unwrapped
    action = np.zeros(len(env.action_space.nvec), np.int64)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="reset"):
        env.step(action)
    env.reset(seed=0)
    if case.small and env.episode_steps <= 300:  # type: ignore[attr-defined]
        while not env.step(action)[2]:
            pass
        with pytest.raises(RuntimeError, match="reset"):
            env.step(action)


def test_mask_never_misleads(case: Case, data: dict[str, Any]) -> None:
    """Without competing picks the mask is exact: what it admits is never dropped."""
    env = make(case, data)
    if not case.exact_mask:
        pytest.skip("several picks can collide")
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    nvec = env.action_space.nvec  # type: ignore[attr-defined]
    for _ in range(60):
        masks = np.split(info["action_mask"], np.cumsum(nvec)[:-1])
        assert np.array_equal(env.unwrapped.action_masks(), info["action_mask"])  # type: ignore[attr-defined]
        action = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        _, _, terminated, _, info = env.step(action)
        assert info["dropped_picks"] == 0
        if terminated:
            _, info = env.reset()


@pytest.mark.parametrize("wrong", ["low", "high", "shape", "real"])
def test_action_outside_the_space_raises(case: Case, data: dict[str, Any], wrong: str) -> None:
    env = make(case, data).unwrapped
    env.reset(seed=0)
    action = np.zeros(len(env.action_space.nvec), np.int64)  # type: ignore[attr-defined]
    bad = {
        "low": action - 1,
        "high": action + env.action_space.nvec,  # type: ignore[attr-defined]
        "shape": action[:-1],
        "real": action + 0.5,
    }[wrong]
    before = env.unwrapped.action_masks()  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="action"):
        env.step(bad)
    assert np.array_equal(before, env.unwrapped.action_masks())  # type: ignore[attr-defined]


@pytest.mark.parametrize("id_", sorted({case.id for case in CASES}))
def test_bad_scenarios_name_the_nearest(id_: str) -> None:
    with pytest.raises(ValueError, match="did you mean 'default'"):
        gym.make(id_, scenario="defualt")
    with pytest.raises(ValueError, match="did you mean 'bandwidth_hz'"):
        gym.make(id_, bandwith_hz=1e6)
    with pytest.raises(TypeError, match="scenario"):
        gym.make(id_, scenario=3)
