"""DES and JESA in Offloading."""

from typing import Any

import numpy as np
import pytest
from mec_moe_agents import agent_names, evaluate, make_agent
from mec_moe_agents.offloading.energy_minimal import EnergyMinimalAgent, link_joules, scores
from mec_moe_agents.offloading.gates import RejectAllGate
from mec_moe_agents.offloading.picks import pick_costs
from numpy.typing import ArrayLike, NDArray

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingEnv, Slot
from tests.agents.slots import make_slot

DEFAULT = OFFLOADING_PRESETS["default"]
JOINT = OFFLOADING_PRESETS["joint"]
CONFIG = OffloadingConfig(num_servers=3, num_subcarriers=2, feature_dim=2, samples_per_task=1)


def build(config: OffloadingConfig, iterations: int, quality: float = 0.5) -> EnergyMinimalAgent:
    return EnergyMinimalAgent(config, RejectAllGate(), iterations, quality, temperature=0.2)


def choose(
    relevance: ArrayLike,
    slot: Slot,
    config: OffloadingConfig = CONFIG,
    quality: float = 0.5,
    iterations: int = 4,
) -> NDArray[np.int64]:
    return build(config, iterations, quality).choose(np.array(relevance, dtype=float), slot)


def test_of_servers_that_are_relevant_enough_the_cheapest_is_taken() -> None:
    slot = make_slot()
    slot.spectral_efficiency[0, 0, 2] = [2.0, 8.0]
    # Server 1 is a little more relevant, server 2 much cheaper; in-situ is not relevant.
    assert choose([[[0.0, 0.95, 0.9]]], slot).tolist() == [[[[2, 1]]]]
    assert choose([[[0.0, 0.95, 0.9]]], slot, quality=0.9).tolist()[0][0][0][0] == 1
    assert choose([[[0.9, 0.95, 0.9]]], slot).tolist()[0][0][0][0] == 0


def test_busy_servers_and_subcarriers_are_left_alone() -> None:
    slot = make_slot()
    slot.busy[0, 1] = 1.0
    slot.subcarrier_busy[0, 1] = 1.0
    slot.spectral_efficiency[0, 0, 2] = [2.0, 8.0]
    assert choose([[[0.0, 1.0, 0.9]]], slot).tolist() == [[[[2, 0]]]]
    slot.subcarrier_busy[0, 0] = 1.0
    assert choose([[[0.0, 1.0, 0.9]]], slot).tolist() == [[[[0, 0]]]]
    slot.busy[:] = 1.0
    assert choose([[[0.0, 1.0, 0.9]]], slot).tolist()[0][0][0][0] == 3


def test_never_relevant_is_never_taken() -> None:
    slot = make_slot()
    assert choose([[[-np.inf] * 3]], slot).tolist()[0][0][0][0] == 3


def test_a_high_quality_takes_several_servers() -> None:
    config = CONFIG.override(max_experts=2)
    slot = make_slot()
    one = choose([[[0.0, 0.9, 0.9]]], slot, config, 0.5)[0, 0, :, 0]
    two = choose([[[0.0, 0.9, 0.9]]], slot, config, 0.9)[0, 0, :, 0]
    assert sorted(one.tolist()) == [1, 3]
    assert sorted(two.tolist()) == [1, 2]


def test_subcarriers_are_assigned_at_the_least_total_energy() -> None:
    config = CONFIG.override(num_tasks=2)
    slot = make_slot(tasks=2)
    slot.spectral_efficiency[0, 0, 1] = [8.0, 7.0]
    slot.spectral_efficiency[0, 1, 2] = [8.0, 1.0]
    action = choose([[[-np.inf, 1, -np.inf], [-np.inf, -np.inf, 1]]], slot, config)
    assert action[0, :, 0].tolist() == [[1, 1], [2, 0]]


