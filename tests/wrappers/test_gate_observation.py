"""GateObservation: what the gate of a baseline would say, whoever acts."""

import pickle
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from mec_moe_agents import RoutingAgent, make_gate
from mec_moe_agents.wrappers import GateObservation, GateObservationVector
from numpy.typing import NDArray
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3
from stable_baselines3.common.vec_env import DummyVecEnv

from mec_moe_env import DMoEEnv, OffloadingEnv, OffloadingVectorEnv, Slot
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.sb3 import make_vec_env
from mec_moe_env.wrappers import FlatAction, FlatActionVector
from tests.environments.catalogue import OFFLOADING
from tests.environments.peers import RESETS_SOME, sync_vector
from tests.environments.test_vector import assert_equal

GATES = ("profile", "guard", "gating")
CROWDED: dict[str, Any] = {
    "scenario": "joint",
    "num_servers": 7,
    "num_subcarriers": 3,
    "failure_rate": 0.1,
}


class Listening(RoutingAgent):
    """An agent that keeps the last relevance its gate found."""

    heard: NDArray[np.float64]

    def choose(self, relevance: NDArray[np.float64], slot: Slot) -> NDArray[np.int64]:
        self.heard = relevance
        return super().choose(relevance, slot)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("options", [{}, {"scenario": "joint", "failure_rate": 0.05}])
def test_relevance_is_what_the_agent_computes(gate: str, options: dict[str, Any]) -> None:
    """Two episodes of an agent, each with servers that are trained, full and forbidden."""
    env: Any = GateObservation(OffloadingEnv(horizon=120, **options), gate)
    config = env.unwrapped.config
    quiet: dict[str, Any] = {"noise": 0.0} if gate == "gating" else {}
    agent = Listening(config, make_gate(gate, config, **quiet), picks=config.max_experts)
    state, seen = None, set()
    for seed in (0, 1):
        observation, _ = env.reset(seed=seed)
        start, over = True, False
        while not over:
            action, state = agent.predict(observation, state, [start])
            low = env.observation_space["relevance"].low
            expected = np.maximum(agent.heard.reshape(-1), low).astype(np.float32)
            np.testing.assert_array_equal(observation["relevance"], expected)
            seen.update(expected.tolist())
            start = False
            observation, _, over, _, _ = env.step(action)
    assert len(seen) > 100
    assert (-1.0 in seen) == (gate == "guard")


def test_dropped_picks_teach_nothing() -> None:
    """An untrained server stands at the threshold until it really takes a task."""
    env: Any = GateObservation(OffloadingEnv(num_servers=3, max_delay=5), threshold=0.25)
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(observation["relevance"], 0.25)
    M = env.unwrapped.config.num_servers
    observation, *_ = env.step(np.array([M, 0]))
    np.testing.assert_array_equal(observation["relevance"], 0.25)
    observation, *_ = env.step(np.array([1, 0]))
    first = observation["relevance"]
    assert (first != 0.25).tolist() == [False, True, False]
    twin = pickle.loads(pickle.dumps(env))
    assert observation["busy"][1] > 0
    refused, _, _, _, info = env.step(np.array([1, 1]))
    assert info["dropped_picks"] == 1
    rejected, *_ = twin.step(np.array([M, 0]))
    np.testing.assert_array_equal(refused["relevance"], rejected["relevance"])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("options", [{"horizon": 13}, {"horizon": 9, **CROWDED}], ids=str)
def test_vector_form_equals_sync_vector_env(
    mode: AutoresetMode, gate: str, options: dict[str, Any]
) -> None:
    ours = GateObservationVector(OffloadingVectorEnv(3, autoreset_mode=mode, **options), gate)
    build = lambda: GateObservation(OffloadingEnv(**options), gate)  # noqa: E731
    mine: Any
    theirs: Any = sync_vector([build] * 3, mode)
    assert ours.observation_space == theirs.observation_space
    assert ours.single_observation_space == theirs.single_observation_space
    theirs.action_space.seed(0)
    for seeds in ([1, 2, 3], [4, 5, 6]):
        for mine, other in zip(ours.reset(seed=seeds), theirs.reset(seed=seeds), strict=True):
            assert_equal(mine, other, "reset")
        for step in range(40):
            # While running, and when over.
            if step in (5, 5 + options["horizon"]) and RESETS_SOME:
                mask: dict[str, Any] = {"reset_mask": np.array([False, True, False])}
                pairs = zip(ours.reset(options=mask), theirs.reset(options=mask), strict=True)
                for mine, other in pairs:
                    assert_equal(mine, other, "masked reset")
            action = theirs.action_space.sample()
            for mine, other in zip(ours.step(action), theirs.step(action), strict=True):
                assert_equal(mine, other, f"step {step}")


