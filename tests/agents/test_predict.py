"""Promises that every agent keeps."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from mec_moe_agents import Agent, agent_names, evaluate, make_agent, run_episodes
from mec_moe_agents.registry import catalogue

from mec_moe_env import (
    OFFLOADING_PRESETS,
    DMoEVectorEnv,
    OffloadingEnv,
    OffloadingVectorEnv,
)

DEFAULT = OFFLOADING_PRESETS["default"]
AGENTS = list(catalogue(DEFAULT))
SMALL = DEFAULT.override(horizon=40)
CROWDED = OFFLOADING_PRESETS["joint"].override(horizon=40, num_subcarriers=5, failure_rate=0.03)
SCENES = {
    "default": DEFAULT,
    "paper-synthetic": OFFLOADING_PRESETS["paper-synthetic"].override(horizon=60),
    "joint": OFFLOADING_PRESETS["joint"].override(horizon=100),
    "crowded": CROWDED,
    "scarce": OFFLOADING_PRESETS["scarce"].override(horizon=150),
    "massive": OFFLOADING_PRESETS["massive"].override(horizon=6),
    "toy": OFFLOADING_PRESETS["toy"],
}
# What these promises say of a plan does not depend on how good it is.
OPTIONS: dict[str, dict[str, Any]] = {"clairvoyant": {"effort": 10}}


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", AGENTS)
def test_no_pick_is_ever_dropped(name: str, scene: str) -> None:
    seeds = range(2 if scene == "massive" else 4)
    episodes = evaluate(name, SCENES[scene], seeds, options=OPTIONS.get(name))
    assert episodes.metrics["dropped_picks"].tolist() == [0.0] * len(episodes.seeds)


@pytest.mark.parametrize("name", AGENTS)
def test_an_episode_does_not_depend_on_its_batch(name: str) -> None:
    together = evaluate(name, CROWDED, [7, 8, 9], options=OPTIONS.get(name))
    alone = evaluate(name, CROWDED, [8], options=OPTIONS.get(name))
    for metric, values in together.metrics.items():
        np.testing.assert_array_equal(values[1:2], alone.metrics[metric], err_msg=metric)
    np.testing.assert_array_equal(together.curve[1:2], alone.curve)


@pytest.mark.parametrize("name", AGENTS)
def test_single_observations_get_single_actions(name: str) -> None:
    env = gym.make("mec_moe/Offloading-v0", scenario=CROWDED)
    vector = OffloadingVectorEnv(1, CROWDED)
    options = OPTIONS.get(name, {})
    one = make_agent(name, env, seed=3, **options)
    many = make_agent(name, vector, seed=3, **options)
    observation, batch = env.reset(seed=5)[0], vector.reset(seed=5)[0]
    state = batch_state = None
    start = True
    for _ in range(CROWDED.horizon):
        action, state = one.predict(observation, state, np.array([start]))
        actions, batch_state = many.predict(batch, batch_state, np.array([start]))
        assert env.action_space.contains(action)
        assert actions.dtype == np.int64
        np.testing.assert_array_equal(action, actions[0])
        observation, batch = env.step(action)[0], vector.step(actions)[0]
        start = False


@pytest.mark.parametrize("name", ["gating", "profile", "guard", "topk"])
def test_episode_start_forgets_the_row_and_no_other(name: str) -> None:
    options: dict[str, Any] = {"noise": 0.0} if name == "gating" else {}
    env = OffloadingVectorEnv(2, CROWDED)
    agent = make_agent(name, env, **options)
    worn = learn_for(agent, env, 30)
    observation, _ = env.reset(seed=50)
    action, _ = agent.predict(observation, worn, np.array([True, False]))
    fresh, _ = agent.predict(observation, None, np.array([True, True]))
    # Row 1 still knows the tasks of the episode before, and so does not act like a new one.
    np.testing.assert_array_equal(action[0], fresh[0])
    assert (action[1] != fresh[1]).any()


def learn_for(agent: Agent, env: OffloadingVectorEnv, slots: int) -> Any:
    observation, _ = env.reset(seed=0)
    state, start = None, np.ones(env.num_envs, dtype=bool)
    for _ in range(slots):
        action, state = agent.predict(observation, state, start)
        observation = env.step(action)[0]
        start = np.zeros(env.num_envs, dtype=bool)
    return state


def test_random_agents_differ_by_seed_and_repeat() -> None:
    env = OffloadingVectorEnv(1, DEFAULT)
    observation, _ = env.reset(seed=0)

    def actions(seed: int) -> list[int]:
        agent = make_agent("random", env, seed=seed)
        state: Any = None
        chosen: list[int] = []
        for _ in range(20):
            action, state = agent.predict(observation, state)
            chosen.append(action[0, 0])
        return chosen

    assert actions(1) == actions(1) != actions(2)


@pytest.mark.parametrize("name", AGENTS)
def test_stable_baselines_evaluates_every_baseline(name: str) -> None:
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    monitor = pytest.importorskip("stable_baselines3.common.monitor")
    env = monitor.Monitor(OffloadingEnv(SMALL))
    agent = make_agent(name, env, **OPTIONS.get(name, {}))
    mean, deviation = evaluation.evaluate_policy(agent, env, n_eval_episodes=2)
    assert np.isfinite([mean, deviation]).all()
    assert mean < 0


@pytest.mark.parametrize("name", ["gating", "greedy-oracle"])
def test_stable_baselines_evaluates_on_several_environments(name: str) -> None:
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    build = pytest.importorskip("stable_baselines3.common.env_util").make_vec_env
    env = build(lambda: OffloadingEnv(SMALL), n_envs=3)
    returns, lengths = evaluation.evaluate_policy(
        make_agent(name, env), env, n_eval_episodes=6, return_episode_rewards=True
    )
    assert len(returns) == 6
    assert set(lengths) == {SMALL.horizon}


def test_a_stable_baselines_model_is_an_agent_as_it_is() -> None:
    ppo = pytest.importorskip("stable_baselines3").PPO
    model = ppo("MultiInputPolicy", OffloadingEnv(SMALL), n_steps=8, batch_size=8)
    episodes = run_episodes(model, OffloadingVectorEnv(3, SMALL), [0, 1, 2])
    assert np.isfinite(episodes.metrics["return"]).all()


@pytest.mark.parametrize(
    "build",
    [
        lambda: OffloadingEnv(SMALL),
        lambda: gym.make("mec_moe/Offloading-v0", scenario=SMALL),
        lambda: OffloadingVectorEnv(2, SMALL),
        lambda: gym.make_vec("mec_moe/Offloading-v0", 2, "sync", scenario=SMALL),
    ],
)
def test_agents_are_built_from_any_form_of_the_environment(build: Callable[[], Any]) -> None:
    env = build()
    agent = make_agent("greedy-oracle", env)
    observation, _ = env.reset(seed=1)
    action, _ = agent.predict(observation)
    assert env.action_space.contains(action)


def test_one_expert_per_task_leaves_topk_out() -> None:
    assert "topk" not in agent_names(DEFAULT)
    assert "topk" in agent_names(CROWDED)
    np.testing.assert_array_equal(
        evaluate("topk", SMALL, [1]).curve, evaluate("profile", SMALL, [1]).curve
    )


def test_topk_takes_its_gate() -> None:
    options = {"gate": "gating", "learning_rate": 1.0}
    chosen = evaluate("topk", CROWDED, [0], options=options).curve
    assert (chosen != evaluate("topk", CROWDED, [0]).curve).any()
    with pytest.raises(ValueError, match="did you mean 'gating'"):
        evaluate("topk", CROWDED, [0], options={"gate": "gatting"})


def test_unknown_agent_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="'gaurd': did you mean 'guard'"):
        make_agent("gaurd", OffloadingEnv())


def test_foreign_environments_are_refused() -> None:
    with pytest.raises(TypeError, match="mec_moe_env"):
        make_agent("random", gym.make("CartPole-v1"))


def test_a_state_of_another_batch_is_refused() -> None:
    env = OffloadingVectorEnv(2, SMALL)
    agent = make_agent("gating", env)
    observation, _ = env.reset(seed=0)
    _, state = agent.predict(observation)
    half = {key: entry[:1] for key, entry in observation.items()}
    with pytest.raises(ValueError, match="2 rows"):
        agent.predict(half, state)


def test_as_many_seeds_as_rows() -> None:
    env = OffloadingVectorEnv(2, SMALL)
    observation, _ = env.reset(seed=0)
    with pytest.raises(ValueError, match="3 seeds"):
        make_agent("random", env, seed=[1, 2, 3]).predict(observation)


@pytest.mark.parametrize("name", ["random", "gating", "learned"])
@pytest.mark.parametrize("whole", [np.int64, np.uint8, np.array])
def test_seeds_of_numpy_are_those_of_python(name: str, whole: Any) -> None:
    env = OffloadingVectorEnv(2)
    observation, _ = env.reset(seed=0)
    seeds: Any = (3, [3, 4], whole(3), [whole(3), whole(4)], np.array([3, 4]), range(3, 5))
    choices = [
        make_agent(name, env, seed=seed).predict(observation, deterministic=False)[0]
        for seed in seeds
    ]
    for choice in choices[1:]:
        np.testing.assert_array_equal(choice, choices[0])


@pytest.mark.parametrize("seed", [-1, 1.5, None, "7", [3, -4], True])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    env = OffloadingVectorEnv(2)
    agent = make_agent("random", env, seed=seed)
    with pytest.raises(ValueError, match=r"seed = .* must be an integer in \[0, inf\)"):
        agent.predict(env.reset(seed=0)[0])


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_options_of_numpy_are_those_of_python(kind: Any) -> None:
    env = DMoEVectorEnv(2)
    observation, _ = env.reset(seed=0)
    layers = [kind(1)] * env.config.num_layers
    agents = [
        make_agent("des", env, importance=importance)
        for importance in (1, kind(1), layers, np.array(layers))
    ]
    choices = [agent.predict(observation)[0] for agent in agents]
    for choice in choices[1:]:
        np.testing.assert_array_equal(choice, choices[0])
    limits = {"learning_rate": kind(1), "noise": kind(0)}
    make_agent("gating", OffloadingVectorEnv(2), **limits)
