"""The gating network of Li & Duan 2024 learns as its equations say."""

from typing import Any

import numpy as np
import pytest
from mec_moe_agents import GatingNetwork

from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.moe.model import softmax
from tests.agents.slots import make_slot

CONFIG = OffloadingConfig(num_servers=3, num_subcarriers=2, feature_dim=2, samples_per_task=1)
FIRST = np.array([[[0]]])


def completed_slot(server: int, drift: float) -> Slot:
    slot = make_slot()
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


def test_second_step_takes_the_softmax_of_the_present_gate() -> None:
    gate = GatingNetwork(CONFIG, learning_rate=1.0, noise=0.0)
    state = gate.start(1)
    state.theta[0] = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    slot = make_slot()
    slot.task[0, 0] = [1.0, 2.0]
    gate.remember(state, slot, np.array([[[2]]]))
    before = state.theta[0].copy()
    gate.learn(state, completed_slot(2, drift=2.0))
    share = np.exp([1.0, 2.0, 1.5]) / np.exp([1.0, 2.0, 1.5]).sum()
    slope = 2.0 * share[2] * (np.array([0.0, 0.0, 1.0]) - share)
    np.testing.assert_allclose(state.theta[0], before - np.outer(slope, [1.0, 2.0]), rtol=1e-12)


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
    gate = GatingNetwork(CONFIG, noise=0.0)
    together, apart = gate.start(1), gate.start(1)
    for state in (together, apart):
        state.features[0] = [[1.0, 0.5], [-0.5, 1.0], [0.0, 0.0]]
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


def test_early_termination_freezes_the_gate_once_all_gaps_are_small() -> None:
    gate = GatingNetwork(CONFIG, early_termination=0.01, learning_rate=3.0)
    state = gate.start(1)
    for server in (0, 1):
        gate.remember(state, make_slot(), np.array([[[server]]]))
    gate.learn(state, completed_slot(1, drift=0.001))
    assert state.theta.any()
    gate.remember(state, make_slot(), np.array([[[2]]]))
    frozen = state.theta.copy()
    gate.learn(state, completed_slot(2, drift=1.0))
    np.testing.assert_array_equal(state.theta, frozen)


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


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("learning_rate", 0.0),
        ("noise", -0.1),
        ("load_balance", -1.0),
        ("early_termination", float("nan")),
    ],
)
def test_bad_options_are_named(option: str, value: float) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ValueError, match=option):
        GatingNetwork(CONFIG, **options)
