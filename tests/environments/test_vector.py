"""The native vector environment equals Gymnasium's own over scalar ones, value for value."""

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_moe_env import OffloadingVectorEnv
from mec_moe_env.core.autoreset import AutoresetMode
from tests.environments.catalogue import DMOE, OFFLOADING, SCALAR, VECTOR
from tests.environments.peers import RESETS_SOME, sync_vector

MODES = (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)


def assert_equal(ours: Any, theirs: Any, where: str) -> None:
    """Compare values, types and keys all the way down."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_equal(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, np.ndarray) and theirs.dtype == object:
        assert len(ours) == len(theirs)
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_equal(mine, other, f"{where}[{index}]")
    elif theirs is None:
        assert ours is None, where
    else:
        assert ours.dtype == theirs.dtype, where
        np.testing.assert_array_equal(ours, theirs, err_msg=where)


PAIRS: list[tuple[str, str, dict[str, Any]]] = [
    (OFFLOADING, "default", {}),
    (OFFLOADING, "joint", {}),
    (OFFLOADING, "digits", {"horizon": 170}),
    (OFFLOADING, "default", {"failure_rate": 0.1, "rician_factor": 2.0, "horizon": 90}),
    (DMOE, "default", {}),
    (DMOE, "default", {"csi_delay": 2, "count_backward": True, "failure_rate": 0.3}),
    (DMOE, "paper", {}),
    (DMOE, "digits-moe", {}),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("id_", "scenario", "options"), PAIRS)
def test_equals_sync_vector_env(
    id_: str, scenario: str, options: dict[str, Any], mode: AutoresetMode
) -> None:
    ours: Any = gym.make_vec(
        id_,
        num_envs=3,
        vectorization_mode="vector_entry_point",
        scenario=scenario,
        autoreset_mode=mode,
        **options,
    )
    theirs = sync_vector([lambda: SCALAR[id_](scenario, **options)] * 3, mode)
    assert ours.action_space == theirs.action_space
    assert ours.observation_space == theirs.observation_space
    # A window shows one environment.
    modes = [mode for mode in theirs.metadata["render_modes"] if mode != "human"]
    assert ours.metadata == {**theirs.metadata, "render_modes": modes, "autoreset_mode": mode}
    theirs.action_space.seed(0)
    for mine, other in zip(ours.reset(seed=11), theirs.reset(seed=11), strict=True):
        assert_equal(mine, other, "reset")
    for step in range(1000):
        action = theirs.action_space.sample()
        results = zip(ours.step(action), theirs.step(action), strict=True)
        for part, (mine, other) in enumerate(results):
            assert_equal(mine, other, f"step {step}, part {part}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("id_", "options"), [(OFFLOADING, {"horizon": 20}), (DMOE, {"num_layers": 10})]
)
def test_staggered_episodes_equal_sync_vector_env(
    id_: str, options: dict[str, Any], mode: AutoresetMode
) -> None:
    """Sub-environments that end at different steps are restarted one by one."""
    ours = VECTOR[id_](3, autoreset_mode=mode, **options)
    theirs = sync_vector([lambda: SCALAR[id_](**options)] * 3, mode)
    theirs.action_space.seed(0)
    ours.reset(seed=[5, None, 7])
    theirs.reset(seed=[5, 6, 7])
    ours.reset(seed=[5, 6, 7])
    for step in range(90):
        if step == 7 and RESETS_SOME:
            mask = np.array([True, False, True])
            results = [
                env.reset(seed=[1, 2, 3], options={"reset_mask": mask.copy()})
                for env in (ours, theirs)
            ]
            assert_equal(results[0][0], results[1][0], "masked reset: obs")
            assert_equal(results[0][1], results[1][1], "masked reset: info")
        action = theirs.action_space.sample()
        for mine, other in zip(ours.step(action), theirs.step(action), strict=True):
            assert_equal(mine, other, f"step {step}")


def test_actions_change_no_channel_in_dmoe() -> None:
    busy, idle = (VECTOR[DMOE](2, "paper", failure_rate=0.2) for _ in range(2))
    busy.reset(seed=4)
    idle.reset(seed=4)
    nothing = np.tile(busy.single_action_space.nvec - 1, (2, 1))
    for _ in range(40):
        one, other = busy.step(busy.action_space.sample())[0], idle.step(nothing)[0]
        assert_equal(one, other, "obs")


def test_disabled_autoreset_wants_a_reset() -> None:
    env = OffloadingVectorEnv(2, "toy", autoreset_mode="disabled")
    env.reset(seed=0)
    action = np.zeros((2, 2), np.int64)
    for _ in range(4):
        *_, terminated, _, _ = env.step(action)
    assert terminated.all()
    with pytest.raises(RuntimeError, match="reset them"):
        env.step(action)
    env.reset(options={"reset_mask": np.array([True, True])})
    env.step(action)


@pytest.mark.parametrize(
    ("id_", "scenario"), [(OFFLOADING, "default"), (OFFLOADING, "joint"), (DMOE, "paper")]
)
def test_threads_do_not_change_results(id_: str, scenario: str) -> None:
    single = VECTOR[id_](7, scenario)
    several = VECTOR[id_](7, scenario, num_threads=3)
    single.reset(seed=1)
    several.reset(seed=1)
    single.action_space.seed(0)
    for step in range(100):
        action = single.action_space.sample()
        for one, other in zip(single.step(action), several.step(action), strict=True):
            assert_equal(one, other, f"step {step}")


def test_earlier_results_are_not_overwritten() -> None:
    env = OffloadingVectorEnv(2)
    observation, info = env.reset(seed=0)
    kept = pickle.loads(pickle.dumps((observation, info)))
    for _ in range(5):
        env.step(env.action_space.sample())
    assert_equal(observation, kept[0], "obs")
    assert_equal(info, kept[1], "info")


def test_pickled_vector_env_has_the_same_future() -> None:
    env = OffloadingVectorEnv(3, "default", num_threads=2)
    env.reset(seed=0)
    for _ in range(70):
        env.step(env.action_space.sample())
    twin = pickle.loads(pickle.dumps(env))
    for step in range(150):
        action = env.action_space.sample()
        for one, other in zip(env.step(action), twin.step(action), strict=True):
            assert_equal(one, other, f"step {step}")


def test_actions_change_neither_tasks_nor_channel() -> None:
    """The paired comparison: two agents with the same seed meet the same tasks and channel."""
    kept = ("task", "payload", "origin", "spectral_efficiency", "compute", "progress")
    for scenario in ("joint", "default"):
        busy, idle = (OffloadingVectorEnv(2, scenario, failure_rate=0.1) for _ in range(2))
        busy.reset(seed=4)
        idle.reset(seed=4)
        nothing = np.tile(busy.single_action_space.nvec - 1, (2, 1))
        for _ in range(400):
            one = busy.step(busy.action_space.sample())[0]
            other = idle.step(nothing)[0]
            for key in kept:
                np.testing.assert_array_equal(one[key], other[key])


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({"num_envs": 0}, "num_envs = 0"),
        ({"num_threads": 0}, "num_threads = 0"),
        ({"autoreset_mode": "sometimes"}, "autoreset_mode = 'sometimes'"),
        ({"render_mode": "human"}, "render_mode = 'human'"),
        ({"render_mode": "ansi", "render_rows": (1,)}, "row = 1"),
    ],
)
def test_bad_options(options: dict[str, Any], culprit: str) -> None:
    with pytest.raises(ValueError, match=culprit):
        OffloadingVectorEnv(**options)


def test_bad_seeds_and_masks() -> None:
    env = OffloadingVectorEnv(2)
    with pytest.raises(ValueError, match="seed must have num_envs = 2 entries, got 3"):
        env.reset(seed=[1, 2, 3])
    with pytest.raises(ValueError, match="reset_mask"):
        env.reset(options={"reset_mask": np.array([1, 0])})


def test_bad_seed_leaves_everything_as_it_was() -> None:
    env = OffloadingVectorEnv(2)
    env.reset(seed=0)
    for _ in range(5):
        env.step(env.action_space.sample())
    with pytest.raises(Exception, match="[Ss]eed"):
        env.reset(seed=[1, -1])
    assert env._simulator.state.episodes["time"].tolist() == [5, 5]
    seeds: Any = np.array([1, 2])
    env.reset(seed=seeds)


def test_step_before_reset() -> None:
    env = OffloadingVectorEnv(2)
    with pytest.raises(RuntimeError, match="reset"):
        env.step(env.action_space.sample())
    with pytest.raises(ValueError, match="first reset"):
        env.reset(options={"reset_mask": np.array([True, False])})


def test_unseeded_reset_goes_on_with_the_generator() -> None:
    first, second = OffloadingVectorEnv(2), OffloadingVectorEnv(2)
    for env in (first, second):
        env.reset(seed=3)
    assert_equal(first.reset()[0], second.reset()[0], "second episode")


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
@given(seeds=st.lists(st.lists(st.none() | st.integers(0, 9), min_size=3, max_size=3), max_size=4))
@settings(max_examples=15)
def test_seeds_and_generators_are_told_as_by_sync_vector_env(
    id_: str, seeds: list[list[int | None]]
) -> None:
    """What was seeded has its seed and generator; what was not, some seed that stays."""
    ours, theirs = VECTOR[id_](3, "toy"), SyncVectorEnv([lambda: SCALAR[id_]("toy")] * 3)
    known = np.zeros(3, np.bool_)
    for each in seeds:
        before = ours.np_random_seed
        ours.reset(seed=each)
        theirs.reset(seed=each)
        known |= [one is not None for one in each]
        for index in range(3):
            if known[index]:
                assert ours.np_random_seed[index] == theirs.np_random_seed[index]
                states = (env.np_random[index].bit_generator.state for env in (ours, theirs))
                assert next(states) == next(states)
            else:
                assert ours.np_random_seed[index] == before[index]
    ours.reset(seed=4)
    assert ours.np_random_seed == (4, 5, 6)


@pytest.mark.parametrize("first", [None, 3])
def test_the_told_seed_repeats_the_episode(first: int | None) -> None:
    env = OffloadingVectorEnv(3, num_servers=3, num_subcarriers=2)
    observation, _ = env.reset(seed=first)
    assert_equal(env.reset(seed=env.np_random_seed)[0], observation, "obs")
