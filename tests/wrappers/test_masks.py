"""Masks as spaces take them when they sample."""

import pickle
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from mec_moe_env.wrappers import FlatAction, FlatActionVector, MaskedDiscrete, split_mask
from tests.environments.catalogue import DMOE, OFFLOADING, SCALAR, VECTOR


def test_a_discrete_takes_both_kinds_of_masks() -> None:
    space, plain = MaskedDiscrete(5, seed=1), spaces.Discrete(5, seed=1)
    assert space == plain
    assert plain == space
    mask = np.array([False, True, False, True, False])
    drawn = [space.sample(mask) for _ in range(50)]
    assert drawn == [plain.sample(mask.astype(np.int8)) for _ in range(50)]
    assert set(drawn) == {1, 3}
    assert space.sample(mask=mask.astype(np.int8)) in (1, 3)
    assert {int(space.sample()) for _ in range(99)} == set(range(5))
    assert pickle.loads(pickle.dumps(space)).sample(mask) in (1, 3)
    assert batch_space(space, 3) == spaces.MultiDiscrete([5, 5, 5])


def test_a_flat_action_samples_from_its_info() -> None:
    env: Any = FlatAction(SCALAR[OFFLOADING](failure_rate=0.3, horizon=50))
    _, info = env.reset(seed=0)
    for _ in range(50):
        _, _, _, _, info = env.step(env.action_space.sample(info["action_mask"]))
        assert info["dropped_picks"] == 0


def test_split_by_hand() -> None:
    mask = np.array([1, 0, 1, 0, 1], np.bool_)
    first, second = split_mask(spaces.MultiDiscrete([3, 2]), mask)
    assert first.tolist() == [1, 0, 1]
    assert second.tolist() == [0, 1]
    assert first.dtype == second.dtype == np.int8


@pytest.mark.parametrize(("id_", "scenario"), [(OFFLOADING, "joint"), (DMOE, "default")])
def test_a_multi_discrete_samples_what_is_admitted(id_: str, scenario: str) -> None:
    env = VECTOR[id_](3, scenario, failure_rate=0.5)
    space = env.single_action_space
    _, infos = env.reset(seed=0)
    for _ in range(3):
        masks = infos["action_mask"]
        actions = np.stack([space.sample(split_mask(space, mask)) for mask in masks])
        assert actions in env.action_space
        assert all(admitted(space.nvec, *pair) for pair in zip(masks, actions, strict=True))
        _, _, _, _, infos = env.step(actions)


def admitted(nvec: Any, mask: Any, action: Any) -> bool:
    starts = np.cumsum(nvec) - nvec
    return bool(mask[starts + action].all())


def test_a_flat_action_of_all() -> None:
    env: Any = FlatActionVector(VECTOR[OFFLOADING](4))
    _, infos = env.reset(seed=0)
    for _ in range(30):
        actions = env.action_space.sample(split_mask(env.action_space, infos["action_mask"]))
        assert infos["action_mask"][np.arange(4), actions].all()
        _, _, _, _, infos = env.step(actions)


def test_bad_masks() -> None:
    with pytest.raises(ValueError, match="mask has 4 entries, expected 5"):
        split_mask(spaces.MultiDiscrete([3, 2]), np.ones(4, np.bool_))
    with pytest.raises(TypeError, match="MultiDiscrete of one axis, got Box"):
        split_mask(VECTOR[OFFLOADING](2).action_space, np.ones((2, 17), np.bool_))
