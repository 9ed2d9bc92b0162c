"""The adapter equals SB3's own vector env over scalar environments."""

import pickle
import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from mec_moe_env import OffloadingVectorEnv
from mec_moe_env.sb3 import SB3VecEnv, make_vec_env
from mec_moe_env.wrappers import FlatAction, FlatObservation
from tests.environments.catalogue import DMOE, OFFLOADING, SCALAR

N = 3
SHORT = [
    (OFFLOADING, {"horizon": 7}, False),
    (OFFLOADING, {"horizon": 7, "scenario": "joint"}, False),
    (OFFLOADING, {"horizon": 7, "failure_rate": 0.2}, True),
    (DMOE, {}, False),
]


def dummy(id_: str, options: dict[str, Any], flat: bool) -> DummyVecEnv:
    def build() -> gym.Env[Any, Any]:
        env = SCALAR[id_](**options)
        return FlatAction(env) if flat else env

    return DummyVecEnv([build] * N)


def assert_same(mine: Any, theirs: Any) -> None:
    assert mine.keys() == theirs.keys()
    for key in theirs:
        assert mine[key].dtype == theirs[key].dtype
        np.testing.assert_array_equal(mine[key], theirs[key], err_msg=key)


@pytest.mark.parametrize(("id_", "options", "flat"), SHORT)
def test_equals_dummy_vec_env(id_: str, options: dict[str, Any], flat: bool) -> None:
    ours: Any = make_vec_env(id_, N, seed=5, flat_action=flat, **options)
    theirs: Any = dummy(id_, options, flat)
    theirs.seed(5)
    assert ours.action_space == theirs.action_space
    assert ours.observation_space == theirs.observation_space
    assert_same(ours.reset(), theirs.reset())
    ours.action_space.seed(0)
    for step in range(40):
        if step == 20:
            # Seeds count from the next reset on, and once.
            assert ours.seed(9) == theirs.seed(9) == [9, 10, 11]
            assert_same(ours.reset(), theirs.reset())
        actions = np.stack([ours.action_space.sample() for _ in range(N)])
        mine, others = ours.step(actions), theirs.step(actions)
        assert_same(mine[0], others[0])
        for part in (1, 2):
            assert mine[part].dtype == others[part].dtype
            np.testing.assert_array_equal(mine[part], others[part])
        for index, done in enumerate(others[2]):
            if done:
                compare_ends(mine[3][index], others[3][index])
                assert_resets_equal(ours.reset_infos[index], theirs.reset_infos[index])
            else:
                assert mine[3][index] == {}


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
def test_flat_observation_equals_dummy_vec_env(id_: str) -> None:
    options: dict[str, Any] = {"horizon": 7} if id_ == OFFLOADING else {}
    ours: Any = make_vec_env(id_, N, seed=5, flat_observation=True, **options)
    theirs: Any = DummyVecEnv([lambda: FlatObservation(SCALAR[id_](**options))] * N)
    theirs.seed(5)
    assert ours.observation_space == theirs.observation_space
    assert ours.env_is_wrapped(FlatObservation) == [True] * N
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    ours.action_space.seed(0)
    for _ in range(20):
        actions = np.stack([ours.action_space.sample() for _ in range(N)])
        mine, others = ours.step(actions), theirs.step(actions)
        assert mine[0].dtype == others[0].dtype
        np.testing.assert_array_equal(mine[0], others[0])
        np.testing.assert_array_equal(mine[1], others[1])
        for one, other in zip(mine[3], others[3], strict=True):
            last = one.get("terminal_observation"), other.get("terminal_observation")
            np.testing.assert_equal(*last)


@pytest.mark.parametrize(
    ("id_", "flat"),
    [
        (OFFLOADING, {"flat_action": True, "flat_observation": True}),
        ("mec_moe_env:mec_moe/Offloading-default-flat-v0", {}),
    ],
)
def test_a_policy_that_reads_no_dictionaries_trains(id_: str, flat: dict[str, Any]) -> None:
    env = make_vec_env(id_, 2, seed=0, **flat)
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=16, device="cpu", seed=0)
    model.learn(16)
    assert env.reset().shape == (2, *model.observation_space.shape)  # type: ignore[union-attr, misc]


def test_options_of_a_reset_are_not_ignored() -> None:
    env = make_vec_env(OFFLOADING, 2)
    env.set_options({"horizon": 3})
    with pytest.raises(ValueError, match="unknown option 'horizon' of reset"):
        env.reset()


