"""FlatObservation and MaskedObservation: the same values, laid out as libraries want them."""

import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from mec_moe_env import OffloadingEnv
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.wrappers import (
    FlatAction,
    FlatActionVector,
    FlatObservation,
    FlatObservationVector,
    MaskedObservation,
    MaskedObservationVector,
)
from tests.environments.catalogue import DMOE, OFFLOADING, SCALAR, VECTOR
from tests.environments.peers import RESETS_SOME, sync_vector
from tests.environments.test_vector import assert_equal

MODES = (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)
Wrap = Callable[[Any], Any]
VIEWS: dict[str, tuple[Wrap, Wrap]] = {
    "flat": (FlatObservation, FlatObservationVector),
    "masked": (MaskedObservation, MaskedObservationVector),
    "masked and flat": (
        lambda env: MaskedObservation(FlatObservation(env), "obs", "mask", "bool"),
        lambda env: MaskedObservationVector(FlatObservationVector(env), "obs", "mask", "bool"),
    ),
    "all": (
        lambda env: MaskedObservation(FlatObservation(FlatAction(env)), dtype=np.float32),
        lambda env: MaskedObservationVector(
            FlatObservationVector(FlatActionVector(env)), dtype=np.float32
        ),
    ),
}
SHORT: list[tuple[str, dict[str, Any]]] = [
    (OFFLOADING, {"horizon": 7, "failure_rate": 0.2}),
    (DMOE, {"num_layers": 3, "failure_rate": 0.2}),
]


@pytest.mark.parametrize(("id_", "options"), SHORT)
@pytest.mark.parametrize("view", VIEWS)
def test_gymnasium_check(id_: str, options: dict[str, Any], view: str) -> None:
    if view == "all" and id_ == DMOE:
        pytest.skip("FlatAction is for offloading")
    check_env(VIEWS[view][0](SCALAR[id_](**options)), skip_render_check=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("id_", "options"), SHORT)
@pytest.mark.parametrize("view", VIEWS)
def test_vector_form_equals_sync_vector_env(
    id_: str, options: dict[str, Any], mode: AutoresetMode, view: str
) -> None:
    if view == "all" and id_ == DMOE:
        pytest.skip("FlatAction is for offloading")
    scalar, vector = VIEWS[view]
    ours: Any = vector(VECTOR[id_](3, autoreset_mode=mode, **options))
    theirs: Any = sync_vector([lambda: scalar(SCALAR[id_](**options))] * 3, mode)
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    theirs.action_space.seed(0)
    for mine, other in zip(ours.reset(seed=3), theirs.reset(seed=3), strict=True):
        assert_equal(mine, other, "reset")
    for step in range(20):
        if step == 4 and RESETS_SOME:
            mask: dict[str, Any] = {"reset_mask": np.array([False, True, False])}
            pairs = zip(ours.reset(options=dict(mask)), theirs.reset(options=mask), strict=True)
            for mine, other in pairs:
                assert_equal(mine, other, "masked reset")
        action = theirs.action_space.sample()
        for mine, other in zip(ours.step(action), theirs.step(action), strict=True):
            assert_equal(mine, other, f"step {step}")


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
def test_flat_as_gymnasium_flattens(id_: str) -> None:
    ours, theirs = FlatObservation(SCALAR[id_]()), gym.wrappers.FlattenObservation(SCALAR[id_]())
    assert ours.observation_space == theirs.observation_space
    (mine, _), (other, _) = ours.reset(seed=0), theirs.reset(seed=0)
    np.testing.assert_array_equal(mine, other)
    assert mine.dtype == other.dtype
    inside: Any = ours.env.observation_space
    assert_equal(ours.inside(mine), dict(spaces.unflatten(inside, mine)), "inside")
    batch = ours.inside(np.stack([mine, mine]))
    assert {key: entry.shape for key, entry in batch.items()} == {
        key: (2, *entry.shape) for key, entry in inside.items()
    }


def test_masks_by_name_and_kind() -> None:
    env: Any = MaskedObservation(FlatAction(OffloadingEnv("toy")), "state", "allowed", np.float32)
    assert list(env.observation_space) == ["allowed", "state"]
    assert env.observation_space["allowed"] == spaces.Box(0, 1, (5,), np.float32)
    observation, info = env.reset(seed=0)
    assert observation["allowed"].dtype == np.float32
    np.testing.assert_array_equal(observation["allowed"], info["action_mask"])
    assert observation["state"].keys() == OffloadingEnv("toy").observation_space.spaces.keys()  # type: ignore[attr-defined]
    assert env.inside(observation) is observation["state"]
    plain = MaskedObservation(OffloadingEnv("joint"))
    observation, info = plain.reset(seed=0)
    assert observation.keys() == {"observations", "action_mask"}
    assert observation["action_mask"].dtype == np.int8
    assert observation["action_mask"].tolist() == info["action_mask"].tolist()


def test_through_spec_and_pickle() -> None:
    inner = FlatObservation(FlatAction(gym.make("mec_moe/Offloading-v0", scenario="toy")))
    env = MaskedObservation(inner, "obs", dtype=np.bool_)
    assert env.spec is not None
    for again in (env.spec.make(), pickle.loads(pickle.dumps(env))):
        assert again.observation_space == env.observation_space
        first, second = again.reset(seed=0)[0], env.reset(seed=0)[0]
        assert_equal(first, second, "reset")


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: FlatObservation(gym.make("CartPole-v1")), TypeError, "Dict of one-dimensional"),
        (
            lambda: FlatObservation(MaskedObservation(OffloadingEnv())),
            TypeError,
            "Dict of one-dimensional",
        ),
        (lambda: MaskedObservation(OffloadingEnv(), "a", "a"), ValueError, "both called 'a'"),
        (lambda: MaskedObservation(OffloadingEnv(), dtype="U3"), TypeError, "dtype = <U3"),
        (lambda: MaskedObservation(gym.make("Pendulum-v1")), TypeError, "only Discrete and"),
        (lambda: FlatAction(FlatObservation(OffloadingEnv())), TypeError, "FlatObservation and"),
        (lambda: FlatAction(FlatAction(OffloadingEnv())), TypeError, "own actions, got Discrete"),
        (
            lambda: FlatActionVector(FlatObservationVector(VECTOR[OFFLOADING](2))),
            TypeError,
            "FlatActionVector needs the environment's own observation",
        ),
    ],
)
def test_bad_environments(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
