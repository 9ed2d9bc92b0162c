"""The gating network of Li & Duan 2024 learns as its equations say."""

from typing import Any

import numpy as np
import pytest
from mec_moe_agents import GatingNetwork

from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.moe.model import softmax
from tests.agents.slots import make_slot

CONFIG = OffloadingConfig(num_servers=3, num_subcarriers=2, feature_dim=2, samples_per_task=1)
MANY = CONFIG.override(num_servers=7, max_delay=2)
"""More servers than tasks can be under way."""
FIRST = np.array([[[0]]])


def completed_slot(server: int, drift: float, servers: int = 3) -> Slot:
    slot = make_slot(servers=servers)
    slot.completed[0, server] = 1.0
    slot.drift[0, server] = drift
    return slot


def test_one_step_of_equation_13() -> None:
    gate = GatingNetwork(CONFIG, learning_rate=3.0, noise=0.0)
    state = gate.start(1)
    slot = make_slot()
    slot.task[0, 0] = [2.0, -1.0]
    gate.remember(state, slot, FIRST)
    gate.learn(state, completed_slot(0, drift=0.5))
    # π = 1/3 each; θ_0 moves by −3·0.5·(1/3)·(1 − 1/3)·x, the others by −3·0.5·(1/3)·(−1/3)·x.
    expected = np.array([[-2 / 3, 1 / 3], [1 / 3, -1 / 6], [1 / 3, -1 / 6]])
    np.testing.assert_allclose(state.theta[0], expected, rtol=1e-12)


