"""Scenes hold what the environment did: the toys by hand, others against what `info` says."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_moe_env import DMoEEnv, DMoEVectorEnv, OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.rendering.scene import IN_SITU, NOTHING, LayerLink, Link, Pick, Task


def same(left: Any, right: Any) -> bool:
    """Tell whether two scenes hold the same values."""
    if is_dataclass(left):
        names = [field.name for field in fields(left)]
        return type(left) is type(right) and all(
            same(getattr(left, name), getattr(right, name)) for name in names
        )
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return bool(left == right)
    return np.array_equal(left, right)


def random_steps(env: Any, seed: int) -> Iterator[tuple[Any, dict[str, Any], float]]:
    """Play an episode by chance; yield scene, info and reward of every step."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    env.scene()
    over = False
    while not over:
        _, reward, over, _, info = env.step(rng.integers(env.action_space.nvec))
        yield env.scene(), info, reward


def test_toy_offloading_by_hand() -> None:
    env = OffloadingEnv("toy")
    env.reset(seed=0)
    start = env.scene()
    assert (start.slot, start.horizon, start.max_delay) == (0, 4, 5)
    assert start.positions is None
    assert start.waiting == (Task(0, 0, 0, 1.0),)
    assert start.decision is None
    assert start.links == ()
    assert start.account.episode_return == 0.0
    np.testing.assert_array_equal(start.compute_joules, [0.1, 0.2])

    env.step(np.array([0, 0]))  # in-situ, over within the slot
    first = env.scene()
    assert first.decision is not None
    assert first.decision.tasks == start.waiting
    assert first.decision.picks == (Pick(0, 0, IN_SITU, False, 1, 0, 0.1, 0.0),)
    np.testing.assert_array_equal(first.learned, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(first.specialisation, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(first.drift, [2.0, 0.0])
    np.testing.assert_array_equal(first.completed, [True, False])
    assert first.idle.all()

    env.step(np.array([0, 1]))  # sent over subcarrier 1: four of 4 + 1 slots
    second = env.scene()
    assert second.decision is not None
    (pick,) = second.decision.picks
    assert (pick.subcarrier, pick.slots, pick.sending_slots) == (1, 5, 4)
    assert (pick.joules, pick.sending_joules) == pytest.approx((0.14, 0.04))
    assert second.links == (Link(1, 1, 1, 0, 1, 3),)
    np.testing.assert_array_equal(second.slots_left, [4, 0])
    np.testing.assert_array_equal(second.training, [1, NOTHING])
    np.testing.assert_array_equal(second.subcarrier_left, [0, 3])

    env.step(np.array([0, 0]))  # busy
    third = env.scene()
    assert third.decision is not None
    assert third.decision.picks == (Pick(2, 0, 0, True, 0, 0, 0.0, 0.0),)
    assert third.decision.rejected == third.decision.tasks
    assert third.links == (Link(1, 1, 1, 0, 1, 2),)  # goes on

    env.step(np.array([2, 0]))  # nobody
    last = env.scene()
    assert last.decision is not None
    assert last.decision.picks == ()
    assert last.waiting == ()
    assert last.account.total["accepted"] == last.account.total["rejected"] == 2.0
    # Task 1, still in training, is judged by server 0's model of type 0: 2² + 1. The two rejected
    # add 4 and 1.
    np.testing.assert_allclose(last.account.curve, [0, 5 / 2, 9 / 3, 10 / 4])
    assert last.account.term_totals == pytest.approx(
        {"error": -10.0, "energy": -0.24, "delay": -0.5 * 6}
    )
    assert last.account.episode_return == pytest.approx(-13.24)


def test_toy_dmoe_by_hand() -> None:
    env = DMoEEnv("toy")
    env.reset(seed=0)
    start = env.scene()
    assert (start.layer, start.num_layers, start.threshold) == (0, 2, 1.0)
    assert start.decision is None
    env.step(np.array([0, 1, 1, 2, 0, 0, 0, 0]))
    scene = env.scene()
    decision = scene.decision
    assert decision is not None
    np.testing.assert_array_equal(decision.chosen[:, 0], [[True, True], [False, True]])
    np.testing.assert_array_equal(decision.relevance, [[1.0], [0.5]])
    np.testing.assert_array_equal(decision.wanted, [[1.0], [1.0]])
    np.testing.assert_array_equal(decision.violated, [[False], [True]])
    (link,) = decision.links
    assert replace(link, joules=0.0) == LayerLink(0, 1, 0, 1, True, False, 0.0)
    assert link.joules == pytest.approx(0.02)
    np.testing.assert_array_equal(scene.gate[:, 0], [[0.25, 0.75], [1.0, 0.0]])
    assert scene.account.reward == pytest.approx(-0.18 / 0.15)

    env.step(np.array([1, 2, 0, 2, 0, 1, 1, 0]))  # both links on subcarrier 1
    last = env.scene()
    assert last.decision is not None
    assert [link.delivered for link in last.decision.links] == [True, False]
    assert [link.late for link in last.decision.links] == [False, False]
    np.testing.assert_array_equal(last.decision.dropped[:, 0], [[False, False], [True, False]])
    np.testing.assert_array_equal(last.gate, 0.0)
    assert last.threshold == 0.0
    np.testing.assert_allclose(last.account.curve, [0.06, 0.05])


def test_a_late_link_spends_until_the_deadline() -> None:
    env = DMoEEnv("toy", deadline_seconds=0.3)
    env.reset(seed=0)
    env.scene()
    env.step(np.array([1, 2, 1, 2, 0, 1, 0, 0]))  # 0.4 s over subcarrier 1
    decision = env.scene().decision
    assert decision is not None
    (link,) = decision.links
    assert replace(link, joules=0.0) == LayerLink(0, 1, 1, 1, False, True, 0.0)
    assert link.joules == pytest.approx(0.03)


@pytest.mark.parametrize(
    "options",
    [
        {"scenario": "joint", "horizon": 40, "failure_rate": 0.1},
        {"scenario": "congested", "horizon": 40},
        {"scenario": "digits", "horizon": 30},
    ],
    ids=str,
)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_picks_add_up_to_what_a_slot_reports(options: dict[str, Any], seed: int) -> None:
    for scene, info, reward in random_steps(OffloadingEnv(**options), seed):
        picks = scene.decision.picks
        carried_out = [pick for pick in picks if not pick.dropped]
        assert len(picks) - len(carried_out) == info["dropped_picks"]
        assert len(scene.decision.rejected) == info["rejected"]
        assert sum(pick.joules for pick in picks) == pytest.approx(info["energy_j"])
        sending = sum(pick.sending_joules for pick in picks)
        assert sending == pytest.approx(info["transmission_energy_j"])
        assert sum(scene.account.terms.values()) == pytest.approx(reward)
        sending_now = {link.subcarrier: link.slots_left for link in scene.links if link.slots_left}
        busy = np.flatnonzero(scene.subcarrier_left)
        assert sending_now == {s: scene.subcarrier_left[s] for s in busy.tolist()}
        assert scene.account.total["generalization_error"] == info["generalization_error"]
        assert (scene.training[~scene.idle & scene.working] >= 0).all()
        assert len(scene.waiting) == (scene.slot < scene.horizon) * len(scene.decision.tasks)


@pytest.mark.parametrize(
    "options",
    [
        {"scenario": "paper", "failure_rate": 0.2, "csi_delay": 1},
        {"scenario": "contended", "count_backward": True, "deadline_seconds": 0.1},
        {"scenario": "digits-moe"},
    ],
    ids=str,
)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_links_and_tokens_add_up_to_what_a_layer_reports(
    options: dict[str, Any], seed: int
) -> None:
    total = 0.0
    for scene, info, reward in random_steps(DMoEEnv(**options), seed):
        decision, total = scene.decision, total + reward
        sending = sum(link.joules for link in decision.links)
        assert sending == pytest.approx(info["transmission_energy_j"])
        assert sum(link.states for link in decision.links if link.late) == info["lost_states"]
        assert decision.relevance.mean() == pytest.approx(info["relevance"])
        assert decision.violated.sum() == info["cost"]
        assert decision.chosen.sum(axis=2).mean() == pytest.approx(info["experts_per_token"])
        missed = np.where(decision.violated, decision.wanted - decision.relevance, 0.0)
        assert missed.mean() == pytest.approx(info["shortfall"])
        holders = [link.subcarrier for link in decision.links if link.delivered or link.late]
        assert len(set(holders)) == len(holders)
        assert scene.account.episode_return == pytest.approx(total)
        assert ("accuracy" in scene.account.total) == (scene.classes is not None)


def test_positions_are_those_of_the_links() -> None:
    """Without shadowing and fading, efficiency falls with distance."""
    calm: dict[str, Any] = {
        "shadowing_db": 0.0,
        "rician_factor": 1e9,
        "max_spectral_efficiency": 90,
    }
    env = DMoEEnv("paper", **calm)
    observation, _ = env.reset(seed=2)
    positions = env.scene().positions
    assert positions is not None
    efficiency = observation["spectral_efficiency"].reshape(8, 8, 64)[0, 1:, 0]
    distance = np.linalg.norm(positions[1:] - positions[0], axis=1)
    np.testing.assert_array_equal(np.argsort(distance), np.argsort(-efficiency))


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
@pytest.mark.parametrize(
    ("vector", "scalar"), [(OffloadingVectorEnv, OffloadingEnv), (DMoEVectorEnv, DMoEEnv)]
)
def test_rows_show_what_scalar_environments_show(vector: Any, scalar: Any, mode: str) -> None:
    several = vector(3, "toy", autoreset_mode=mode)
    single = scalar("toy")
    several.reset(seed=4)
    single.reset(seed=6)
    several.scene(2), single.scene()
    rng = np.random.default_rng(0)
    restart = False
    for _ in range(9):
        nvec = several.single_action_space.nvec
        actions = rng.integers(nvec, size=(3, len(nvec)))
        several.step(actions)
        if restart:
            single.reset()
        restart = not restart and single.step(actions[2])[2]
        if restart and mode == "same_step":
            single.reset()
            restart = False
        assert same(several.scene(2), single.scene())


def test_a_scene_that_comes_late_says_since_when_it_counts() -> None:
    env = OffloadingEnv()
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.array([0, 0]))
    scene = env.scene()
    assert (scene.slot, scene.account.since, scene.decision) == (3, 3, None)
    env.step(np.array([0, 0]))
    assert len(env.scene().account.curve) == 1
    env.reset()
    assert env.scene().account.since == 0


def test_watching_changes_nothing() -> None:
    watched, other = OffloadingEnv("joint"), OffloadingEnv("joint")
    watched.reset(seed=3), other.reset(seed=3)
    watched.scene()
    watched.action_space.seed(0)
    for _ in range(30):
        action = watched.action_space.sample()
        seen, *rest, info = watched.step(action)
        seen_alone, *rest_alone, info_alone = other.step(action)
        assert rest == rest_alone
        for left, right in ((seen, seen_alone), (info, info_alone)):
            assert all(np.array_equal(left[key], right[key]) for key in left)


def test_wrong_calls_say_so() -> None:
    with pytest.raises(RuntimeError, match="reset"):
        OffloadingEnv().scene()
    vector = DMoEVectorEnv(2)
    vector.reset(seed=0)
    with pytest.raises(ValueError, match="row = 2 is not allowed: row must be 0..1"):
        vector.scene(2)
