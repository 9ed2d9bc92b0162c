"""Plans with full foresight: what they promise is what is played, and it is a lot."""

import itertools
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from mec_moe_agents import evaluate, make_agent
from mec_moe_agents.offloading.clairvoyant import foresee
from mec_moe_agents.planning import Plan, plan

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingEnv, foresight
from mec_moe_env.sb3 import make_vec_env

TOY = OFFLOADING_PRESETS["toy"]
SMALL = OFFLOADING_PRESETS["default"].override(horizon=40)
CROWDED = OFFLOADING_PRESETS["joint"].override(horizon=25, num_subcarriers=4, failure_rate=0.03)
SCENES = {
    "default": SMALL,
    "digits": OFFLOADING_PRESETS["digits"].override(horizon=40),
    "crowded": CROWDED,
    "congested": OFFLOADING_PRESETS["congested"].override(horizon=30),
    "continual": OFFLOADING_PRESETS["continual"].override(horizon=40, num_servers=3),
    "dependent": SMALL.override(samples_per_task=12, result_mbit=0.4, horizon=30),
    "toy": TOY,
}
EFFORT = 200


def played(config: OffloadingConfig, seed: int, actions: Any) -> tuple[float, float, float]:
    """Return the return, the picks dropped and the tasks lost."""
    env = OffloadingEnv(config)
    env.reset(seed=seed)
    total = np.zeros(3)
    for action in actions:
        _, reward, _, _, info = env.step(action.reshape(-1))
        total += (reward, info["dropped_picks"], info["lost"])
    return float(total[0]), float(total[1]), float(total[2])


def planned(config: OffloadingConfig, seed: int) -> Plan:
    return plan(config, foresight(config, seed), effort=EFFORT)


@pytest.mark.parametrize("scene", SCENES)
def test_a_plan_is_worth_what_it_says(scene: str) -> None:
    found = planned(SCENES[scene], 3)
    assert found.actions.shape == (SCENES[scene].horizon, *SCENES[scene].action_shape)
    worth, dropped, lost = played(SCENES[scene], 3, found.actions)
    assert found.value == pytest.approx(worth, rel=1e-6)
    assert (dropped, lost) == (0.0, 0.0)


def test_no_plan_of_the_toy_is_better() -> None:
    choices = [(m, s) for m in range(3) for s in range(2)]
    plans = itertools.product(choices, repeat=TOY.horizon)
    best = max(played(TOY, 0, np.array(actions))[0] for actions in plans)
    assert planned(TOY, 0).value == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("scene", ["default", "crowded", "congested"])
def test_it_beats_a_contender_on_every_seed(scene: str) -> None:
    config = SCENES[scene]
    guard = evaluate("guard", config, range(3)).metrics["return"]
    assert np.all(np.array([planned(config, seed).value for seed in range(3)]) > guard)


def test_the_same_episode_gets_the_same_plan() -> None:
    one, other = planned(SMALL, 5), planned(SMALL, 5)
    np.testing.assert_array_equal(one.actions, other.actions)


def test_the_agent_plays_the_plan_in_a_batch() -> None:
    returns = evaluate("clairvoyant", SMALL, [4, 5], options={"effort": EFFORT}).metrics["return"]
    wanted = [planned(SMALL, 4).value, planned(SMALL, 5).value]
    np.testing.assert_allclose(returns, wanted, rtol=1e-6)


@pytest.mark.parametrize("kind", ["scalar", "sync", "sb3"])
def test_it_foresees_whatever_wraps_the_environment(kind: str) -> None:
    make = partial(gym.make, "mec_moe/Offloading-v0", scenario=SMALL)
    if kind == "scalar":
        env: Any = make()
        env.reset(seed=4)
    elif kind == "sync":
        env = SyncVectorEnv([make, make])
        env.reset(seed=[9, 4])
    else:
        env = make_vec_env("mec_moe/Offloading-v0", n_envs=2, seed=3, scenario=SMALL)
        env.reset()
    row = 0 if kind == "scalar" else 1
    np.testing.assert_array_equal(foresee(env, row).features, foresight(SMALL, 4).features)


def test_ready_made_plans_are_played() -> None:
    actions = planned(SMALL, 4).actions
    options = {"plans": actions[np.newaxis]}
    result = evaluate("clairvoyant", SMALL, [4], options=options).metrics["return"]
    assert result[0] == pytest.approx(played(SMALL, 4, actions)[0])


def test_what_cannot_be_planned_is_refused() -> None:
    env = OffloadingEnv(SMALL)
    with pytest.raises(ValueError, match=r"plans has shape \(1, 3, 2\), must be \(n, 40, 2\)"):
        make_agent("clairvoyant", env, plans=np.zeros((1, 3, 2)))
    with pytest.raises(ValueError, match="effort"):
        plan(SMALL, foresight(SMALL, 0), effort=-1)
    observation, _ = env.reset(seed=0)
    observation, *_ = env.step(env.action_space.sample())
    with pytest.raises(ValueError, match="whole episodes"):
        make_agent("clairvoyant", env).predict(observation)