@pytest.mark.parametrize("config", [CONFIG, MANY], ids=["per-server", "ring"])
@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize(
    ("moment", "theta"),
    [("arrival", [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), ("completion", [[0.0, 0.0]] * 3)],
)
def test_softmax_is_of_the_gate_at_arrival_or_at_completion(
    moment: str, theta: Any, noisy: bool, config: OffloadingConfig
) -> None:
    gate = GatingNetwork(
        config, learning_rate=1.0, noise=0.3, softmax_at=moment, softmax_noise=noisy
    )
    M = config.num_servers
    state = gate.start(1)
    state.theta[0, :3] = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    slot = make_slot(servers=M)
    slot.task[0, 0] = [1.0, 2.0]
    noise = gate.relevance(state, slot)[0, 0] - [1.0, 2.0, 1.5, *[0.0] * (M - 3)]
    gate.remember(state, slot, np.array([[[2]]]))
    other = make_slot(servers=M)
    other.task[0, 0] = [7.0, 7.0]
    gate.relevance(state, other)
    gate.remember(state, other, np.array([[[1]]]))
    state.theta[0] = 0.0  # what else was learned in between
    done = completed_slot(2, drift=2.0, servers=M)
    gate.learn(state, done)
    logits = np.zeros(M)
    logits[:3] = np.array(theta) @ [1.0, 2.0]
    share = np.exp(logits + noise * noisy)
    share /= share.sum()
    slope = 2.0 * share[2] * ((np.arange(M) == 2) - share)
    np.testing.assert_allclose(state.theta[0], -np.outer(slope, [1.0, 2.0]), rtol=1e-6, atol=1e-9)


def test_gate_and_noise() -> None:
    state = GatingNetwork(CONFIG).start(2)
    noisy = GatingNetwork(CONFIG, noise=0.3)
    state.theta[1] = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    slot = make_slot(batch=2)
    slot.task[1, 0] = [2.0, 3.0]
    noise = noisy.relevance(state, slot) - [[[0, 0, 0]], [[2.0, 3.0, 2.5]]]
    assert np.all((noise >= 0) & (noise <= 0.3))
    assert np.unique(noise).size == 6


def test_two_completions_in_one_slot_are_learned_one_after_the_other() -> None:
    gate = GatingNetwork(CONFIG, noise=0.0, softmax_at="completion")
    together, apart = gate.start(1), gate.start(1)
    for state in (together, apart):
        state.pending.features[0] = [[1.0, 0.5], [-0.5, 1.0], [0.0, 0.0]]
    both = completed_slot(0, 0.5)
    both.completed[0, 1], both.drift[0, 1] = 1.0, 0.7
    gate.learn(together, both)
    gate.learn(apart, completed_slot(0, 0.5))
    gate.learn(apart, completed_slot(1, 0.7))
    np.testing.assert_array_equal(together.theta, apart.theta)


def test_load_balance_pushes_the_crowded_server_down() -> None:
    gate = GatingNetwork(CONFIG, noise=0.0, load_balance=0.1, learning_rate=1.0)
    state = gate.start(1)
    gate.remember(state, make_slot(), FIRST)
    gate.learn(state, completed_slot(0, drift=0.0))
    # α·M·π_j·(f_j − Σ f·π) with π = 1/3, f = (1, 0, 0), x = (1, 1).
    expected = -0.1 * 3 / 3 * (np.array([1.0, 0.0, 0.0]) - 1 / 3)
    np.testing.assert_allclose(state.theta[0, :, 0], expected, rtol=1e-12)


def test_joining_a_running_episode_is_harmless() -> None:
    gate = GatingNetwork(CONFIG, load_balance=0.1)
    state = gate.start(1)
    gate.learn(state, completed_slot(1, drift=0.5))
    assert not state.theta.any()


def test_load_balance_by_rounds_adds_to_the_drift() -> None:
    gate = GatingNetwork(CONFIG, noise=0.0, load_balance=0.5, load="round", learning_rate=1.0)
    state = gate.start(1)
    gate.remember(state, make_slot(), np.array([[[1]]]))
    gate.remember(state, make_slot(), FIRST)
    gate.learn(state, completed_slot(0, drift=0.25))
    # Server 0 took the second task, t = 1: (‖Δw‖ + α·M/(t + 1))·π_0·(1{j = 0} − π_j), π = 1/3.
    expected = -(0.25 + 0.5 * 3 / 2) / 3 * (np.array([1.0, 0.0, 0.0]) - 1 / 3)
    np.testing.assert_allclose(state.theta[0, :, 0], expected, rtol=1e-12)


def flags(state: Any) -> list[int]:
    return np.flatnonzero(state.converged[0]).tolist()


def test_early_termination_flags_for_good_who_is_close_to_the_chosen_one() -> None:
    # T_1 = M/η = 2: the tasks 0 and 1 flag nobody.
    gate = GatingNetwork(CONFIG, early_termination=0.5, learning_rate=1.5, noise=0.0)
    state = gate.start(1)
    state.theta[0, :, 0] = [1.0, 1.4, 3.0]
    for _ in range(2):
        gate.remember(state, make_slot(), FIRST)
    assert flags(state) == []
    gate.remember(state, make_slot(), FIRST)
    assert flags(state) == [1]  # |1.4 − 1.0| < 0.5, but |3.0 − 1.0| is not
    state.theta[0, :, 0] = [1.0, 9.0, 3.0]
    gate.remember(state, make_slot(), FIRST)
    assert flags(state) == [1]
    gate.learn(state, completed_slot(0, drift=1.0))
    assert state.theta[0, 0, 0] != 1.0  # a flag is missing
    state.theta[0, :, 0] = [1.0, 1.5, 1.2]
    gate.remember(state, make_slot(), np.array([[[2]]]))
    assert flags(state) == [0, 1]
    gate.remember(state, make_slot(), np.array([[[1]]]))
    assert flags(state) == [0, 1, 2]
    frozen = state.theta.copy()
    gate.learn(state, completed_slot(1, drift=1.0))
    np.testing.assert_array_equal(state.theta, frozen)


def test_noise_counts_in_the_gap_where_it_counts_in_the_softmax() -> None:
    for noisy, expected in ((False, [1, 2]), (True, [2])):
        gate = GatingNetwork(CONFIG, early_termination=0.1, learning_rate=9.0, softmax_noise=noisy)
        state = gate.start(1)
        state.arrived[:] = 1
        state.drawn[0, 0] = [0.0, 0.2, 0.05]
        gate.remember(state, make_slot(), FIRST)
        assert flags(state) == expected


def test_so_many_rounds_are_learned_from_in_any_case() -> None:
    gate = GatingNetwork(CONFIG, early_termination=1.0, least_rounds=2, noise=0.0)
    state = gate.start(1)
    state.converged[:] = True
    for moves in (True, True, False):
        gate.remember(state, make_slot(), FIRST)
        before = state.theta.copy()
        gate.learn(state, completed_slot(0, drift=1.0))
        assert (state.theta != before).any() == moves


def test_reset_forgets_only_the_rows_that_begin() -> None:
    gate = GatingNetwork(CONFIG)
    state = gate.start(2)
    state.theta[:] = 1.0
    gate.reset(state, np.array([True, False]))
    assert not state.theta[0].any()
    assert state.theta[1].all()


def test_softmax_survives_large_gates() -> None:
    gates = np.array([1e4, 1e4, -1e4])
    softmax(gates)
    np.testing.assert_allclose(gates, [0.5, 0.5, 0.0])


def test_features_are_the_sum_or_its_direction() -> None:
    slot = make_slot()
    slot.task[0, 0] = [3.0, -4.0]
    for features, x in (("sum", [3.0, -4.0]), ("direction", [0.6, -0.8])):
        gate = GatingNetwork(CONFIG, learning_rate=9.0, noise=0.0, features=features)
        state = gate.start(1)
        gate.remember(state, slot, FIRST)
        gate.learn(state, completed_slot(0, drift=0.5))
        # θ_0 = −9·0.5·(1/3)·(1 − 1/3)·x = −x.
        np.testing.assert_allclose(state.theta[0, 0], -np.array(x), rtol=1e-6)
        np.testing.assert_allclose(gate.relevance(state, slot)[0, 0, 0], -np.dot(x, x), rtol=1e-6)


def test_relative_drift_is_in_proportion_to_the_mean_so_far() -> None:
    gate = GatingNetwork(CONFIG, learning_rate=1.0, noise=0.0, drift="relative")
    state = gate.start(1)
    expected = np.zeros(3)
    # ‖Δw‖ / mean − 1: 0.5 / 0.5 − 1, then 0.1 / 0.3 − 1, then 1.2 / 0.6 − 1.
    for drift, loss in ((0.5, 0.0), (0.1, -2 / 3), (1.2, 1.0)):
        share = np.exp(2.0 * expected) / np.exp(2.0 * expected).sum()  # x = (1, 1)
        gate.remember(state, make_slot(), FIRST)
        gate.learn(state, completed_slot(0, drift=drift))
        expected -= loss * share[0] * (np.array([1.0, 0.0, 0.0]) - share)
        np.testing.assert_allclose(state.theta[0, :, 0], expected, rtol=1e-6, atol=1e-9)
    gate.reset(state, np.array([True]))
    assert not state.trainings.any()


def test_relative_drift_of_trainings_that_moved_nothing_is_none() -> None:
    gate = GatingNetwork(CONFIG, drift="relative")
    state = gate.start(1)
    gate.remember(state, make_slot(), FIRST)
    gate.learn(state, completed_slot(0, drift=0.0))
    assert not state.theta.any()


@pytest.mark.parametrize("moment", ["arrival", "completion"])
def test_softmax_over_idle_servers_leaves_busy_ones_where_they_are(moment: str) -> None:
    gate = GatingNetwork(
        CONFIG, learning_rate=1.0, noise=0.0, softmax_over="idle", softmax_at=moment
    )
    state = gate.start(1)
    slot = make_slot()
    slot.busy[0, 2] = 1.0
    gate.remember(state, slot, FIRST)
    gate.learn(state, completed_slot(0, drift=0.75))
    # π = (1/2, 1/2, 0): 0.75·(1/2)·(1{j = 0} − π_j), x = (1, 1).
    np.testing.assert_allclose(state.theta[0, :, 0], [-0.1875, 0.1875, 0.0], rtol=1e-12)


def test_options_left_out_are_those_of_the_kind_of_experts() -> None:
    paper: dict[str, Any] = {"learning_rate": 3.0, "noise": 0.3}
    paper |= {"features": "sum", "drift": "absolute", "softmax_over": "all"}
    networks = CONFIG.override(tasks="teacher", experts="mlp")
    deep: dict[str, Any] = {"learning_rate": 50.0, "noise": 0.3}
    deep |= {"features": "direction", "drift": "relative", "softmax_over": "idle"}
    slot = make_slot()
    slot.task[0, 0] = [2.0, -1.0]
    slot.busy[0, 1] = 1.0
    for config, options in ((CONFIG, paper), (networks, deep)):
        thetas = []
        for given in ({}, options):
            gate = GatingNetwork(config, **given)
            state = gate.start(1)
            for drift in (0.5, 0.2):
                gate.relevance(state, slot)
                gate.remember(state, slot, FIRST)
                gate.learn(state, completed_slot(0, drift=drift))
            thetas.append(state.theta)
        assert thetas[0].any()
        np.testing.assert_array_equal(thetas[0], thetas[1])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("learning_rate", 0.0),
        ("noise", -0.1),
        ("load_balance", -1.0),
        ("early_termination", float("nan")),
        ("least_rounds", -1),
        ("softmax_at", "departure"),
        ("softmax_noise", 1),
        ("load", "rounds"),
        ("features", "mean"),
        ("drift", ""),
        ("softmax_over", "busy"),
    ],
)
def test_bad_options_are_named(option: str, value: Any) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ValueError, match=option):
        GatingNetwork(CONFIG, **options)
