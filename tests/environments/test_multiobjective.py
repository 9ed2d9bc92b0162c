"""The vector reward: the same environment, its terms instead of their weighted sum."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils import RecordConstructorArgs
from gymnasium.utils.env_checker import check_env

from mec_moe_env import OffloadingVectorEnv
from mec_moe_env.fronts import nondominated
from mec_moe_env.multiobjective import MODMoEEnv, MOOffloadingEnv, MOOffloadingVectorEnv
from mec_moe_env.pareto import rewards

IDS = ("mec_moe/Offloading-v0", "mec_moe/DMoE-v0")
WEIGHTS: dict[str, dict[str, float]] = {
    "mec_moe/Offloading-v0": {"error_weight": 1.7, "energy_weight": 0.3, "delay_weight": 0.1},
    "mec_moe/DMoE-v0": {"error_weight": 1.7, "energy_weight": 0.3},
}
OF_BOTH = pytest.mark.parametrize("id_", IDS)


def vector_id(id_: str) -> str:
    return id_.replace("/", "/MO-")


@OF_BOTH
@pytest.mark.parametrize("weighted", [False, True])
def test_the_weighted_sum_is_the_scalar_reward_exactly(id_: str, weighted: bool) -> None:
    fields: dict[str, Any] = WEIGHTS[id_] if weighted else {}
    many, one = (gym.make(each, **fields) for each in (vector_id(id_), id_))
    weights = many.get_wrapper_attr("reward_weights")
    if weighted:
        assert weights.tolist() == list(fields.values())
    many.reset(seed=4)
    one.reset(seed=4)
    one.action_space.seed(0)
    terminated = False
    while not terminated:
        action = one.action_space.sample()
        observation, vector, ended, _, info = many.step(action)
        expected, reward, terminated, _, expected_info = one.step(action)
        assert sum(weight * term for weight, term in zip(weights, vector, strict=True)) == reward  # type: ignore[call-overload]
        assert vector.tolist() == [expected_info[key] for key in info if key.startswith("reward_")]  # type: ignore[attr-defined]
        assert ended == terminated
        for key in expected:
            assert np.array_equal(observation[key], expected[key])


@OF_BOTH
def test_spaces_and_names(id_: str) -> None:
    env: Any = gym.make(vector_id(id_)).unwrapped
    assert env.objectives[:2] == ("reward_error", "reward_energy")
    assert env.reward_dim == len(env.objectives) == len(env.reward_weights)
    env.reset(seed=0)
    reward = env.step(env.action_space.sample())[1]
    assert env.reward_space.shape == (env.reward_dim,)
    assert env.reward_space.contains(reward)


class FreshWeights(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Copies the weights that LinearReward shows in every info, the same array each time.

    Gymnasium's checker refuses what infos share, in MO-Gymnasium's own environments too.
    """

    def __init__(self, env: Any) -> None:
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        *outcome, info = self.env.step(action)
        return *outcome, info | {"reward_weights": info["reward_weights"].copy()}


@OF_BOTH
@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
def test_the_checker_passes_under_linear_reward(id_: str) -> None:
    mo_gymnasium = pytest.importorskip("mo_gymnasium")
    env = mo_gymnasium.make(f"mec_moe_env:{vector_id(id_)}", scenario="toy")
    weights = env.unwrapped.reward_weights
    check_env(FreshWeights(mo_gymnasium.wrappers.LinearReward(env, weights)))


def test_mo_gymnasium_sums_what_an_episode_brings() -> None:
    mo_gymnasium = pytest.importorskip("mo_gymnasium")
    env = mo_gymnasium.wrappers.MORecordEpisodeStatistics(MOOffloadingEnv("toy"))
    env.reset(seed=0)
    for pick in ((0, 0), (1, 0), (0, 0), (1, 1)):
        info = env.step(np.array(pick))[-1]
    assert info["episode"]["r"] == pytest.approx([0.0, -0.66, -11.0])


