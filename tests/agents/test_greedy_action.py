import numpy as np
from mec_moe_agents.offloading.greedy_action import greedy_action

from .slots import make_slot

NEVER = -np.inf


def test_takes_the_most_preferred_server_over_the_best_subcarrier():
    slot = make_slot(subcarriers=3)
    slot.spectral_efficiency[0, 0, 2] = [1.0, 5.0, 4.0]
    action = greedy_action(np.array([[[0.0, 1.0, 2.0]]]), slot, picks=1, max_experts=1)
    assert action.tolist() == [[[[2, 1]]]]


def test_busy_servers_and_subcarriers_are_passed_over():
    slot = make_slot(subcarriers=3)
    slot.spectral_efficiency[0, 0, 1] = [1.0, 5.0, 4.0]
    slot.busy[0, 2] = 0.2
    slot.subcarrier_busy[0, 1] = 0.2
    action = greedy_action(np.array([[[0.0, 1.0, 2.0]]]), slot, picks=1, max_experts=1)
    assert action.tolist() == [[[[1, 2]]]]


def test_without_a_free_subcarrier_only_the_origin_serves():
    slot = make_slot(batch=2)
    slot.subcarrier_busy[:] = 1.0
    slot.busy[1, 0] = 1.0
    action = greedy_action(np.array([[[0.0, 1.0, 2.0]]] * 2), slot, picks=1, max_experts=1)
    assert action[:, 0, 0, 0].tolist() == [0, 3]


def test_in_situ_takes_no_subcarrier():
    slot = make_slot(tasks=2, subcarriers=1)
    preference = np.array([[[2.0, 1.0, NEVER], [2.0, 1.0, NEVER]]])
    action = greedy_action(preference, slot, picks=1, max_experts=1)
    assert action[0, :, 0].tolist() == [[0, 0], [1, 0]]


def test_every_task_gets_a_first_expert_before_any_gets_a_second():
    slot = make_slot(tasks=2, servers=4, subcarriers=4)
    preference = np.array([[[4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]]])
    action = greedy_action(preference, slot, picks=2, max_experts=2)
    assert action[0, :, :, 0].tolist() == [[0, 2], [1, 3]]
    sent = action[0, :, :, 1].ravel()[1:]
    assert len(set(sent.tolist())) == 3


def test_never_means_rejected():
    action = greedy_action(np.full((1, 1, 3), NEVER), make_slot(), picks=1, max_experts=2)
    assert action[0, 0, :, 0].tolist() == [3, 3]