def compare_ends(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Everything the scalar environment says is there, and the sums besides."""
    assert_same(mine["terminal_observation"], theirs.pop("terminal_observation"))
    assert mine["TimeLimit.truncated"] is theirs.pop("TimeLimit.truncated") is False
    for key, value in theirs.items():
        np.testing.assert_equal(mine[key], value)


def assert_resets_equal(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert mine.keys() == theirs.keys()
    np.testing.assert_equal(mine["action_mask"], theirs["action_mask"])


def test_reset_infos() -> None:
    ours, theirs = make_vec_env(OFFLOADING, N, seed=1), dummy(OFFLOADING, {}, False)
    theirs.seed(1)
    ours.reset()
    theirs.reset()
    for mine, other in zip(ours.reset_infos, theirs.reset_infos, strict=True):
        np.testing.assert_equal(mine, other)


def test_sums_of_an_episode() -> None:
    """Reset in different steps, each sub-environment's sums cover its own episode."""
    ours = make_vec_env(OFFLOADING, N, seed=1, horizon=6)
    theirs = dummy(OFFLOADING, {"horizon": 6}, False)
    theirs.seed(1)
    ours.reset()
    theirs.reset()
    sums = np.zeros((2, N))
    for _ in range(12):
        actions = np.stack([ours.action_space.sample() for _ in range(N)])
        infos, others = ours.step(actions)[3], theirs.step(actions)[3]
        sums += [[info[key] for info in others] for key in ("energy_j", "accepted")]
        if "terminal_observation" in infos[0]:
            totals = [
                [info[key] for info in infos] for key in ("episode_energy_j", "episode_accepted")
            ]
            np.testing.assert_allclose(totals, sums, rtol=1e-12)
            sums[:] = 0.0


def test_infos_belong_to_the_caller() -> None:
    env = make_vec_env(OFFLOADING, N, seed=0)
    env.reset()
    actions = np.zeros((N, 2), np.int64)
    env.step(actions)[3][0]["note"] = 1
    assert env.step(actions)[3] == [{}, {}, {}]


def test_methods_and_attributes() -> None:
    env = make_vec_env(OFFLOADING, N, seed=0, horizon=9)
    env.reset()
    native = OffloadingVectorEnv(N, horizon=9)
    native.reset(seed=0)
    np.testing.assert_array_equal(env.env_method("action_masks"), native.action_masks())
    np.testing.assert_array_equal(env.env_method("model_errors"), native.model_errors())
    assert len(env.env_method("model_errors", indices=[0, 2])) == 2
    assert len(env.env_method("action_masks", indices=1)) == 1
    assert env.get_attr("config") == [native.config] * N
    assert env.get_attr("episode_steps", 0) == [9]
    assert env.has_attr("action_masks")
    assert not env.has_attr("nothing")
    env.set_attr("note", "kept")
    assert env.get_attr("note", [0, 1]) == ["kept", "kept"]
    assert env.spec is not None
    assert env.spec.id == OFFLOADING
    with pytest.raises(ValueError, match="attribute of all"):
        env.set_attr("note", "other", indices=1)
    with pytest.raises(TypeError, match="no row|does not return a row"):
        env.env_method("close")
    with pytest.raises(AttributeError):
        env.env_method("nothing")


def test_masks_follow_the_steps() -> None:
    for flat in (False, True):
        env = make_vec_env(OFFLOADING, N, seed=0, flat_action=flat)
        assert env.env_is_wrapped(FlatAction) == [flat] * N
        env.reset()
        for _ in range(30):
            masks = np.stack(env.env_method("action_masks"))
            native: Any = env.get_attr("action_masks")[0]
            np.testing.assert_array_equal(masks, native())
            env.step(np.stack([env.action_space.sample() for _ in range(N)]))


def test_pickled_adapter_has_the_same_future() -> None:
    env = make_vec_env(OFFLOADING, N, seed=0, flat_action=True, horizon=20)
    env.reset()
    actions = np.arange(N)
    env.step(actions)
    twin = pickle.loads(pickle.dumps(env))
    for _ in range(30):
        one, other = env.step(actions), twin.step(actions)
        assert_same(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_bad_requests() -> None:
    with pytest.raises(ValueError, match="not an environment of mec_moe_env"):
        make_vec_env("CartPole-v1", 2)
    with pytest.raises(ValueError, match="autoreset_mode must be same_step"):
        SB3VecEnv(OffloadingVectorEnv(2))
    with pytest.raises(ValueError, match="horizonn"):
        make_vec_env(OFFLOADING, 2, horizonn=3)
    with pytest.raises(TypeError, match="FlatActionVector"):
        make_vec_env(DMOE, 2, flat_action=True)
    for flat in (True, False):
        with pytest.raises(TypeError, match="got Discrete|got Box"):
            make_vec_env(
                "mec_moe/Offloading-toy-flat-v0", 2, flat_action=flat, flat_observation=not flat
            )


def test_imports_stay_apart() -> None:
    """The package needs no SB3; the adapter says what is missing."""
    script = (
        "import sys; sys.modules['stable_baselines3'] = None\n"
        "import mec_moe_env, mec_moe_env.wrappers\n"
        "assert 'torch' not in sys.modules\n"
        "import mec_moe_env.sb3"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'mec-moe-env[rl]'" in done.stderr
