"""The learned scheduler as an agent, and the weights that come with it."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from mec_moe_agents import LearnedAgent, evaluate, make_agent, run_episodes
from mec_moe_agents.offloading.learned import most_like, preset_for, presets
from stable_baselines3.common.evaluation import evaluate_policy

from mec_moe_env import OFFLOADING_PRESETS, OffloadingVectorEnv
from tests.learned.models import arrays

DEFAULT = OFFLOADING_PRESETS["default"]
JOINT = OFFLOADING_PRESETS["joint"].override(horizon=60)
SHIPPED = ("default", "digits", "joint", "scarce")


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_row_acts_the_same_alone_and_in_a_batch(deterministic: bool) -> None:
    together = LearnedAgent(JOINT, arrays(), seed=4)
    alone = LearnedAgent(JOINT, arrays(), seed=5)
    many, one = OffloadingVectorEnv(3, JOINT), OffloadingVectorEnv(1, JOINT)
    batch, row = many.reset(seed=10)[0], one.reset(seed=11)[0]
    states: list[Any] = [None, None]
    for _ in range(JOINT.horizon):
        actions, states[0] = together.predict(batch, states[0], None, deterministic)
        action, states[1] = alone.predict(row, states[1], None, deterministic)
        np.testing.assert_array_equal(actions[1:2], action)
        batch, row = many.step(actions)[0], one.step(action)[0]


def test_episode_start_forgets_the_row_and_no_other() -> None:
    agent = LearnedAgent(DEFAULT, arrays())
    env = OffloadingVectorEnv(2, DEFAULT)
    observation = env.reset(seed=0)[0]
    state: Any = None
    for _ in range(20):
        action, state = agent.predict(observation, state)
        observation = env.step(action)[0]
    agent.predict(observation, state, np.array([True, False]))
    assert state.memory[0]._memory.tasks_seen.tolist() == [1, 21]


def test_a_state_of_another_batch_is_refused() -> None:
    agent = LearnedAgent(DEFAULT, arrays())
    _, state = agent.predict(OffloadingVectorEnv(2, DEFAULT).reset(seed=0)[0])
    with pytest.raises(ValueError, match="2 rows, but the observation 3"):
        agent.predict(OffloadingVectorEnv(3, DEFAULT).reset(seed=0)[0], state)


def test_stable_baselines_evaluates_it() -> None:
    env = gym.make("mec_moe/Offloading-v0", scenario=DEFAULT)
    env.reset(seed=0)
    mean: Any
    mean, _ = evaluate_policy(make_agent("learned", env), env, n_eval_episodes=2, warn=False)
    assert -200 < mean < 0


def test_every_preset_has_the_weights_that_it_promises() -> None:
    assert tuple(presets()) == SHIPPED
    for name in SHIPPED:
        assert preset_for(OFFLOADING_PRESETS[name]) == name


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("default", {"num_servers": 64, "num_subcarriers": 32}, "default"),
        ("joint", {"doppler_hz": 9.0, "failure_rate": 0.01}, "joint"),
        ("default", {"noise_scale": 1.0}, None),
        ("massive", {}, None),
    ],
)
def test_weights_suit_scenarios_of_another_size(
    name: str, changes: dict[str, Any], expected: str | None
) -> None:
    assert preset_for(OFFLOADING_PRESETS[name].override(**changes)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mnist", "digits"), ("massive", "default"), ("joint", "joint"), ("scarce", "scarce")],
)
def test_without_weights_of_its_own_a_scenario_gets_the_most_alike(
    name: str, expected: str
) -> None:
    assert most_like(OFFLOADING_PRESETS[name]) == expected


def test_bad_names_are_refused() -> None:
    env = gym.make("mec_moe/Offloading-v0")
    with pytest.raises(ValueError, match="'defualt' has no weights: did you mean 'default'"):
        make_agent("learned", env, preset="defualt")
    with pytest.raises(ValueError, match="not both"):
        make_agent("learned", env, preset="default", path="mine.npz")


# Margins are a third of what 50 other seeds gave.
@pytest.mark.parametrize(("name", "margin"), [("default", 10.0), ("joint", 60.0), ("digits", 5.0)])
def test_shipped_policies_beat_guard_on_episodes_never_trained_on(name: str, margin: float) -> None:
    config, seeds = OFFLOADING_PRESETS[name], range(5)
    learned = evaluate("learned", config, seeds).metrics["return"]
    guard = evaluate("guard", config, seeds).metrics["return"]
    assert learned.mean() > guard.mean() + margin


def test_weights_of_8_servers_serve_16() -> None:
    config = DEFAULT.override(num_servers=16, num_subcarriers=12)
    env = OffloadingVectorEnv(4, config)
    episodes = run_episodes(make_agent("learned", env), env, range(4))
    assert (
        episodes.metrics["return"].mean()
        > evaluate("guard", config, range(4)).metrics["return"].mean()
    )