@pytest.mark.parametrize("gate", GATES)
def test_disabled_autoreset(gate: str) -> None:
    """Rows that are reset forget; the others neither forget nor learn twice."""
    options: dict[str, Any] = {"horizon": 8}
    env = GateObservationVector(
        OffloadingVectorEnv(2, autoreset_mode=AutoresetMode.DISABLED, **options), gate
    )
    single = GateObservation(OffloadingEnv(**options), gate)
    env.reset(seed=[1, 2])
    single.reset(seed=2)
    env.action_space.seed(0)
    observation: Any = None
    for _ in range(6):
        action = env.action_space.sample()
        observation, *_ = env.step(action)
        own, *_ = single.step(action[1])
    mask = {"reset_mask": np.array([True, False])}
    again, _ = env.reset(seed=[7, None], options=mask)
    fresh, _ = GateObservation(OffloadingEnv(**options), gate).reset(seed=7)
    np.testing.assert_array_equal(again["relevance"], [fresh["relevance"], own["relevance"]])
    np.testing.assert_array_equal(observation["relevance"][1], again["relevance"][1])
    action = env.action_space.sample()
    np.testing.assert_array_equal(
        env.step(action)[0]["relevance"][1], single.step(action[1])[0]["relevance"]
    )


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.filterwarnings("ignore:.*not wrapped with a ``Monitor``")
@pytest.mark.filterwarnings("ignore:.*bounds:UserWarning")
def test_checkers(gate: str) -> None:
    check_env(GateObservation(OffloadingEnv(), gate), skip_render_check=True)
    check_env(GateObservation(OffloadingEnv("joint"), gate), skip_render_check=True)
    check_env_for_sb3(FlatAction(GateObservation(OffloadingEnv(), gate)))


def test_pickled_wrapper_has_the_same_future() -> None:
    env: Any = GateObservationVector(OffloadingVectorEnv(2, horizon=7), "gating")
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(5):
        env.step(env.action_space.sample())
    twin = pickle.loads(pickle.dumps(env))
    for _ in range(10):
        action = env.action_space.sample()
        for mine, other in zip(env.step(action), twin.step(action), strict=True):
            assert_equal(mine, other, "after unpickling")


@pytest.mark.parametrize("flat", [False, True])
def test_through_the_adapter(flat: bool) -> None:
    """SB3 sees the relevance of a DummyVecEnv of wrapped scalars, terminal observations too."""

    def build() -> gym.Env[Any, Any]:
        env = GateObservation(OffloadingEnv(horizon=7), "guard")
        return FlatAction(env) if flat else env

    wrap = partial(GateObservationVector, gate="guard")
    ours: Any = make_vec_env(OFFLOADING, 3, seed=5, horizon=7, wrap=wrap, flat_action=flat)
    theirs: Any = DummyVecEnv([build] * 3)
    theirs.seed(5)
    assert ours.observation_space == theirs.observation_space
    assert_equal(ours.reset(), dict(theirs.reset()), "reset")
    ours.action_space.seed(0)
    for step in range(20):
        actions = np.stack([ours.action_space.sample() for _ in range(3)])
        mine, others = ours.step(actions), theirs.step(actions)
        assert_equal(mine[0], dict(others[0]), f"step {step}")
        for one, other in zip(mine[3], others[3], strict=True):
            if "terminal_observation" in other:
                assert_equal(one["terminal_observation"], other["terminal_observation"], "end")
        masks = ours.env_method("action_masks")
        np.testing.assert_array_equal(masks, theirs.env_method("action_masks"))


def test_flat_action_goes_around() -> None:
    env = FlatActionVector(GateObservationVector(OffloadingVectorEnv(2)))
    observation, infos = env.reset(seed=0)
    assert observation["relevance"].shape == (2, 8)
    assert infos["action_mask"].shape == (2, 65)


def test_through_gym_make_and_spec() -> None:
    env = GateObservation(gym.make(OFFLOADING, horizon=9), "guard", threshold=0.75)
    assert env.spec is not None
    observation, _ = env.spec.make().reset(seed=0)
    np.testing.assert_array_equal(observation["relevance"], 0.75)


def test_a_refused_action_changes_nothing() -> None:
    env = GateObservation(OffloadingEnv())
    twin = GateObservation(OffloadingEnv())
    for each in (env, twin):
        each.reset(seed=0)
    with pytest.raises(ValueError, match="lies outside the space"):
        env.step(np.array([9, 0]))
    for pick in ([2, 0], [3, 1]):
        mine, other = env.step(np.array(pick)), twin.step(np.array(pick))
        np.testing.assert_array_equal(mine[0]["relevance"], other[0]["relevance"])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: GateObservation(OffloadingEnv(), "guardian"), ValueError, "guard"),
        (
            lambda: GateObservation(OffloadingEnv(), "greedy-oracle"),
            ValueError,
            "unknown gate 'greedy-oracle'",
        ),
        (lambda: GateObservation(OffloadingEnv(), threshold=2.0), ValueError, "threshold = 2.0"),
        (lambda: GateObservation(OffloadingEnv(), "gating", noise=0.3), ValueError, "noise = 0.3"),
        (lambda: GateObservation(OffloadingEnv(), learning_rate=1.0), TypeError, "learning_rate"),
        (lambda: GateObservation(DMoEEnv()), TypeError, "mec_moe/Offloading-v0"),
        (lambda: GateObservation(gym.make("CartPole-v1")), TypeError, "mec_moe/Offloading-v0"),
        (lambda: GateObservation(FlatAction(OffloadingEnv())), TypeError, "before FlatAction"),
        (
            lambda: GateObservation(gym.wrappers.FlattenObservation(OffloadingEnv())),
            TypeError,
            "own observation",
        ),
        (
            lambda: GateObservationVector(FlatActionVector(OffloadingVectorEnv(2))),
            TypeError,
            "before FlatAction",
        ),
        (
            lambda: GateObservationVector(SyncVectorEnv([OffloadingEnv])),  # type: ignore[arg-type]
            TypeError,
            "OffloadingVectorEnv",
        ),
    ],
)
def test_bad_environments(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_wants_a_reset() -> None:
    with pytest.raises(RuntimeError, match="reset"):
        GateObservation(OffloadingEnv()).step(np.array([0, 0]))
