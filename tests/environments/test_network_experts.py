"""Offloading where servers train networks: definition, identity, pairing, refusals."""

from typing import Any

import numpy as np
import pytest
from mec_moe_agents import agent_names, certified_bound, make_agent
from mec_moe_agents.planning import plan

from mec_moe_env import (
    OFFLOADING_PRESETS,
    OffloadingConfig,
    OffloadingEnv,
    OffloadingVectorEnv,
    foresight,
)
from tests.environments import networks
from tests.environments.test_offloading_reference import check_episode

SMALL: dict[str, Any] = {
    "tasks": "teacher",
    "experts": "mlp",
    "num_servers": 3,
    "num_types": 3,
    "feature_dim": 5,
    "samples_per_task": 6,
    "hidden_widths": (7, 5),
    "sgd_epochs": 2,
    "horizon": 40,
}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"expert_restart": True, "failure_rate": 0.2},
        {"expert_loss": "logistic", "sgd_batch": 100, "num_tasks": 2, "max_experts": 2},
    ],
    ids=["warm", "restart", "logistic"],
)
def test_episodes_follow_the_definition(fields: dict[str, Any]) -> None:
    env = OffloadingEnv(**SMALL | fields)
    check_episode(env, seed=5, legal_share=0.9, follow=networks.ReferenceNetworks)


def test_digits_follow_the_definition() -> None:
    env = OffloadingEnv("digits", experts="mlp", horizon=30)
    check_episode(env, seed=3, legal_share=1.0, follow=networks.ReferenceNetworks)


def test_drift_is_the_distance_of_all_parameters() -> None:
    env = OffloadingEnv(**SMALL)
    observation, _ = env.reset(seed=0)
    state, seen = env._simulator.state, 0
    for _ in range(20):
        before = state.model[0].copy()
        observation, *_ = env.step(env.action_space.sample(mask=_choices(env)))
        moved = np.linalg.norm(state.model[0] - before, axis=1)
        ended = observation["completed"] > 0
        np.testing.assert_allclose(observation["drift"][ended], moved[ended], rtol=1e-6)
        assert not moved[~ended].any()
        seen += int(ended.sum())
    assert seen > 5


def test_an_untrained_network_is_the_zero_model() -> None:
    for loss, zero in (("squared", 1.0), ("logistic", np.log(2.0))):
        env = OffloadingEnv(**SMALL | {"expert_loss": loss})
        env.reset(seed=1)
        np.testing.assert_allclose(env.model_errors(), zero, rtol=1e-12)
        np.testing.assert_allclose(env.rejection_errors(), zero, rtol=1e-15)


def test_initial_networks_are_the_episodes_own() -> None:
    env = OffloadingVectorEnv(2, "digits", experts="mlp")
    state = env._simulator.state
    env.reset(seed=[4, 4])
    first = state.initial.copy()
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(state.model, np.repeat(first[:, np.newaxis], 12, axis=1))
    env.reset()
    assert not np.array_equal(state.initial[0], first[0])
    env.reset(seed=[4, 5])
    np.testing.assert_array_equal(state.initial[0], first[0])
    assert not np.array_equal(state.initial[1], first[1])


def test_hidden_weights_have_the_variance_of_he() -> None:
    env = OffloadingEnv("digits", experts="mlp", hidden_widths=(300, 200))
    env.reset(seed=0)
    layers = networks.layers_of(env._simulator.state.initial[0], env.config)
    for (weights, bias), inputs in zip(layers[:2], (64, 300), strict=True):
        assert weights.std() == pytest.approx(np.sqrt(2 / inputs), rel=0.02)
        assert not bias.any()
    assert not layers[2][0].any()


def test_experts_change_neither_tasks_nor_channel() -> None:
    """Linear experts and networks meet the same on a seed: they can be compared in pairs."""
    linear, deep = (OffloadingEnv("digits", experts=experts) for experts in ("linear", "mlp"))
    for env in (linear, deep):
        env.reset(seed=8)
    rejects = np.array([12, 0])
    for _ in range(30):
        left, right = linear.step(rejects), deep.step(rejects)
        for key, entry in left[0].items():
            np.testing.assert_array_equal(entry, right[0][key])


def test_increments_come_true() -> None:
    env = OffloadingEnv(**SMALL | {"max_delay": 1, "num_servers": 2})
    env.reset(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        grown = env.error_increments()
        before = env._simulator.state.episodes["total_error"][0]
        server = int(rng.integers(2))
        *_, info = env.step(np.array([server, 0]))
        if info["accepted"]:
            after = env._simulator.state.episodes["total_error"][0]
            assert after - before == pytest.approx(grown[0, server], rel=1e-9, abs=1e-9)


def test_agents_that_can_act_do() -> None:
    config = OFFLOADING_PRESETS["digits"].override(experts="mlp", horizon=40)
    names = agent_names(config)
    assert {"gating", "profile", "guard", "des", "greedy-oracle"} <= set(names)
    assert not {"clairvoyant", "learned"} & set(names)
    for name in (*names, "learned"):
        env = OffloadingVectorEnv(2, config)
        agent, (observation, _), state = make_agent(name, env), env.reset(seed=0), None
        for _ in range(12):
            action, state = agent.predict(observation, state)
            observation, *_ = env.step(action)


def test_what_needs_linear_experts_says_so() -> None:
    config = OFFLOADING_PRESETS["digits"].override(experts="mlp", horizon=5)
    future = foresight(config, 0)
    for ask in (
        lambda: certified_bound(config, [0]),
        lambda: plan(config, future),
        lambda: make_agent("clairvoyant", OffloadingEnv(config)),
    ):
        with pytest.raises(ValueError, match="experts = 'mlp' is not allowed: .* 'linear'"):
            ask()


@pytest.mark.parametrize("scenario", ["default", "toy"])
def test_networks_want_heldout_samples(scenario: str) -> None:
    with pytest.raises(ValueError, match="experts = 'mlp'.* no held-out samples"):
        OffloadingEnv(scenario, experts="mlp")


@pytest.mark.parametrize("widths", [(64,), (64, 32, 16), 64, (64, 32.5), None])
def test_hidden_widths_are_a_pair(widths: Any) -> None:
    with pytest.raises(ValueError, match="hidden_widths = .* must be a pair"):
        OffloadingConfig(hidden_widths=widths)


def _choices(env: OffloadingEnv) -> tuple[np.ndarray, ...]:
    mask = env.action_masks().astype(np.int8)
    return tuple(np.split(mask, np.cumsum(env.action_space.nvec)[:-1]))
