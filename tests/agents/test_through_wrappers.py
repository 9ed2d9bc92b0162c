"""A baseline acts in a wrapped environment as it does in the plain one."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from mec_moe_agents import make_agent
from mec_moe_agents.dmoe.importance import ImportanceAction
from mec_moe_agents.wrappers import GateObservation, GateObservationVector
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

from mec_moe_env import DMoEEnv, OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.offloading.flat import FlatOffloadingEnv, FlatOffloadingVectorEnv
from mec_moe_env.sb3 import make_vec_env
from mec_moe_env.wrappers import (
    FlatAction,
    FlatActionVector,
    FlatObservation,
    FlatObservationVector,
    MaskedObservation,
    MaskedObservationVector,
)

OPTIONS: dict[str, Any] = {"horizon": 25, "num_servers": 4, "failure_rate": 0.1}
SEEDS = (3, 4)
SCALAR: dict[str, Callable[[], Any]] = {
    "action": lambda: FlatAction(OffloadingEnv(**OPTIONS)),
    "flat": lambda: FlatObservation(FlatAction(OffloadingEnv(**OPTIONS))),
    "masked": lambda: MaskedObservation(FlatObservation(FlatAction(OffloadingEnv(**OPTIONS)))),
    "masked picks": lambda: MaskedObservation(OffloadingEnv(**OPTIONS)),
    "gate": lambda: FlatAction(GateObservation(OffloadingEnv(**OPTIONS))),
    "gymnasium": lambda: gym.wrappers.FlattenObservation(FlatAction(OffloadingEnv(**OPTIONS))),
    "id": lambda: gym.make("mec_moe/Offloading-default-flat-v0", **OPTIONS),
}
VECTOR: dict[str, Callable[[], Any]] = {
    "action": lambda: FlatActionVector(OffloadingVectorEnv(2, **OPTIONS)),
    "all": lambda: MaskedObservationVector(
        FlatObservationVector(FlatActionVector(OffloadingVectorEnv(2, **OPTIONS)))
    ),
    "gate": lambda: FlatActionVector(GateObservationVector(OffloadingVectorEnv(2, **OPTIONS))),
    "gymnasium": lambda: gym.wrappers.vector.FlattenObservation(
        FlatActionVector(OffloadingVectorEnv(2, **OPTIONS))
    ),
    "id": lambda: FlatOffloadingVectorEnv(2, **OPTIONS),
    "sync": lambda: SyncVectorEnv([SCALAR["masked"]] * 2),
}


def returns(name: str, env: Any, seed: Any) -> Any:
    """Return what the agent reaches in an episode; every action is admitted."""
    agent, state = make_agent(name, env), None
    observation, info = env.reset(seed=seed)
    total: Any = 0.0
    for _ in range(OPTIONS["horizon"]):
        action, state = agent.predict(observation, state)
        assert action in env.action_space
        if np.ndim(info["action_mask"]) == np.ndim(action) + 1 and np.ndim(action) == 0:
            assert info["action_mask"][action]
        observation, reward, _, _, info = env.step(action)
        total += reward
    return total


@pytest.mark.parametrize("agent", ["guard", "greedy-oracle"])
@pytest.mark.parametrize("view", SCALAR)
def test_scalar(view: str, agent: str) -> None:
    env = SCALAR[view]()
    plain = OffloadingEnv(**OPTIONS)
    assert returns(agent, env, 3) == pytest.approx(returns(agent, plain, 3), abs=1e-12)


@pytest.mark.parametrize("view", VECTOR)
def test_vector(view: str) -> None:
    plain = OffloadingVectorEnv(2, **OPTIONS)
    np.testing.assert_allclose(
        returns("guard", VECTOR[view](), list(SEEDS)), returns("guard", plain, list(SEEDS))
    )


def test_without_wrappers_nothing_is_put_around() -> None:
    for env in (OffloadingEnv(), gym.make("mec_moe/Offloading-v0"), OffloadingVectorEnv(2)):
        assert type(make_agent("guard", env)).__name__ == "RoutingAgent"


@pytest.mark.parametrize("flat", [{}, {"flat_observation": True}, {"flat_action": True}])
def test_stable_baselines(flat: dict[str, Any]) -> None:
    """The toy's return of `guard` is known by hand; its float32 rewards round it."""
    env = VecMonitor(make_vec_env("mec_moe/Offloading-v0", 2, scenario="toy", **flat))
    assert evaluate_policy(make_agent("guard", env), env, 2)[0] == pytest.approx(-6.16, abs=1e-5)
    dummy = DummyVecEnv([lambda: FlatOffloadingEnv("toy")] * 2)
    mean, _ = evaluate_policy(make_agent("guard", dummy), dummy, 2, warn=False)
    assert mean == pytest.approx(-6.16, abs=1e-5)


def test_wrappers_that_cannot_be_gone_through_are_named() -> None:
    with pytest.raises(TypeError, match="through ImportanceAction, which changes observation"):
        make_agent("jesa", ImportanceAction(DMoEEnv("toy")))
    filtered = gym.wrappers.FilterObservation(OffloadingEnv(), ["task"])
    with pytest.raises(TypeError, match="through FilterObservation"):
        make_agent("guard", filtered)


def test_what_is_in_other_processes_is_refused() -> None:
    env = SubprocVecEnv([lambda: FlatAction(OffloadingEnv("toy"))], start_method="fork")
    try:
        with pytest.raises(TypeError, match="through SubprocVecEnv"):
            make_agent("guard", env)
    finally:
        env.close()
