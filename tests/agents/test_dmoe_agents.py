"""Promises that every DMoE agent keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from mec_moe_agents import agent_names, evaluate, make_agent
from mec_moe_agents.dmoe.agent import Plan
from mec_moe_agents.dmoe.catalogue import DMOE_AGENTS
from mec_moe_agents.dmoe.layer import ThresholdSchedule, layer_bound, same_for_all_layers
from mec_moe_agents.dmoe.schedulers import assign_exactly, keep_servable
from numpy.typing import NDArray

from mec_moe_env import DMOE_PRESETS, DMoEConfig, DMoEEnv, DMoEVectorEnv, Layer

AGENTS = [name for name in DMOE_AGENTS if name != "learned"]  # it has tests/importance
BY_ENERGY = ("des", "jesa", "jesa-plus", "exact")
DEFAULT = DMOE_PRESETS["default"]
SHAKY = DEFAULT.override(failure_rate=0.3, count_backward=True, csi_delay=1, num_layers=3)
TIGHT = DEFAULT.override(num_subcarriers=3, num_layers=3)
SCENES = {
    "default": DEFAULT,
    "paper": DMOE_PRESETS["paper"],
    "digits-moe": DMOE_PRESETS["digits-moe"],
    "large": DMOE_PRESETS["large"].override(num_layers=2, tokens_per_source=2),
    "massive": DMOE_PRESETS["massive"].override(num_layers=2, tokens_per_source=4),
    "shaky": SHAKY,
    "tight": TIGHT,
    "toy": DMOE_PRESETS["toy"],
}
OPTIONS = {"jesa-plus": {"effort": 20}, "optimal": {"patience": 10}}


def run(
    name: str, config: DMoEConfig, seeds: Sequence[int] = range(3), **options: Any
) -> dict[str, NDArray[np.float64]]:
    metrics = evaluate(name, config, seeds, options={**OPTIONS.get(name, {}), **options}).metrics
    return dict(metrics)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", DMOE_AGENTS)
def test_no_pick_is_ever_dropped(name: str, scene: str) -> None:
    config = SCENES[scene]
    if name not in agent_names(config):
        pytest.skip("the agent does not serve the scenario")
    if (name, scene) == ("jesa-plus", "large"):
        pytest.skip("slow")
    seeds = range(1 if scene in ("large", "massive") else 3)
    assert run(name, config, seeds)["dropped_picks"].tolist() == [0.0] * len(seeds)


@pytest.mark.parametrize("name", AGENTS)
def test_an_episode_does_not_depend_on_its_batch(name: str) -> None:
    together, alone = run(name, SHAKY, [7, 8, 9]), run(name, SHAKY, [8])
    for metric, values in together.items():
        np.testing.assert_array_equal(values[1:2], alone[metric], err_msg=metric)


@pytest.mark.parametrize("name", AGENTS)
def test_single_observations_get_single_actions(name: str) -> None:
    env = gym.make("mec_moe/DMoE-v0", scenario=SHAKY)
    vector = DMoEVectorEnv(1, SHAKY)
    one, many = make_agent(name, env, seed=3), make_agent(name, vector, seed=3)
    observation, batch = env.reset(seed=5)[0], vector.reset(seed=5)[0]
    state = batch_state = None
    for _ in range(SHAKY.num_layers):
        action, state = one.predict(observation, state)
        actions, batch_state = many.predict(batch, batch_state)
        assert env.action_space.contains(action)
        np.testing.assert_array_equal(action, actions[0])
        observation, batch = env.step(action)[0], vector.step(actions)[0]
    final, _ = many.predict(batch, batch_state)  # as NEXT_STEP autoreset asks for
    assert vector.action_space.contains(final)


@pytest.mark.parametrize("name", AGENTS)
def test_stable_baselines_evaluates_every_baseline(name: str) -> None:
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    build = pytest.importorskip("stable_baselines3.common.env_util").make_vec_env
    env = build(lambda: DMoEEnv(SHAKY), n_envs=2)
    returns, lengths = evaluation.evaluate_policy(
        make_agent(name, env), env, n_eval_episodes=3, return_episode_rewards=True
    )
    assert np.isfinite(returns).all()
    assert set(lengths) == {SHAKY.num_layers}


@pytest.mark.parametrize("name", ["topk", "des", "jesa", "jesa-plus"])
def test_thresholds_are_met_wherever_they_can_be(name: str) -> None:
    # The environment checks in float64 what agents see in float32.
    found = run(name, DMOE_PRESETS["paper"], range(30))
    assert found["cost"].tolist() == [0.0] * 30


def test_nobody_is_the_floor() -> None:
    found = run("no-expert", DEFAULT, range(5))
    assert found["experts_per_token"].tolist() == found["energy_j"].tolist() == [0.0] * 5
    # Every token pays double of what serving it takes, in each of four layers.
    assert found["return"].tolist() == [-8.0] * 5
    assert found["cost"].tolist() == [32.0] * 5
    # Serving takes at most what it is measured by.
    assert (run("topk", DEFAULT, range(5))["return"] >= -4.0).all()


def test_the_better_the_scheduler_the_less_energy() -> None:
    crowded = DEFAULT.override(num_subcarriers=12, doppler_hz=float("inf"))
    active = [name for name in AGENTS if name != "no-expert"]
    spent = {name: run(name, crowded, range(12))["energy_j"] for name in active}
    slack = 1e-6
    assert (spent["exact"] <= spent["jesa-plus"] * (1 + slack)).all()
    assert (spent["jesa-plus"] <= spent["jesa"] * (1 + slack)).all()
    assert (spent["jesa"] <= spent["des"] * (1 + slack)).all()
    assert spent["exact"].sum() < spent["des"].sum() < spent["topk"].sum() < spent["random"].sum()


@pytest.mark.parametrize("scenario", ["large", "massive"])
def test_thresholds_leave_a_choice_at_scale_too(scenario: str) -> None:
    config = DMOE_PRESETS[scenario].override(num_layers=4)
    top, found = run("topk", config, [0, 1]), run("jesa", config, [0, 1])
    assert (found["energy_j"] < 0.9 * top["energy_j"]).all()
    np.testing.assert_array_equal(found["violated"], top["violated"])
    assert not top["violated"].any()


def test_des_is_next_to_jesa_where_subcarriers_abound() -> None:
    des, jesa = (run(name, DMOE_PRESETS["paper"], range(6))["energy_j"] for name in ("des", "jesa"))
    np.testing.assert_allclose(des, jesa, rtol=2e-3)


def test_the_bound_is_below_the_optimum_and_near_it() -> None:
    env = DMoEVectorEnv(8, DEFAULT)
    agent, schedule = make_agent("exact", env), ThresholdSchedule(DEFAULT)
    observation, _ = env.reset(seed=0)
    for _ in range(DEFAULT.num_layers):
        bound = layer_bound(Layer.read(observation, DEFAULT), schedule, DEFAULT)
        action, _ = agent.predict(observation)
        observation, _, _, _, info = env.step(action)
        assert (bound <= info["energy_j"] * (1 + 1e-6)).all()
        assert bound.sum() > 0.8 * info["energy_j"].sum()


def test_agents_aim_a_little_above_the_threshold() -> None:
    layer = Layer.read(DMoEVectorEnv(1, DEFAULT).reset(seed=0)[0], DEFAULT)
    aimed = ThresholdSchedule(DEFAULT).thresholds(layer)[0]
    assert 0.8 * (1 + 5e-7) < aimed < 0.8 * (1 + 2e-6)


def test_energy_is_per_token() -> None:
    found = run("topk", DEFAULT)
    np.testing.assert_allclose(found["energy_per_token_j"], found["energy_j"] / 8)


def test_the_toy_optimum_is_found() -> None:
    # By hand: layer 1 needs both experts for every token, layer 2 one expert for each.
    for name in BY_ENERGY:
        found = run(name, DMOE_PRESETS["toy"], [0])
        assert found["energy_j"][0] == pytest.approx(0.22)
        assert found["experts_per_token"][0] == 1.5
        assert found["violated"][0] == 0.0


@pytest.mark.parametrize("name", BY_ENERGY)
def test_schedules_say_how_much_relevance_is_asked_for(name: str) -> None:
    plain = run(name, DEFAULT)
    same = run(name, DEFAULT, importance=0.8)
    listed = run(name, DEFAULT, importance=[0.8**layer for layer in (1, 2, 3, 4)])
    lower = run(name, DEFAULT, importance=0.5)
    nothing = run(name, DEFAULT, qos=0.0)
    for metric, values in plain.items():
        np.testing.assert_array_equal(values, same[metric], err_msg=metric)
        np.testing.assert_array_equal(values, listed[metric], err_msg=metric)
    assert lower["energy_j"].sum() < plain["energy_j"].sum()
    assert nothing["energy_j"].tolist() == [0.0] * 3


def test_homogeneous_asks_for_the_mean_threshold_in_every_layer() -> None:
    layer = Layer.read(DMoEVectorEnv(2, DEFAULT).reset(seed=0)[0], DEFAULT)
    mean = np.mean([0.8**exponent for exponent in (1, 2, 3, 4)])
    np.testing.assert_allclose(same_for_all_layers(DEFAULT).thresholds(layer), mean, rtol=2e-6)
    np.testing.assert_allclose(same_for_all_layers(DEFAULT, 0.4).thresholds(layer), 0.4, rtol=2e-6)
    assert run("homogeneous", DEFAULT, qos=0.0)["energy_j"].sum() == 0.0


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("jesa", {"importance": 1.5}, "importance = 1.5"),
        ("des", {"importance": [0.5, 0.5]}, "num_layers = 4"),
        ("jesa", {"qos": -0.1}, "qos = -0.1"),
        ("jesa-plus", {"effort": 0}, "effort = 0"),
        ("exact", {"time_limit": 0}, "time_limit = 0"),
    ],
)
def test_bad_options_are_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_agent(name, DMoEEnv(), **options)


def test_exact_refuses_large_scenarios() -> None:
    with pytest.raises(ValueError, match="this scenario has 16384: take jesa-plus"):
        make_agent("exact", DMoEEnv("paper"))
    assert "exact" not in agent_names(DMOE_PRESETS["paper"])
    assert agent_names(DEFAULT) == AGENTS


def test_a_state_of_another_batch_is_refused() -> None:
    env = DMoEVectorEnv(2, DEFAULT)
    agent = make_agent("random", env)
    observation, _ = env.reset(seed=0)
    _, state = agent.predict(observation)
    with pytest.raises(ValueError, match="2 rows"):
        agent.predict({key: entry[:1] for key, entry in observation.items()}, state)


def test_random_agents_differ_by_seed_and_repeat() -> None:
    first, again, other = (run("random", DEFAULT, [seed]) for seed in (1, 1, 2))
    assert first["energy_j"] == again["energy_j"] != other["energy_j"]


def hand_made(gate: list[Any], efficiency: Any, config: DMoEConfig) -> Layer:
    n, K = len(gate), config.num_nodes
    return Layer(
        gate=np.array(gate, dtype=np.float32),
        spectral_efficiency=np.array(efficiency, dtype=np.float32),
        compute_energy=np.zeros((n, K), dtype=np.float32),
        available=np.ones((n, K), dtype=np.float32),
        layer=np.zeros((n, config.num_layers), dtype=np.float32),
        importance=np.ones((n, 1), dtype=np.float32),
    )


def test_too_many_links_keep_the_most_relevant() -> None:
    config = DMoEConfig(num_nodes=3, num_sources=1, tokens_per_source=2, num_subcarriers=1)
    layer = hand_made([[[[0.2, 0.5, 0.3], [0.2, 0.1, 0.7]]]], np.ones((1, 1, 3, 1)), config)
    everything = np.ones((1, 1, 2, 3), dtype=bool)
    kept = keep_servable(everything, layer, config)
    # In-situ needs no subcarrier; link 0→2 carries 1.0, link 0→1 only 0.6.
    assert kept[0, 0].tolist() == [[True, False, True]] * 2
    assert assign_exactly(everything, layer, config).subcarrier.tolist() == [[[-1, -1, 0]]]


def test_the_assignment_is_the_cheapest() -> None:
    config = DMoEConfig(num_nodes=3, num_sources=1, tokens_per_source=1, num_subcarriers=2)
    efficiency = [[[[1, 1], [8, 4], [8, 1]]]]
    layer = hand_made([[[[0.2, 0.4, 0.4]]]], efficiency, config)
    selected = np.array([[[[False, True, True]]]])
    # Both links hear subcarrier 0 best; the one that loses less goes to subcarrier 1.
    assert assign_exactly(selected, layer, config).subcarrier.tolist() == [[[-1, 1, 0]]]


def test_plans_become_actions() -> None:
    plan = Plan(
        np.array([[[[True, False, True], [False, False, False], [False, True, False]]]]),
        np.array([[[-1, 4, 2]]]),
    )
    assert plan.action(2).tolist() == [[0, 2, 3, 3, 1, 3, 0, 4, 2]]
    assert plan.action(5).shape == (1, 3 * 5 + 3)