@OF_BOTH
def test_the_vector_form_equals_mo_gymnasiums(id_: str) -> None:
    mo_gymnasium = pytest.importorskip("mo_gymnasium")
    fields: dict[str, Any] = {"horizon": 5} if "Offloading" in id_ else {"num_layers": 3}
    native: Any = gym.make_vec(vector_id(id_), num_envs=3, **fields)
    copies = mo_gymnasium.wrappers.vector.MOSyncVectorEnv(
        [lambda: mo_gymnasium.make(vector_id(id_), **fields)] * 3
    )
    assert native.reward_space == copies.reward_space
    native.reset(seed=1)
    copies.reset(seed=1)
    native.action_space.seed(0)
    for _ in range(14):
        actions = native.action_space.sample()
        shown, expected = native.step(actions), copies.step(actions)
        assert np.array_equal(shown[1].astype(np.float32), expected[1])
        assert np.array_equal(shown[2], expected[2])


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
def test_weighted_the_vector_form_is_the_scalar_one(mode: str) -> None:
    options: dict[str, Any] = {
        "num_envs": 3,
        "horizon": 4,
        "autoreset_mode": mode,
        **WEIGHTS[IDS[0]],
    }
    many, one = MOOffloadingVectorEnv(**options), OffloadingVectorEnv(**options)
    many.reset(seed=1)
    one.reset(seed=1)
    one.action_space.seed(0)
    for _ in range(14):
        actions = one.action_space.sample()
        vectors, expected = many.step(actions)[1], one.step(actions)[1]
        assert vectors.shape == (3, 3)
        products = vectors * many.reward_weights
        assert np.array_equal(products[:, 0] + products[:, 1] + products[:, 2], expected)


def test_the_front_of_offloading_is_that_of_all_episodes() -> None:
    """Six points; specialising, and the optimum of the weighted sum, are worked out by hand."""
    env = MOOffloadingEnv("toy")
    front = np.array(env.pareto_front())
    assert front[0] == pytest.approx([-10.0, 0.0, 0.0])
    assert front[-1] == pytest.approx([0.0, -0.66, -11.0])
    assert (front @ env.reward_weights).max() == pytest.approx(-3.8)
    assert len(front) == 6
    assert np.array_equal(front, nondominated(front))


def test_discounting_and_running_episodes() -> None:
    env = MOOffloadingEnv("toy")
    env.reset(seed=0)
    env.step(np.array([0, 0]))
    front = np.array(env.pareto_front(gamma=0.5))
    assert front[-1] == pytest.approx([-0.25, -0.26, -1 - 2 / 2 - 3 / 4 - 5 / 8])
    # The errors of slots 0 … 3 are 0, -1, 1, 0: nobody has to restart.
    assert env.step(np.array([1, 0]))[1] == pytest.approx([-1.0, -0.2, -2.0])


def test_the_front_of_dmoe_is_dominated_by_nobody() -> None:
    env = MODMoEEnv("toy")
    front = np.array(env.pareto_front())
    assert front[0] == pytest.approx([-4.0, 0.0])
    assert front[-1, 0] == 0.0
    env.action_space.seed(0)
    for _ in range(300):
        played = rewards(env, (env.action_space.sample(), env.action_space.sample())).sum(axis=0)
        assert (front >= played - 1e-9).all(axis=1).any()
    assert np.array_equal(front, nondominated(front))


def test_nondominated() -> None:
    points = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.4]])
    assert nondominated(points).tolist() == [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]
    assert nondominated(np.array([[0.1 + 0.2, 1.0], [0.3, 1.0]])).shape == (1, 2)


def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="tasks = 'synthetic' is not allowed"):
        MOOffloadingEnv().pareto_front()
    with pytest.raises(ValueError, match="gates = 'random' is not allowed"):
        MODMoEEnv().pareto_front()
    with pytest.raises(ValueError, match="horizon = 7 .* at most 6 where a slot has 6 actions"):
        MOOffloadingEnv("toy", horizon=7).pareto_front()
