"""The toy scenario, worked out by hand.

Servers 0 and 1 spend 0.1 J, 0.05 s and 0.2 J, 0.15 s per training. A payload of 1 Mbit takes
0.2 s (0.02 J) over subcarrier 0 and 0.4 s (0.04 J) over subcarrier 1; a slot is 0.1 s. Tasks of
type 0 (truth (2, 0), zero model's error 4) and type 1 (truth (0, 1), error 1) alternate; they
arrive at servers 0, 1, 1, 0. Weights: 1 per error, 1 per joule, 0.5 per slot.
"""

import itertools
from typing import Any

import numpy as np
import pytest

from mec_moe_env import OffloadingEnv, unflatten

NONE = 2


def play(*picks: tuple[int, int], **fields: Any) -> list[dict[str, Any]]:
    """Play an episode and return, slot by slot, the info with the reward and the views."""
    env = OffloadingEnv("toy", **fields)
    env.reset(seed=0)
    slots = []
    for step, pick in enumerate(picks):
        observation, reward, terminated, _, info = env.step(np.array(pick))
        assert terminated == (step == 3)
        views = unflatten(observation, env.config.observation_shapes)
        slots.append(info | {"reward": reward} | views)
    return slots


def column(slots: list[dict[str, Any]], key: str) -> Any:
    return [slot[key] for slot in slots]


def test_specialising() -> None:
    """Type 0 to server 0, type 1 to server 1: in-situ twice, then two transmissions."""
    slots = play((0, 0), (1, 0), (0, 0), (1, 1))
    # Slot 1's task is judged by the zero model until its training ends two slots later.
    assert column(slots, "generalization_error") == pytest.approx([0, 1 / 2, 0, 0])
    assert column(slots, "energy_j") == pytest.approx([0.1, 0.2, 0.12, 0.24])
    assert column(slots, "transmission_energy_j") == pytest.approx([0, 0, 0.02, 0.04])
    # 0.05 s, 0.15 s, 0.2 + 0.05 s, and 0.4 + 0.15 s clipped to d_u = 5.
    assert column(slots, "delay_slots") == [1, 2, 3, 5]
    assert column(slots, "reward") == pytest.approx([-0.6, -2.2, -0.62, -2.74])
    assert column(slots, "forgetting") == pytest.approx([0, 0, 0, 0])
    assert column(slots, "reward_error") == pytest.approx([0, -1, 1, 0])
    assert column(slots, "reward_energy") == pytest.approx([-0.1, -0.2, -0.12, -0.24])
    assert column(slots, "reward_delay") == [-1, -2, -3, -5]


def test_results_come_back() -> None:
    """As before, but half a Mbit returns: 0.3 s over subcarrier 0, 0.6 s over subcarrier 1."""
    slots = play((0, 0), (1, 0), (0, 0), (1, 1), result_mbit=0.5)
    assert column(slots, "transmission_energy_j") == pytest.approx([0, 0, 0.03, 0.06])
    assert column(slots, "energy_j") == pytest.approx([0.1, 0.2, 0.13, 0.26])
    # 0.3 + 0.05 s, and 0.6 + 0.15 s clipped to d_u = 5.
    assert column(slots, "delay_slots") == [1, 2, 4, 5]
    # Both ways keep subcarrier 0 for three slots, two of which are left.
    assert slots[2]["subcarrier_busy"].tolist() == pytest.approx([2 / 5, 0.0])
    assert column(slots, "reward_energy") == pytest.approx([-0.1, -0.2, -0.13, -0.26])


