"""FlatAction: same environment, one number per action, an exact mask."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv

from mec_moe_env import DMoEEnv, OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.wrappers import FlatAction, FlatActionVector
from tests.environments.peers import RESETS_SOME, sync_vector
from tests.environments.test_vector import assert_equal

OPTIONS = [
    {},
    {"num_servers": 3, "num_subcarriers": 2, "failure_rate": 0.2},
    {"num_servers": 6, "num_subcarriers": 1},
    {"scenario": "toy"},
]


def test_gymnasium_check() -> None:
    check_env(FlatAction(OffloadingEnv()), skip_render_check=True)


@pytest.mark.parametrize("options", OPTIONS)
def test_equals_the_multi_discrete_environment(options: dict[str, Any]) -> None:
    flat: Any = FlatAction(OffloadingEnv(**options))
    plain = OffloadingEnv(**options)
    M, S = plain.config.num_servers, plain.config.num_subcarriers
    assert flat.action_space.n == M * S + 1
    flat.reset(seed=3)
    plain.reset(seed=3)
    rng = np.random.default_rng(0)
    for _ in range(plain.config.horizon):
        action = int(rng.integers(M * S + 1))
        pick = [M, 0] if action == M * S else [action // S, action % S]
        mine, other = flat.step(action), plain.step(np.array(pick))
        for key, entry in other[0].items():
            np.testing.assert_array_equal(mine[0][key], entry)
        assert mine[1:4] == other[1:4]
        assert mine[4]["energy_j"] == other[4]["energy_j"]


def outcome(env: Any, seed: int, history: list[int], action: int) -> tuple[Any, ...]:
    """Replay a history, take one more action, and return all that it changed."""
    env.reset(seed=seed)
    for past in history:
        env.step(past)
    observation, reward, _, _, info = env.step(action)
    seen = tuple(observation[key].tobytes() for key in ("busy", "subcarrier_busy", "drift"))
    return (reward, info["dropped_picks"], info["energy_j"], *seen)


@pytest.mark.parametrize("options", OPTIONS)
def test_mask_admits_every_outcome_once(options: dict[str, Any]) -> None:
    """Nothing admitted is dropped; what is not admitted is dropped or equals an admitted one."""
    env: Any = FlatAction(OffloadingEnv(**options))
    rng = np.random.default_rng(0)
    history: list[int] = []
    env.reset(seed=1)
    for _ in range(min(env.unwrapped.config.horizon, 8)):
        mask = replay(env, history)
        outcomes = [outcome(env, 1, history, action) for action in range(len(mask))]
        admitted = [outcomes[action] for action in np.flatnonzero(mask)]
        assert all(result[1] == 0 for result in admitted)
        for action in np.flatnonzero(~mask):
            assert outcomes[action][1] == 1 or outcomes[action] in admitted
        history.append(int(rng.choice(np.flatnonzero(mask))))


def replay(env: Any, history: list[int]) -> np.ndarray:
    _, info = env.reset(seed=1)
    for past in history:
        *_, info = env.step(past)
    np.testing.assert_array_equal(env.action_masks(), info["action_mask"])
    mask: np.ndarray = info["action_mask"]
    return mask


def test_mask_counts_outcomes() -> None:
    """Idle servers: all free subcarriers for each but the origin, once the origin, and none."""
    env = FlatAction(OffloadingEnv())
    observation, info = env.reset(seed=0)
    assert info["action_mask"].sum() == 7 * 8 + 1 + 1
    origin = int(observation["origin"].argmax())
    assert info["action_mask"][origin * 8 : origin * 8 + 8].tolist() == [True] + 7 * [False]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("options", [{"horizon": 9}, {"horizon": 5, "failure_rate": 0.3}])
def test_vector_form_equals_sync_vector_env(mode: AutoresetMode, options: dict[str, Any]) -> None:
    ours = FlatActionVector(OffloadingVectorEnv(3, autoreset_mode=mode, **options))
    mine: Any
    theirs: Any = sync_vector([lambda: FlatAction(OffloadingEnv(**options))] * 3, mode)
    assert ours.action_space == theirs.action_space
    assert ours.single_action_space == theirs.single_action_space
    theirs.action_space.seed(0)
    for seeds in ([1, 2, 3], [4, 5, 6]):
        for mine, other in zip(ours.reset(seed=seeds), theirs.reset(seed=seeds), strict=True):
            assert_equal(mine, other, "reset")
        for step in range(25):
            if step == 3 and RESETS_SOME:
                mask: dict[str, Any] = {"reset_mask": np.array([False, True, False])}
                pairs = zip(ours.reset(options=mask), theirs.reset(options=mask), strict=True)
                for mine, other in pairs:
                    assert_equal(mine, other, "masked reset")
            action = theirs.action_space.sample()
            for mine, other in zip(ours.step(action), theirs.step(action), strict=True):
                assert_equal(mine, other, f"step {step}")
            masks = [env.get_wrapper_attr("action_masks")() for env in theirs.envs]
            np.testing.assert_array_equal(ours.action_masks(), masks)


def test_through_gym_make_and_spec() -> None:
    env = FlatAction(gym.make("mec_moe/Offloading-v0", scenario="toy"))
    assert env.spec is not None
    again = env.spec.make()
    again.reset(seed=0)
    again.step(4)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: FlatAction(OffloadingEnv("joint")), ValueError, "num_tasks = 1, got 4"),
        (lambda: FlatAction(OffloadingEnv(max_experts=2)), ValueError, "max_experts = 1, got 2"),
        (lambda: FlatAction(DMoEEnv()), TypeError, "mec_moe/Offloading-v0"),
        (lambda: FlatAction(gym.make("CartPole-v1")), TypeError, "mec_moe/Offloading-v0"),
        (lambda: FlatActionVector(OffloadingVectorEnv(2, "joint")), ValueError, "num_tasks = 1"),
        (
            lambda: FlatActionVector(SyncVectorEnv([OffloadingEnv])),  # type: ignore[arg-type]
            TypeError,
            "OffloadingVectorEnv",
        ),
    ],
)
def test_bad_environments(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize("action", [65, -1, 0.5, [1, 2], np.array([0])])
def test_bad_actions(action: Any) -> None:
    env = FlatAction(OffloadingEnv())
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        env.step(action)
    vector = FlatActionVector(OffloadingVectorEnv(2))
    vector.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        vector.step(np.array([0, 65]))


@pytest.mark.parametrize("options", OPTIONS)
def test_encode_goes_back_to_the_same_pick(options: dict[str, Any]) -> None:
    """Every pick has an action with the same outcome, admitted where the pick is possible."""
    flat: Any = FlatAction(OffloadingEnv(**options))
    M, S = flat.unwrapped.config.num_servers, flat.unwrapped.config.num_subcarriers
    observation, info = flat.reset(seed=2)
    pick_mask = flat.unwrapped.action_masks()
    origin = int(observation["origin"].argmax())
    for server in range(M + 1):
        for subcarrier in range(S):
            action = flat.encode([server, subcarrier])
            assert action in flat.action_space
            expected = server * S + (0 if server == origin else subcarrier)
            assert action == (M * S if server == M else expected)
            free = pick_mask[M + 1 + subcarrier] or server in (origin, M)
            assert info["action_mask"][action] == (pick_mask[server] and free)
    batch = {key: np.stack([entry] * 3) for key, entry in observation.items()}
    picks = np.array([[origin, S - 1], [M, 0], [0, S - 1]])
    together = flat.encode(picks, batch)
    assert together.tolist() == [int(flat.encode(pick, observation)) for pick in picks]


def test_encode_of_all() -> None:
    env: Any = FlatActionVector(OffloadingVectorEnv(3))
    observation, _ = env.reset(seed=0)
    origins = observation["origin"].argmax(axis=1)
    picks = np.stack([origins, [5, 6, 7]], axis=1)
    assert env.encode(picks).tolist() == (8 * origins).tolist()
    elsewhere = {"origin": np.roll(observation["origin"], 1, axis=1)}
    assert env.encode(picks, elsewhere).tolist() == (8 * origins + [5, 6, 7]).tolist()


@pytest.mark.parametrize("picks", [[0.5, 1], [1, 2, 3], 4, [9, 0], [0, 8], [-1, 0]])
def test_encode_refuses_what_is_no_pick(picks: Any) -> None:
    env: Any = FlatAction(OffloadingEnv())
    env.reset(seed=0)
    with pytest.raises(ValueError, match="picks"):
        env.encode(picks)
