"""DMoE's toy scenario, worked out by hand.

Two nodes, each with one token; scores by layer: token 0 (0.75, 0.25), token 1 (0.5, 0.5), then
(0.25, 0.75) and (1, 0). Thresholds 1 and 0.5. A state of 1 Mbit takes 0.2 s or 0.4 s from node 0
to 1 over subcarrier 0 or 1, and 0.25 s or 0.5 s from 1 to 0, at 0.1 W; a token costs 0.02 J at
node 0 and 0.01 J at node 1. Weights are 1.

At most L = 2 links are in use at once, so that a link is charged at its second subcarrier, and D is
2: serving a token by both experts takes at most 0.02 + 0.01 + 0.04 = 0.07 J for token 0, 0.08 J for
token 1. Their sum, 0.15 J, is what both of the reward's terms are measured by.
"""

from typing import Any

import numpy as np
import pytest

from mec_moe_env import DMoEEnv, unflatten

NONE = 2


def play(*layers: tuple[list[int], list[int]], **options: Any) -> list[dict[str, Any]]:
    """Play an episode; an action is the picks (token 0, then 1) and the links' subcarriers."""
    env = DMoEEnv("toy", **options)
    env.reset(seed=0)
    infos = []
    for picks, links in layers:
        observation, reward, terminated, _, info = env.step(np.array(picks + links))
        views = unflatten(observation, env.config.observation_shapes)
        infos.append(info | views | {"reward": reward, "terminated": terminated})
    return infos


def test_an_episode() -> None:
    first, second = play(
        ([0, 1, 1, NONE], [0, 0, 0, 0]),
        ([1, NONE, 0, NONE], [0, 0, 1, 0]),
    )
    # Token 0 has both experts, token 1 only its own: 0.02 J sent, 0.02 + 0.01 + 0.01 J computed.
    assert first["energy_j"] == pytest.approx(0.06)
    assert first["transmission_energy_j"] == pytest.approx(0.02)
    assert first["relevance"] == pytest.approx((1.0 + 0.5) / 2)
    assert first["shortfall"] == pytest.approx(0.25)
    assert first["violated"] == pytest.approx(0.5)
    assert first["experts_per_token"] == pytest.approx(1.5)
    # Token 1 misses half of its threshold: 0.08 · (1 + 0.5) J charged.
    assert first["cost"] == 1.0
    assert first["reward_error"] == pytest.approx(-0.12 / 0.15)
    assert first["reward_energy"] == pytest.approx(-0.06 / 0.15)
    assert first["reward"] == pytest.approx(-0.18 / 0.15)
    assert not first["terminated"]
    # Each token goes to the other node: 0.02 + 0.05 J sent, 0.01 + 0.02 J computed.
    assert second["energy_j"] == pytest.approx(0.1)
    assert second["relevance"] == pytest.approx((0.75 + 1.0) / 2)
    assert second["reward"] == pytest.approx(-0.1 / 0.15)
    assert second["reward_error"] == 0.0
    assert second["cost"] == 0.0
    assert second["terminated"]


def test_collision_keeps_the_first_link() -> None:
    _, second = play(
        ([0, 1, 1, NONE], [0, 0, 0, 0]),
        ([1, NONE, 0, NONE], [0, 0, 0, 0]),
    )
    assert second["dropped_picks"] == 1
    assert second["unserved"] == 1
    assert second["energy_j"] == pytest.approx(0.03)
    # Token 1 has nothing: 0.08 · (1 + 1) J charged.
    assert second["reward"] == pytest.approx(-(0.03 + 0.16) / 0.15)


def test_missed_deadline_costs_energy_and_loses_the_states() -> None:
    _, second = play(
        ([0, 1, 1, NONE], [0, 0, 0, 0]),
        ([1, NONE, 0, NONE], [0, 0, 1, 0]),
        deadline_seconds=0.3,
    )
    assert second["lost_states"] == 1
    # 0.02 J to node 1, 0.3 s · 0.1 W in vain, 0.01 J computed.
    assert second["energy_j"] == pytest.approx(0.06)
    assert second["shortfall"] == pytest.approx(0.25)
    assert second["reward"] == pytest.approx(-(0.06 + 0.16) / 0.15)


def test_what_no_expert_reaches_costs_nothing() -> None:
    (first,) = play(([0, 1], [0, 0, 0, 0]), max_experts=1)
    # One expert reaches 0.75 and 0.5 of the threshold 1. Of token 1's two equal experts the first
    # counts, 0.02 + 0.05 J, and 0.02 J of token 0.
    assert (first["shortfall"], first["violated"], first["cost"]) == (0.0, 0.0, 0.0)
    assert first["reward"] == pytest.approx(-0.03 / 0.09)


def test_same_expert_twice_counts_once() -> None:
    (first,) = play(([0, 0, 1, 1], [0, 0, 0, 0]))
    assert first["dropped_picks"] == 2
    assert first["energy_j"] == pytest.approx(0.03)
    assert first["transmission_energy_j"] == 0.0


def test_observations() -> None:
    env = DMoEEnv("toy")
    observation, _ = env.reset(seed=0)
    views = unflatten(observation, env.config.observation_shapes)
    expected: dict[str, Any] = {
        "gate": [[[0.75, 0.25]], [[0.5, 0.5]]],
        "spectral_efficiency": [[[10, 10], [5, 2.5]], [[4, 2], [10, 10]]],
        "compute_energy": [0.02, 0.01],
        "available": [1, 1],
        "layer": [1, 0],
        "importance": [1],
    }
    assert views.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(views[key], value, rtol=1e-6, err_msg=key)
    nothing = ([NONE] * 4, [0] * 4)
    first, second = play(nothing, nothing)
    np.testing.assert_allclose(first["gate"], [[[0.25, 0.75]], [[1.0, 0.0]]])
    np.testing.assert_allclose(first["layer"], [0, 1])
    np.testing.assert_allclose(first["importance"], [0.5])
    np.testing.assert_allclose(second["gate"], 0)
    np.testing.assert_allclose(second["layer"], 0)
    # Nobody anywhere: every token pays double of what serving it would have taken.
    assert first["reward"] == pytest.approx(-2.0)
    assert second["reward"] == pytest.approx(-2.0)
    assert first["cost"] == second["cost"] == 2.0


def test_sizes_are_fixed() -> None:
    with pytest.raises(ValueError, match="num_nodes = 3 is not allowed"):
        DMoEEnv("toy", num_nodes=3)
