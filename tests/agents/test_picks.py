"""What a pick costs, which picks are possible, and what becomes of preferences."""

from typing import Any

import numpy as np
import pytest
from mec_moe_agents.offloading.picks import Openings, accepted_picks, greedy_action, pick_costs

from mec_moe_env import OffloadingConfig, OffloadingVectorEnv, Slot
from tests.agents.slots import make_slot

NEVER = -np.inf
CONFIG = OffloadingConfig(num_servers=3, num_subcarriers=2, feature_dim=2, samples_per_task=1)
CROWDED: dict[str, Any] = {
    "scenario": "joint",
    "num_servers": 7,
    "num_subcarriers": 3,
    "failure_rate": 0.1,
}


def test_costs_by_hand() -> None:
    slot = make_slot()
    slot.spectral_efficiency[0, 0, 1] = [2.0, 8.0]
    slot.subcarrier_busy[0, 1] = 0.2
    costs = pick_costs(slot, CONFIG)
    # 1 Mbit over 1 MHz at 2 bit/s/Hz: 0.5 s at 0.1 W; computing takes 0.01 s and 0.01 J.
    np.testing.assert_allclose(costs.joules[0, 0, :2], [0.01, 0.06], rtol=1e-6)
    np.testing.assert_allclose(costs.seconds[0, 0, :2], [0.01, 0.51], rtol=1e-6)
    np.testing.assert_allclose(costs.delay_slots[0, 0, :2], [1.0, 5.0])
    weighted = CONFIG.energy_weight * costs.joules + CONFIG.delay_weight * costs.delay_slots
    np.testing.assert_array_equal(costs.weighted(CONFIG), weighted)


def test_a_result_travels_back_over_the_same_link() -> None:
    slot = make_slot()
    slot.spectral_efficiency[0, 0, 1] = [2.0, 1.0]
    costs = pick_costs(slot, CONFIG.override(result_mbit=0.6))
    # 1.6 Mbit over 1 MHz at 2 bit/s/Hz: 0.8 s at 0.1 W; nothing travels in-situ.
    np.testing.assert_allclose(costs.joules[0, 0, :2], [0.01, 0.09], rtol=1e-6)
    np.testing.assert_allclose(costs.seconds[0, 0, :2], [0.01, 0.81], rtol=1e-6)


def test_costs_are_those_of_the_subcarriers_that_are_left() -> None:
    slot = make_slot()
    slot.spectral_efficiency[0, 0, 1] = [2.0, 8.0]
    one, none = (pick_costs(slot, CONFIG, np.array([free])) for free in ([1, 0], [0, 0]))
    assert one.seconds[0, 0, 1] == pytest.approx(0.51)
    worst = 1.0 / CONFIG.min_spectral_efficiency
    assert none.seconds[0, 0, 1] == pytest.approx(worst + 0.01)
    assert none.seconds[0, 0, 0] == pytest.approx(0.01)


@pytest.mark.parametrize("options", [CROWDED, {"scenario": "scarce"}])
def test_costs_are_the_environments(options: dict[str, Any]) -> None:
    """What the picks of a slot were said to cost is what the environment then reports."""
    env = OffloadingVectorEnv(3, horizon=60, **options)
    config = env.config
    observation, _ = env.reset(seed=0)
    preference = np.random.default_rng(0)
    for _ in range(60):
        slot = Slot.read(observation, config)
        action = np.zeros((3, *config.action_shape), np.int64)
        action[..., 0] = config.num_servers
        openings, joules, slots = Openings(slot), np.zeros(3), np.zeros(3)
        for u in range(config.num_tasks):
            costs = pick_costs(slot, config, openings.free)
            drawn = np.where(openings.available(u), preference.random(slot.busy.shape), 0.0)
            servers = np.where(drawn.any(axis=1), drawn.argmax(axis=1), config.num_servers)
            action[:, u, 0] = openings.serve(u, servers)
            rows = np.flatnonzero(servers < config.num_servers)
            joules[rows] += costs.joules[rows, u, servers[rows]]
            slots[rows] += costs.delay_slots[rows, u, servers[rows]]
        observation, _, _, _, infos = env.step(action.reshape(3, -1))
        assert infos["dropped_picks"].sum() == 0
        np.testing.assert_allclose(infos["energy_j"], joules, rtol=1e-5)
        np.testing.assert_array_equal(infos["delay_slots"], slots)


@pytest.mark.parametrize("options", [CROWDED, {"scenario": "scarce"}])
def test_accepted_picks_are_the_environments(options: dict[str, Any]) -> None:
    env = OffloadingVectorEnv(3, horizon=60, **options)
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    dropped = 0
    for _ in range(60):
        action = env.action_space.sample()
        slot = Slot.read(observation, env.config)
        taken = accepted_picks(slot, action, env.config) < env.config.num_servers
        observation, _, _, _, infos = env.step(action)
        np.testing.assert_array_equal(taken.any(axis=2).sum(axis=1), infos["accepted"])
        wanted = action.reshape(*taken.shape, 2)[..., 0] < env.config.num_servers
        left = (wanted & ~taken).sum(axis=(1, 2))
        np.testing.assert_array_equal(left, infos["dropped_picks"])
        dropped += int(infos["dropped_picks"].sum())
    assert dropped > 0


def test_takes_the_most_preferred_server_over_the_best_subcarrier() -> None:
    slot = make_slot(subcarriers=3)
    slot.spectral_efficiency[0, 0, 2] = [1.0, 5.0, 4.0]
    action = greedy_action(np.array([[[0.0, 1.0, 2.0]]]), slot, picks=1, max_experts=1)
    assert action.tolist() == [[[[2, 1]]]]


def test_busy_servers_and_subcarriers_are_passed_over() -> None:
    slot = make_slot(subcarriers=3)
    slot.spectral_efficiency[0, 0, 1] = [1.0, 5.0, 4.0]
    slot.busy[0, 2] = 0.2
    slot.subcarrier_busy[0, 1] = 0.2
    action = greedy_action(np.array([[[0.0, 1.0, 2.0]]]), slot, picks=1, max_experts=1)
    assert action.tolist() == [[[[1, 2]]]]


def test_without_a_free_subcarrier_only_the_origin_serves() -> None:
    slot = make_slot(batch=2)
    slot.subcarrier_busy[:] = 1.0
    slot.busy[1, 0] = 1.0
    action = greedy_action(np.array([[[0.0, 1.0, 2.0]]] * 2), slot, picks=1, max_experts=1)
    assert action[:, 0, 0, 0].tolist() == [0, 3]


def test_in_situ_takes_no_subcarrier() -> None:
    slot = make_slot(tasks=2, subcarriers=1)
    preference = np.array([[[2.0, 1.0, NEVER], [2.0, 1.0, NEVER]]])
    action = greedy_action(preference, slot, picks=1, max_experts=1)
    assert action[0, :, 0].tolist() == [[0, 0], [1, 0]]


def test_every_task_gets_a_first_expert_before_any_gets_a_second() -> None:
    slot = make_slot(tasks=2, servers=4, subcarriers=4)
    preference = np.array([[[4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]]])
    action = greedy_action(preference, slot, picks=2, max_experts=2)
    assert action[0, :, :, 0].tolist() == [[0, 2], [1, 3]]
    sent = action[0, :, :, 1].ravel()[1:]
    assert len(set(sent.tolist())) == 3


def test_never_means_rejected() -> None:
    action = greedy_action(np.full((1, 1, 3), NEVER), make_slot(), picks=1, max_experts=2)
    assert action[0, 0, :, 0].tolist() == [3, 3]
