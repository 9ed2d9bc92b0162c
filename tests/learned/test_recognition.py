import numpy as np
import pytest
from mec_moe_agents.learned.memory import NO_KIND, empty_memory, forget
from mec_moe_agents.learned.recognition import (
    MOST_TRAININGS,
    begin_slot,
    note_training,
    pick_servers,
    recognise,
)

from mec_moe_env import OFFLOADING_PRESETS
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


def singles(*values):
    return np.array(values, dtype=np.float32)


def test_similar_tasks_are_of_one_kind_and_others_open_a_new_one():
    memory = empty_memory(CONFIG, 1)
    recognise(memory, 0, 0, singles(1, 0))
    recognise(memory, 0, 1, singles(0, 1))
    assert memory.task_kind[0].tolist() == [0, 1]
    assert memory.task_is_novel[0].tolist() == [True, True]
    recognise(memory, 0, 0, singles(3, 0.5))
    assert memory.task_kind[0, 0] == 0
    assert not memory.task_is_novel[0, 0]
    np.testing.assert_array_equal(memory.kind_sum[0, :2], [[4, 0.5], [0, 1]])


def test_once_all_kinds_are_met_a_task_belongs_to_the_nearest():
    memory = empty_memory(CONFIG, 1)
    for task in (singles(1, 0), singles(0, 1), singles(1, 1.1)):
        recognise(memory, 0, 0, task)
    assert memory.kind_count[0].tolist() == [1, 2]


@pytest.mark.parametrize(("strays", "expected"), [(3, [5, 1]), (4, [6, 4])])
def test_a_few_stray_tasks_cost_no_type_its_kind(strays, expected):
    memory = empty_memory(CONFIG, 1)
    for task in [singles(1, 0)] * 5 + [singles(0, 1)] * strays + [singles(-0.2, -1)]:
        recognise(memory, 0, 0, task)
    assert memory.kind_count[0].tolist() == expected


def test_worth_of_a_kind_is_what_trainings_from_zero_add_up_to():
    rng = np.random.default_rng(0)
    d, k, truth = 10, 6, rng.standard_normal(10)
    estimates = []
    for _ in range(200):
        memory = empty_memory(DEFAULT, 1)
        memory.last_kind[0, 0] = 0
        model, scratch = np.zeros(d), np.empty((k + 1, k))
        for _ in range(3):
            features = rng.standard_normal((k, d))
            after = np.empty(d)
            learn(model, features, features @ truth, 0.0, after, scratch)
            note_training(memory, 0, 0, float(np.linalg.norm(after - model)), k / d)
            model = after
        estimates.append(memory.kind_worth[0, 0])
    assert memory.kind_trainings[0, 0] == 3
    assert np.mean(estimates) == pytest.approx(truth @ truth, rel=0.02)


def two_kinds(batch=1):
    memory = empty_memory(CONFIG, batch)
    slot = make_slot(batch=batch, tasks=2)
    slot.task[:] = [[1, 0], [0, 1]]
    begin_slot(memory, slot, 0.5)
    return memory, slot


@pytest.mark.parametrize(("trained", "expected"), [(1, 0), (2, 1), (5, 1)])
def test_distance_of_two_kinds_shows_when_a_learned_server_takes_the_other(trained, expected):
    memory, slot = two_kinds()
    action = np.zeros((1, 4), np.int64)
    for task in [0] * trained + [1]:
        pick_servers(memory, slot, task, 1, np.array([2]), action)
        note_training(memory, 0, 2, 3.0, 0.5)
    assert memory.distance_count[0, :2, :2].tolist() == [[0, expected], [expected, 0]]
    assert memory.distance_sum[0, 0, 1] == memory.distance_sum[0, 1, 0] == 18.0 * expected
    # Its way back tells nothing certain.
    pick_servers(memory, slot, 0, 1, np.array([2]), action)
    note_training(memory, 0, 2, 3.0, 0.5)
    assert memory.distance_count[0, 0, 1] == expected


def test_a_server_that_took_another_kind_teaches_no_worth():
    memory = empty_memory(CONFIG, 1)
    memory.last_kind[0, 0] = 0
    memory.trainings[0, 0] = -1
    note_training(memory, 0, 0, 5.0, 0.5)
    assert memory.kind_trainings.sum() == 0


def test_late_trainings_add_nothing():
    memory = empty_memory(CONFIG, 1)
    memory.last_kind[0, 0] = 0
    for _ in range(MOST_TRAININGS):
        note_training(memory, 0, 0, 1.0, 0.5)
    worth = memory.kind_worth.copy()
    note_training(memory, 0, 0, 9.0, 0.5)
    np.testing.assert_array_equal(memory.kind_worth, worth)


def test_picks_are_remembered_and_written_over_the_best_subcarrier():
    memory = empty_memory(CONFIG, 1)
    slot = make_slot(tasks=2)
    slot.task[0] = [[1, 0], [0, 1]]
    begin_slot(memory, slot, 0.5)
    memory.best_subcarrier[0, 2] = 1
    action = np.full((1, 4), -1)
    pick_servers(memory, slot, 0, 1, np.array([2]), action)
    pick_servers(memory, slot, 1, 1, np.array([3]), action)
    assert action.tolist() == [[2, 1, 3, 0]]
    assert memory.taken[0].tolist() == [False, False, True]
    assert memory.used[0].tolist() == [False, True]
    assert memory.server_kind[0].tolist() == [NO_KIND, NO_KIND, 0]


def test_in_situ_picks_use_no_subcarrier():
    memory = empty_memory(CONFIG, 1)
    slot = make_slot(tasks=2)
    begin_slot(memory, slot, 0.5)
    action = np.full((1, 4), -1)
    pick_servers(memory, slot, 0, 1, np.array([0]), action)
    assert action[0, :2].tolist() == [0, 0]
    assert not memory.used.any()


def test_a_server_is_of_the_kind_that_it_took_most_and_latest():
    memory = empty_memory(CONFIG, 1)
    slot = make_slot(tasks=2)
    slot.task[0] = [[1, 0], [0, 1]]
    action = np.zeros((1, 4), np.int64)
    begin_slot(memory, slot, 0.5)
    pick_servers(memory, slot, 0, 1, np.array([1]), action)
    pick_servers(memory, slot, 1, 1, np.array([1]), action)
    assert memory.server_kind[0, 1] == 1
    assert memory.trainings[0, 1] == -1
    for _ in range(2):
        pick_servers(memory, slot, 0, 1, np.array([1]), action)
    pick_servers(memory, slot, 1, 1, np.array([1]), action)
    assert memory.server_kind[0, 1] == 0


def test_forgetting_clears_the_rows_and_no_other():
    memory = empty_memory(CONFIG, 2)
    slot = make_slot(batch=2, tasks=2)
    begin_slot(memory, slot, 0.5)
    pick_servers(memory, slot, 0, 1, np.array([1, 1]), np.zeros((2, 4), np.int64))
    forget(memory, np.array([True, False]))
    fresh = empty_memory(CONFIG, 1)
    for name, array in memory._asdict().items():
        np.testing.assert_array_equal(array[:1], getattr(fresh, name), err_msg=name)
    assert memory.server_kind[1].tolist() == [NO_KIND, 0, NO_KIND]
