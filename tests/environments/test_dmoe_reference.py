"""The compiled layer against the definition of Qin et al. 2025, P1."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mec_moe_env import DMOE_PRESETS, DMoEEnv, unflatten
from mec_moe_env.core.simulator import LOOK
from mec_moe_env.moe.trace import save_gate_trace
from tests.environments.dmoe_reference import expected_layer


def check_episode(env: DMoEEnv, seed: int) -> None:
    """Play one episode by chance and compare every info, the reward and the channel seen."""
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    config = env.config
    total = identity = 0.0
    terminated = False
    while not terminated:
        action = np.asarray(rng.integers(env.action_space.nvec))
        expected = expected_layer(env, action)
        now = env._simulator.exogenous
        old = now.spectral_efficiency[0, now.now[0] - config.csi_delay]
        views = unflatten(observation, config.observation_shapes)
        np.testing.assert_array_equal(views["spectral_efficiency"], old)
        np.testing.assert_allclose(views["gate"].sum(axis=-1), 1.0, rtol=1e-5)
        observation, reward, terminated, _, info = env.step(action)
        for key, value in expected.items():
            assert info[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
        total += reward
        identity += config.error_weight * info["reward_error"]
        identity += config.energy_weight * info["reward_energy"]
    assert total == pytest.approx(identity, rel=1e-9)


@st.composite
def dmoe_fields(draw: st.DrawFn) -> dict[str, Any]:
    num_nodes = draw(st.integers(2, 6))
    num_layers = draw(st.integers(1, 5))
    return {
        "num_nodes": num_nodes,
        "num_sources": draw(st.none() | st.integers(1, num_nodes)),
        "tokens_per_source": draw(st.integers(1, 4)),
        "num_layers": num_layers,
        "num_subcarriers": draw(st.integers(1, 12)),
        "max_experts": draw(st.integers(1, 4)),
        "qos": draw(st.floats(0.0, 1.0)),
        "importance": draw(st.floats(0.0, 1.0) | st.just((0.5,) * num_layers)),
        "csi_delay": draw(st.integers(0, 3)),
        "deadline_seconds": draw(st.sampled_from([float("inf"), 0.02])),
        "count_backward": draw(st.booleans()),
        "failure_rate": draw(st.sampled_from([0.0, 0.3, 0.9])),
        "energy_weight": draw(st.floats(0.0, 3.0)),
        "doppler_hz": draw(st.sampled_from([0.0, 1.0, float("inf")])),
        "rician_factor": draw(st.sampled_from([0.0, 2.0])),
    }


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(dmoe_fields(), st.integers(0, 2**32 - 1))
def test_layer_follows_the_definition(fields: dict[str, Any], seed: int) -> None:
    check_episode(DMoEEnv(**fields), seed)


@pytest.mark.parametrize("scenario", sorted(DMOE_PRESETS))
def test_presets_follow_the_definition(scenario: str) -> None:
    check_episode(DMoEEnv(scenario), seed=2)


@pytest.mark.parametrize("failure_rate", [0.5, 0.99])
def test_a_real_model_follows_it_where_nodes_fail(failure_rate: float) -> None:
    options: dict[str, Any] = {"failure_rate": failure_rate, "repair_rate": 0.1, "max_experts": 3}
    env = DMoEEnv("digits-moe", count_backward=True, **options)
    for seed in range(4):
        check_episode(env, seed)


def test_trace_is_replayed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    gate = rng.dirichlet(np.ones(4), (3, 5, 9)).astype(np.float32)
    path = tmp_path / "trace.npz"
    save_gate_trace(path, gate)
    env = DMoEEnv(gates="trace", data_path=str(path))
    check_episode(env, seed=0)
    env.reset(seed=1)
    shown = env._simulator.exogenous.gates[0].reshape(4, 8, 4)
    batch = next(b for b in gate if any(np.allclose(shown[0, 0], row) for row in b[0]))
    for token in range(8):
        source = next(t for t in range(9) if np.allclose(batch[0, t], shown[0, token]))
        np.testing.assert_allclose(shown[:, token], batch[:4, source])
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"num_nodes": 5}, "num_nodes = 5 .* 4, as recorded"),
        ({"num_layers": 6}, "num_layers = 6 .* at most 5"),
        ({"tokens_per_source": 3}, "tokens_per_source = 3 .* at most 2"),
    )
    for options, culprit in cases:
        with pytest.raises(ValueError, match=culprit):
            DMoEEnv(gates="trace", data_path=str(path), **options)
    with pytest.raises(FileNotFoundError, match="data_path"):
        DMoEEnv(gates="trace")


def looked(simulator: Any) -> dict[str, np.ndarray]:
    buffers = simulator.run(np.full(1, LOOK, np.int8))
    return dict(simulator.table.observation(buffers.observation))


def test_real_model_reports_its_cross_entropy_at_the_last_layer() -> None:
    env = DMoEEnv("digits-moe")
    env.reset(seed=0)
    K = env.config.num_nodes
    errors = []
    for _ in range(env.config.num_layers):
        views = unflatten(looked(env._simulator), env.config.observation_shapes)
        best = np.argsort(-views["gate"][0], axis=-1)[..., :2].reshape(-1)
        links = np.arange(K * K).reshape(K, K) % env.config.num_subcarriers
        *_, info = env.step(np.concatenate([best, links.reshape(-1)]))
        assert info["dropped_picks"] == 0
        errors.append(info["reward_error"])
    assert errors[:-1] == [0.0] * (len(errors) - 1)
    assert -1.0 < errors[-1] < 0.0
    assert info["accuracy"] > 0.8


def test_availability_is_stationary_from_the_start() -> None:
    env = DMoEEnv("large", failure_rate=0.1, repair_rate=0.3)
    shares = []
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        shares.append(observation["available"].mean())
    # 1,280 nodes, standard error 0.012.
    assert np.mean(shares) == pytest.approx(0.75, abs=0.05)


BELOW: dict[str, Any] = {
    "gates": "radnom",
    "num_nodes": 1,
    "num_sources": 5,
    "tokens_per_source": 0,
    "num_layers": 0,
    "num_subcarriers": 0,
    "max_experts": 0,
    "state_bits": 0.0,
    "qos": 1.5,
    "importance": (0.5,),
    "gate_spread": -1.0,
    "compute_joules": (0.2, 0.1),
    "csi_delay": -1,
    "deadline_seconds": 0.0,
    "count_backward": 1,
    "failure_rate": 1.5,
    "repair_rate": 0.0,
    "error_weight": -1.0,
    "energy_weight": -1.0,
    "area_m": 0.0,
}


@pytest.mark.parametrize("field", BELOW)
def test_out_of_range(field: str) -> None:
    with pytest.raises(ValueError, match=field) as caught:
        DMoEEnv(**{field: BELOW[field]})
    assert repr(BELOW[field]) in str(caught.value)


def test_digits_model_has_its_sizes() -> None:
    with pytest.raises(ValueError, match="num_nodes = 4 is not allowed: .* 8, as in the digits"):
        DMoEEnv("digits-moe", num_nodes=4)