def test_observations_of_specialising() -> None:
    env = OffloadingEnv("toy")
    observation, info = env.reset(seed=0)
    views = unflatten(observation, env.config.observation_shapes)
    first: dict[str, Any] = {
        "task": [[1, 0]],
        "payload": [1],
        "origin": [[1, 0]],
        "busy": [0, 0],
        "subcarrier_busy": [0, 0],
        "spectral_efficiency": [[[10, 10], [5, 2.5]]],
        "compute": [[0.1, 0.05], [0.2, 0.15]],
        "completed": [0, 0],
        "drift": [0, 0],
        "progress": [0],
    }
    assert views.keys() == first.keys()
    for key, value in first.items():
        np.testing.assert_allclose(views[key], value, rtol=1e-6, err_msg=key)
    assert info["action_mask"].tolist() == [True] * 5

    slots = play((0, 0), (1, 0), (0, 0), (1, 1))
    expected: dict[str, list[Any]] = {
        "task": [[[0, 1]], [[1, 0]], [[0, 1]], [[1, 0]]],
        "origin": [[[0, 1]], [[0, 1]], [[1, 0]], [[1, 0]]],
        "busy": [[0, 0], [0, 0.2], [0.4, 0], [0.2, 0.8]],
        "subcarrier_busy": [[0, 0], [0, 0], [0.2, 0], [0, 0.6]],
        "completed": [[1, 0], [0, 0], [0, 1], [0, 0]],
        "drift": [[2, 0], [2, 0], [2, 1], [2, 1]],
        "progress": [[0.25], [0.5], [0.75], [1]],
    }
    for key, values in expected.items():
        np.testing.assert_allclose(column(slots, key), values, rtol=1e-6, err_msg=key)
    masks = [slot["action_mask"].astype(int).tolist() for slot in slots]
    assert masks == [[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [0, 1, 1, 0, 1], [0, 0, 1, 1, 0]]


def test_forgetting() -> None:
    """Server 0 learns type 0, then type 1 on top: its model (2, 1) is wrong about both."""
    slots = play((0, 0), (0, 0), (1, 0), (NONE, 0))
    # 0; then ‖(2,0) − (0,1)‖² = 5; then + 4; at last 1 + 4 + 0 + 1 for the rejected one.
    assert column(slots, "generalization_error") == pytest.approx([0, 5 / 2, 9 / 3, 6 / 4])
    assert column(slots, "reward") == pytest.approx([-0.6, -6.62, -5.2, 3.0])
    assert column(slots, "forgetting") == pytest.approx([0, 0, 0, 1 / 3])
    assert column(slots, "rejected") == [0, 0, 0, 1]


def test_rejecting_and_dropping() -> None:
    """A busy server is not picked twice; rejected tasks count the zero model's error for ever."""
    slots = play((1, 1), (1, 0), (NONE, 0), (0, 0))
    assert column(slots, "dropped_picks") == [0, 1, 0, 0]
    assert column(slots, "accepted") == [1, 0, 0, 1]
    assert column(slots, "rejected") == [0, 1, 1, 0]
    assert column(slots, "delay_slots") == [5, 0, 0, 1]
    assert column(slots, "generalization_error") == pytest.approx([4, 5 / 2, 9 / 3, 9 / 4])
    assert column(slots, "reward") == pytest.approx([-6.74, -1, -4, -0.6])


def test_optimum_is_known() -> None:
    """All 6⁴ plans: both servers learn type 0 where it arrives, the cheap type 1 is rejected.

    0.1 + 0.5 for slot 0 at server 0, 0.2 + 1 for slot 2 at server 1, 1 for each rejection.
    """
    returns = {}
    picks = list(itertools.product(range(3), range(2)))
    for plan in itertools.product(picks, repeat=4):
        returns[plan] = sum(column(play(*plan), "reward"))
    highest = max(returns.values())
    assert highest == pytest.approx(-3.8)
    for plan, value in returns.items():
        if value > highest - 1e-9:
            # Server 1 is still busy in slot 3: picking it is dropped and rejects as well.
            assert [server for server, _ in plan] in ([0, NONE, 1, NONE], [0, NONE, 1, 1])


def test_sizes_are_fixed() -> None:
    with pytest.raises(ValueError, match="num_servers = 3 is not allowed"):
        OffloadingEnv("toy", num_servers=3)
