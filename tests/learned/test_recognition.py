"""How the memory sorts tasks into clusters and learns from trainings."""

import numpy as np
import pytest
from mec_moe_agents.offloading.learned import Decisions
from mec_moe_agents.offloading.recognition import (
    MOST_TRAININGS,
    NO_CLUSTER,
    Memory,
    begin_slot,
    empty_memory,
    forget,
    note_picks,
    note_training,
    recognise,
)
from numpy.typing import NDArray

from mec_moe_env import OFFLOADING_PRESETS, Slot
from mec_moe_env.experts import learn
from tests.agents.slots import make_slot

DEFAULT = OFFLOADING_PRESETS["default"]
CONFIG = DEFAULT.override(
    num_servers=3,
    num_subcarriers=2,
    num_types=2,
    num_tasks=2,
    feature_dim=2,
    samples_per_task=1,
)


def singles(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def test_similar_tasks_are_of_one_cluster_and_others_open_a_new_one() -> None:
    memory = empty_memory(CONFIG, 1)
    recognise(memory, 0, 0, singles(1, 0))
    recognise(memory, 0, 1, singles(0, 1))
    assert memory.task_cluster[0].tolist() == [0, 1]
    assert memory.task_is_novel[0].tolist() == [True, True]
    recognise(memory, 0, 0, singles(3, 0.5))
    assert memory.task_cluster[0, 0] == 0
    assert not memory.task_is_novel[0, 0]
    np.testing.assert_array_equal(memory.cluster_sum[0, :2], [[4, 0.5], [0, 1]])


def test_once_all_clusters_are_met_a_task_belongs_to_the_nearest() -> None:
    memory = empty_memory(CONFIG, 1)
    for task in (singles(1, 0), singles(0, 1), singles(1, 1.1)):
        recognise(memory, 0, 0, task)
    assert memory.cluster_count[0].tolist() == [1, 2]


@pytest.mark.parametrize(("outliers", "expected"), [(3, [5, 1]), (4, [6, 4])])
def test_a_few_outliers_cost_no_type_its_cluster(outliers: int, expected: list[int]) -> None:
    memory = empty_memory(CONFIG, 1)
    for task in [singles(1, 0)] * 5 + [singles(0, 1)] * outliers + [singles(-0.2, -1)]:
        recognise(memory, 0, 0, task)
    assert memory.cluster_count[0].tolist() == expected


def test_worth_of_a_cluster_is_what_trainings_from_zero_add_up_to() -> None:
    rng = np.random.default_rng(0)
    d, k, truth = 10, 6, rng.standard_normal(10)
    estimates = []
    for _ in range(200):
        memory = empty_memory(DEFAULT, 1)
        memory.last_cluster[0, 0] = 0
        model, scratch = np.zeros(d), np.empty((2 * k + 2, k))
        for _ in range(3):
            features = rng.standard_normal((k, d))
            after = np.empty(d)
            learn(model, features, features @ truth, 0.0, after, scratch)
            note_training(memory, 0, 0, float(np.linalg.norm(after - model)), k / d)
            model = after
        estimates.append(memory.cluster_worth[0, 0])
    assert memory.cluster_trainings[0, 0] == 3
    assert np.mean(estimates) == pytest.approx(truth @ truth, rel=0.02)


def two_clusters(batch: int = 1) -> tuple[Memory, Slot]:
    memory = empty_memory(CONFIG, batch)
    slot = make_slot(batch=batch, tasks=2)
    slot.task[:] = [[1, 0], [0, 1]]
    begin_slot(memory, slot, 0.5)
    return memory, slot


@pytest.mark.parametrize(("trained", "expected"), [(1, 0), (2, 1), (5, 1)])
def test_distance_of_two_clusters_shows_when_a_learned_server_takes_the_other(
    trained: int, expected: int
) -> None:
    memory, slot = two_clusters()
    for task in [0] * trained + [1]:
        note_picks(memory, slot, task, np.array([2]))
        note_training(memory, 0, 2, 3.0, 0.5)
    assert memory.distance_count[0, :2, :2].tolist() == [[0, expected], [expected, 0]]
    assert memory.distance_sum[0, 0, 1] == memory.distance_sum[0, 1, 0] == 18.0 * expected
    # Its way back tells nothing certain.
    note_picks(memory, slot, 0, np.array([2]))
    note_training(memory, 0, 2, 3.0, 0.5)
    assert memory.distance_count[0, 0, 1] == expected


def test_a_server_that_took_another_cluster_teaches_no_worth() -> None:
    memory = empty_memory(CONFIG, 1)
    memory.last_cluster[0, 0] = 0
    memory.trainings[0, 0] = -1
    note_training(memory, 0, 0, 5.0, 0.5)
    assert memory.cluster_trainings.sum() == 0


def test_late_trainings_add_nothing() -> None:
    memory = empty_memory(CONFIG, 1)
    memory.last_cluster[0, 0] = 0
    for _ in range(MOST_TRAININGS):
        note_training(memory, 0, 0, 1.0, 0.5)
    worth = memory.cluster_worth.copy()
    note_training(memory, 0, 0, 9.0, 0.5)
    np.testing.assert_array_equal(memory.cluster_worth, worth)


def observation_of(slot: Slot) -> dict[str, NDArray[np.float32]]:
    """Flatten the entries, as the environment shows them."""
    return {key: entry.reshape(slot.batch, -1) for key, entry in slot._asdict().items()}


def test_picks_are_remembered_and_sent_over_the_best_subcarrier() -> None:
    slot = make_slot(tasks=2)
    slot.task[0] = [[1, 0], [0, 1]]
    slot.spectral_efficiency[0, 0, 2] = [1.0, 2.0]
    decisions = Decisions(CONFIG, 1)
    decisions.begin(observation_of(slot))
    decisions.choose(0, np.array([2]))
    decisions.choose(1, np.array([3]))
    assert decisions.action.tolist() == [[2, 1, 3, 0]]
    assert decisions._openings.idle[0].tolist() == [True, True, False]
    assert decisions._openings.free[0].tolist() == [True, False]
    memory = decisions._memory
    assert memory.server_cluster[0].tolist() == [NO_CLUSTER, NO_CLUSTER, 0]


def test_in_situ_picks_use_no_subcarrier() -> None:
    decisions = Decisions(CONFIG, 1)
    decisions.begin(observation_of(make_slot(tasks=2)))
    decisions.choose(0, np.array([0]))
    assert decisions.action[0, :2].tolist() == [0, 0]
    assert decisions._openings.free.all()


def test_a_server_is_of_the_cluster_that_it_took_most_and_latest() -> None:
    memory = empty_memory(CONFIG, 1)
    slot = make_slot(tasks=2)
    slot.task[0] = [[1, 0], [0, 1]]
    begin_slot(memory, slot, 0.5)
    note_picks(memory, slot, 0, np.array([1]))
    note_picks(memory, slot, 1, np.array([1]))
    assert memory.server_cluster[0, 1] == 1
    assert memory.trainings[0, 1] == -1
    for _ in range(2):
        note_picks(memory, slot, 0, np.array([1]))
    note_picks(memory, slot, 1, np.array([1]))
    assert memory.server_cluster[0, 1] == 0


def test_forgetting_clears_the_rows_and_no_other() -> None:
    memory = empty_memory(CONFIG, 2)
    slot = make_slot(batch=2, tasks=2)
    begin_slot(memory, slot, 0.5)
    note_picks(memory, slot, 0, np.array([1, 1]))
    forget(memory, np.array([True, False]))
    fresh = empty_memory(CONFIG, 1)
    for name, array in memory._asdict().items():
        np.testing.assert_array_equal(array[:1], getattr(fresh, name), err_msg=name)
    assert memory.server_cluster[1].tolist() == [NO_CLUSTER, 0, NO_CLUSTER]