def contested() -> tuple[OffloadingConfig, Slot, NDArray[np.float64]]:
    """Return a slot in which two tasks of server 0 hear subcarrier 0 best, and task 1 has a choice.

    Task 0 has to go to server 1. Task 1 prefers server 2 by a hair while both subcarriers are
    free, but once task 0 has subcarrier 0, server 3 over its own subcarrier 1 is far cheaper.
    """
    config = CONFIG.override(num_tasks=2, num_servers=4)
    slot = make_slot(tasks=2, servers=4)
    slot.spectral_efficiency[0, 0, 1] = [8.0, 0.4]
    slot.spectral_efficiency[0, 1, 2] = [8.0, 0.5]
    slot.spectral_efficiency[0, 1, 3] = [0.5, 7.9]
    never = -np.inf
    return config, slot, np.array([[[never, 1, never, never], [never, never, 1, 1]]])


def test_jesa_decides_again_where_des_does_not() -> None:
    config, slot, relevance = contested()
    des = choose(relevance, slot, config, iterations=0)
    jesa = choose(relevance, slot, config, iterations=4)
    assert des[0, :, 0, 0].tolist() == [1, 2]
    assert jesa[0, :, 0].tolist() == [[1, 0], [3, 1]]


def test_prices_know_which_subcarriers_are_taken() -> None:
    config, slot, relevance = contested()
    before = pick_costs(slot, config).joules
    found = build(config, 0).dispatch(before, relevance, slot)
    after = link_joules(found, slot, config)
    sending = config.power_w * 1e6 / config.bandwidth_hz
    computing = 0.01 * config.samples_per_task
    assert before[0, 1, 2] == pytest.approx(sending / 8 + computing)
    assert after[0, 1, 2] == pytest.approx(sending / 0.5 + computing)
    # Task 1 would give up subcarrier 1; task 0 keeps subcarrier 0 from everybody else.
    assert after[0, 1, 3] == pytest.approx(sending / 7.9 + computing)
    assert after[0, 1, 1] == pytest.approx(sending / 1.0 + computing)
    slot.spectral_efficiency[0, 1, 1] = [9.0, 0.01]
    assert link_joules(found, slot, config)[0, 1, 1] == pytest.approx(
        sending / config.min_spectral_efficiency + computing
    )
    assert found.joules[0] == pytest.approx(after[found.selected].sum())


def test_scores_have_no_scale() -> None:
    relevance = np.array([[1.0, 3.0, -np.inf], [np.inf, 2.0, 0.0], [5.0, 5.0, 5.0]])
    usable = np.array([[True, True, False], [True, True, True], [False, False, False]])
    expected = [[np.exp(-2.0), 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    np.testing.assert_allclose(scores(relevance, usable, 1.0), expected)
    np.testing.assert_allclose(scores(relevance + 7.0, usable, 1.0), expected)


def test_less_energy_than_the_most_relevant_servers() -> None:
    spent = {
        name: evaluate(name, DEFAULT, range(6)).metrics["energy_per_task_j"].mean()
        for name in ("profile", "des")
    }
    assert spent["des"] < 0.9 * spent["profile"]


def test_jesa_is_des_where_nothing_competes() -> None:
    assert "jesa" not in agent_names(DEFAULT)
    assert {"des", "jesa"} <= set(agent_names(JOINT))
    des, jesa = (evaluate(name, DEFAULT, [0]).curve for name in ("des", "jesa"))
    np.testing.assert_array_equal(des, jesa)


def test_the_gate_is_an_argument() -> None:
    plain = evaluate("des", DEFAULT, [0]).curve
    gated = evaluate("des", DEFAULT, [0], options={"gate": "gating", "noise": 0.1}).curve
    assert (plain != gated).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quality": 1.1}, "quality = 1.1"),
        ({"temperature": 0}, "temperature = 0"),
        ({"gate": "profil"}, "did you mean 'profile'"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_agent("jesa", OffloadingEnv(), **options)
