"""Profiles of servers, and the gate that guards them."""

from typing import Any

import numpy as np
import pytest
from mec_moe_agents import Gate, GuardGate, ProfileGate

from mec_moe_env import OffloadingConfig, Slot
from tests.agents.slots import make_slot

Vector = tuple[float, float]
EAST, NORTH = (1.0, 0.0), (0.0, 1.0)
CONFIG = OffloadingConfig(
    num_servers=3, num_subcarriers=2, feature_dim=2, samples_per_task=1, num_types=2
)


def slot_with(task: Vector) -> Slot:
    slot = make_slot()
    slot.task[0, 0] = task
    return slot


def taught(gate: Gate[Any], *tasks: Vector) -> Any:
    """Return a state in which server m has taken the m-th task."""
    state = gate.start(1)
    for server, task in enumerate(tasks):
        gate.relevance(state, slot_with(task))
        gate.remember(state, slot_with(task), np.array([[[server]]]))
    return state


def test_similar_before_untrained_before_different() -> None:
    gate = ProfileGate(CONFIG)
    relevance = gate.relevance(taught(gate, EAST, NORTH), slot_with((3.0, 0.3)))[0, 0]
    assert relevance.argsort()[::-1].tolist() == [0, 2, 1]
    assert relevance[0] == pytest.approx(10 / np.sqrt(101))
    assert relevance[2] == 0.5
    assert relevance[1] == pytest.approx(1 / np.sqrt(101))


def test_a_profile_is_the_mean_of_what_the_server_took() -> None:
    gate = ProfileGate(CONFIG)
    state = taught(gate, EAST)
    gate.remember(state, slot_with((0.0, 3.0)), np.array([[[0]]]))
    relevance = gate.relevance(state, slot_with((1.0, 3.0)))
    assert relevance[0, 0, 0] == pytest.approx(1.0)


def test_a_task_without_features_resembles_nothing() -> None:
    gate = ProfileGate(CONFIG)
    relevance = gate.relevance(taught(gate, EAST), slot_with((0.0, 0.0)))[0, 0]
    assert relevance.tolist() == [0.0, 0.5, 0.5]


def test_guard_rejects_rather_than_overwrites() -> None:
    gate = GuardGate(CONFIG)
    relevance = gate.relevance(taught(gate, EAST, NORTH, EAST), slot_with((-1.0, -1.0)))[0, 0]
    assert relevance.tolist() == [-np.inf] * 3


def test_guard_opens_a_second_server_once_every_cluster_has_one() -> None:
    gate = GuardGate(CONFIG)
    relevance = gate.relevance(taught(gate, EAST, NORTH), slot_with(EAST))[0, 0]
    assert relevance.tolist() == [1.0, -np.inf, 0.5]


def test_guard_keeps_a_server_for_each_missing_cluster() -> None:
    config = CONFIG.override(num_servers=2)
    gate = GuardGate(config)
    state = taught(gate, EAST)
    known, new = (
        gate.relevance(state, make(task))[0, 0]
        for make, task in ((two_servers, EAST), (two_servers, NORTH))
    )
    assert known.tolist() == [1.0, -np.inf]
    assert new.tolist() == [-np.inf, 0.5]


def two_servers(task: Vector) -> Slot:
    slot = make_slot(servers=2)
    slot.task[0, 0] = task
    return slot


@pytest.mark.parametrize("kind", [ProfileGate, GuardGate])
def test_reset_forgets_only_the_rows_that_begin(kind: type[Any]) -> None:
    gate = kind(CONFIG)
    state = gate.start(2)
    slot = make_slot(batch=2)
    gate.relevance(state, slot)
    gate.remember(state, slot, np.zeros((2, 1, 1), dtype=np.int64))
    gate.reset(state, np.array([True, False]))
    fresh, known = gate.relevance(state, slot)
    assert fresh[0].tolist() == [0.5, 0.5, 0.5]
    assert known[0, 0] == pytest.approx(1.0)
    slot.task[0, 0] = (1.0, -1.0)
    gate.remember(state, slot, np.zeros((2, 1, 1), dtype=np.int64))
    assert gate.relevance(state, slot)[0, 0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", [ProfileGate, GuardGate])
def test_threshold_must_be_a_cosine(kind: type[Any]) -> None:
    with pytest.raises(ValueError, match="threshold"):
        kind(CONFIG, threshold=1.5)
