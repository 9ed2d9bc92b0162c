"""A few small episodes of both environments against their definitions, with all that can happen.

`test_offloading_reference.py` and `test_dmoe_reference.py` draw hundreds of configurations. These
are few enough to be played as plain Python, for a debugger and for `python -m tests.mutants`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mec_moe_env import DMoEEnv, OffloadingEnv
from tests.environments.dmoe_reference import expected_layer
from tests.environments.networks import ReferenceNetworks
from tests.environments.test_dmoe_reference import check_episode as check_layers
from tests.environments.test_offloading_reference import check_episode

SMALL: dict[str, Any] = {
    "num_tasks": 2,
    "max_experts": 2,
    "num_servers": 3,
    "num_subcarriers": 2,
    "num_types": 2,
    "feature_dim": 3,
    "samples_per_task": 2,
    "max_delay": 3,
    "horizon": 14,
    "delay_weight": 0.3,
}
NETWORKS: dict[str, Any] = {
    "tasks": "teacher",
    "experts": "mlp",
    "hidden_widths": (3, 2),
    "sgd_epochs": 2,
    "horizon": 10,
}
LAYERS: dict[str, Any] = {
    "num_nodes": 3,
    "tokens_per_source": 2,
    "num_layers": 4,
    "num_subcarriers": 3,
    "max_experts": 2,
    "qos": 0.8,
}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"failure_rate": 0.3, "repair_rate": 0.6},
        {"feature_rank": 1, "samples_per_task": 4},
        {"proximal": 0.5, "result_mbit": 0.4, "noise_scale": 0.3},
        {"samples_per_task": 5, "type_jitter": 0.1, "energy_weight": 3.0, "error_weight": 0.5},
        {"num_subcarriers": 1, "num_servers": 2, "max_experts": 3, "doppler_hz": float("inf")},
    ],
    ids=["plain", "failures", "dependent", "proximal", "jitter", "crowded"],
)
def test_small_offloading(fields: dict[str, Any]) -> None:
    for seed in range(3):
        check_episode(OffloadingEnv(**SMALL | fields), seed, legal_share=0.8)


@pytest.mark.parametrize(
    "fields", [{}, {"expert_restart": True, "failure_rate": 0.3}, {"expert_loss": "logistic"}]
)
def test_small_networks(fields: dict[str, Any]) -> None:
    env = OffloadingEnv(**SMALL | NETWORKS | fields)
    check_episode(env, 1, legal_share=0.9, follow=ReferenceNetworks)


def test_held_out_samples_judge_linear_models() -> None:
    """A task's accuracy is its model's share of held-out signs, half where nobody serves it."""
    env = OffloadingEnv(**SMALL | {"tasks": "teacher", "horizon": 10})
    check_episode(env, 2, legal_share=0.9)
    env.reset(seed=3)
    params, state = env._simulator.params, env._simulator.state
    env.step(np.array([0, 0, 1, 1, 2, 0, 3, 0]))
    pending = state.servers[0]["pending_weight"]
    assert pending.any()
    assert state.servers[0]["pending_hits"] == pytest.approx(
        0.5 * pending
    )  # the zero model guesses
    for _ in range(6):
        *_, info = env.step(env.action_space.sample())
    margins = params.heldout_labels[:, :, None] * (params.heldout_features @ state.model[0].T)
    share = (margins > 0).mean(axis=1) + 0.5 * (margins == 0).mean(axis=1)
    weight, servers = state.learned_weight[0], state.servers[0]
    assert weight.sum() > 0
    assert not servers["pending_hits"][servers["remaining"] == 0].any()
    assert servers["learned_hits"].sum() == pytest.approx((weight * share.T).sum())
    hits = servers["learned_hits"] + servers["pending_hits"]
    episode = state.episodes[0]
    expected = (hits.sum() + 0.5 * episode["unserved_weight"]) / episode["arrived"]
    assert info["accuracy"] == pytest.approx(expected)


def test_every_waiting_task_has_its_errors() -> None:
    env = OffloadingEnv(**SMALL)
    env.reset(seed=1)
    zero = env._simulator.exogenous.tasks["constant"][0][:, np.newaxis]
    np.testing.assert_allclose(env.model_errors(), np.broadcast_to(zero, (2, 3)))
    grown = env.error_increments()
    # Without noise a projection: nearer to the truth than the zero model, and not yet there.
    assert (grown > 0.0).all()
    assert (grown < zero).all()
    np.testing.assert_allclose(grown, np.broadcast_to(grown[:, :1], (2, 3)))


@pytest.mark.parametrize("extra", [{}, NETWORKS], ids=["linear", "networks"])
def test_increments_come_true(extra: dict[str, Any]) -> None:
    """What a task would add to E is what learning it adds."""
    fields = {"max_delay": 1, "num_tasks": 1, "max_experts": 1, "num_servers": 2, "failure_rate": 0}
    env = OffloadingEnv(**SMALL | extra | fields)
    env.reset(seed=2)
    state, learned = env._simulator.state, 0
    for slot in range(8):
        grown, before = env.error_increments(), state.episodes["total_error"][0]
        server = slot % 2
        *_, info = env.step(np.array([server, 0]))
        if not info["accepted"]:
            continue
        learned += 1
        after = state.episodes["total_error"][0]
        assert after - before == pytest.approx(grown[0, server], rel=1e-9, abs=1e-9)
    assert learned > 4
    state.servers["remaining"][0] = [2, 0]  # server 0 is busy
    assert np.isfinite(env.error_increments()).tolist() == [[False, True]]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"deadline_seconds": 0.02, "failure_rate": 0.4, "repair_rate": 0.5},
        {"count_backward": True, "csi_delay": 2, "doppler_hz": 3.0},
        {"num_subcarriers": 1, "num_sources": 2, "max_experts": 3, "qos": 1.0},
        {"num_subcarriers": 12, "rician_factor": 2.0, "error_weight": 0.4, "energy_weight": 2.0},
        {"failure_rate": 1.0, "repair_rate": 0.2},
    ],
    ids=["plain", "deadline", "backward", "crowded", "roomy", "failures"],
)
def test_small_layers(fields: dict[str, Any]) -> None:
    for seed in range(3):
        check_layers(DMoEEnv(**LAYERS | fields), seed)


@pytest.mark.parametrize(("layers", "fields"), [(4, {}), (2, {"failure_rate": 0.6})])
def test_a_real_model_is_measured_by_the_definition(layers: int, fields: dict[str, Any]) -> None:
    env = DMoEEnv("digits-moe", count_backward=True, max_experts=3, repair_rate=0.1, **fields)
    env.reset(seed=0)
    for layer in range(layers):
        action = env.action_space.sample()
        expected = expected_layer(env, action)
        *_, info = env.step(action)
        for key, value in expected.items():
            assert info[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
        assert (info["reward_error"] < 0.0) == (layer == 3)
