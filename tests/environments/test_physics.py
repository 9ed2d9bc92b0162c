"""The radio network and the linear experts against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import j0
from scipy.stats import kstest

from mec_moe_env import OffloadingConfig, OffloadingVectorEnv, unflatten
from mec_moe_env.core.rng import PURPOSES, draw_keys, write_log2
from mec_moe_env.experts import learn, model_error
from mec_moe_env.pseudo_inverse import rotate
from mec_moe_env.radio.channel import advance_fading, fading_correlation
from mec_moe_env.radio.geometry import (
    draw_positions,
    noise_power_w,
    reference_snr,
    write_mean_snr,
)
from mec_moe_env.radio.links import transmission_seconds


def test_link_budget_by_hand() -> None:
    config = OffloadingConfig()
    # −174 dBm/Hz + 60 dB(Hz) + 9 dB = −105 dBm.
    assert noise_power_w(config) == pytest.approx(10**-13.5)
    # 20 dBm − 43.33 dB at one metre and 3.5 GHz, over −105 dBm: 81.67 dB.
    assert 10 * math.log10(reference_snr(config)) == pytest.approx(81.67, abs=0.01)


def mean_snr_of(key: int, shadowing_db: float, positions: np.ndarray) -> np.ndarray:
    rows = np.empty((len(positions), len(positions)))
    for origin, row in enumerate(rows):
        write_mean_snr(np.uint64(key), 1e8, 3.0, shadowing_db, positions, origin, row)
    return rows


def sites(count: int) -> np.ndarray:
    positions = np.empty((count, 2))
    draw_positions(draw_keys(np.random.default_rng(0), PURPOSES), 400.0, positions)
    return positions


def test_mean_snr_falls_with_distance() -> None:
    positions = sites(50)
    positions[7] = positions[3] + 0.1
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    mean_snr = mean_snr_of(1, 0.0, positions)
    off = ~np.eye(50, dtype=bool)
    np.testing.assert_allclose(mean_snr[off], 1e8 * np.maximum(distance[off], 1.0) ** -3)
    assert np.isinf(mean_snr[~off]).all()
    assert positions.min() >= 0
    assert positions.max() <= 400


def test_shadowing_is_normal_and_reciprocal() -> None:
    positions = sites(150)
    shadowed, plain = mean_snr_of(1, 8.0, positions), mean_snr_of(1, 0.0, positions)
    np.testing.assert_allclose(shadowed, shadowed.T, rtol=1e-12)
    lower = np.tril_indices(150, -1)
    normal = 10 * np.log10(shadowed[lower] / plain[lower]) / 8.0
    # 11,175 pairs: the critical distance of Kolmogorov and Smirnov at 10⁻⁴ is 0.021.
    assert kstest(normal, "norm").statistic < 0.021


def test_shadowing_of_neighbours_and_of_other_keys_is_independent() -> None:
    positions = np.zeros((150, 2))
    normal, other = (np.log(mean_snr_of(key, 8.0, positions)) for key in (1, 2))
    off = np.tril_indices(150, -2)
    mine, theirs, neighbours = normal[off], other[off], normal[off[0], off[1] + 1]
    for pair in ((mine, theirs), (mine, neighbours)):
        # 11,026 pairs: standard error below 0.01.
        assert abs(np.corrcoef(*pair)[0, 1]) < 0.04


def test_correlation_is_clarkes() -> None:
    assert fading_correlation(OffloadingConfig(doppler_hz=0.0)) == 1.0
    assert fading_correlation(OffloadingConfig(doppler_hz=math.inf)) == 0.0
    config = OffloadingConfig(doppler_hz=2.0, slot_seconds=0.1)
    assert fading_correlation(config) == pytest.approx(j0(0.4 * math.pi))


@pytest.mark.parametrize("line_of_sight", [0.0, 4.0])
def test_fading_has_unit_power_and_the_right_memory(line_of_sight: float) -> None:
    streams = draw_keys(np.random.default_rng(0), PURPOSES)
    row, power = np.zeros((2, 200, 100), np.float32), np.empty((200, 100), np.float32)
    noise = np.empty(row.size, np.float32)
    advance_fading(streams, 0.0, line_of_sight, row, noise, power)
    before = row.copy()
    # 20,000 samples: standard error 0.7 % for Rayleigh.
    assert power.mean() == pytest.approx(1.0, abs=0.03)
    advance_fading(streams, 0.8, line_of_sight, row, noise, power)
    assert power.mean() == pytest.approx(1.0, abs=0.03)
    assert (row * before).sum(axis=0).mean() == pytest.approx(0.8, abs=0.03)
    advance_fading(streams, 1.0, line_of_sight, row, noise, power)
    again = row.copy()
    advance_fading(streams, 1.0, line_of_sight, row, noise, power)
    np.testing.assert_array_equal(again, row)


def test_frozen_channel_stays_and_memoryless_changes() -> None:
    for doppler_hz, stays in ((0.0, True), (math.inf, False)):
        env = OffloadingVectorEnv(1, doppler_hz=doppler_hz, num_servers=2, num_subcarriers=3)
        env.reset(seed=0)
        seen: dict[int, list[np.ndarray]] = {0: [], 1: []}
        for _ in range(150):
            observation = env.step(env.action_space.sample())[0]
            views = unflatten(observation, env.config.observation_shapes)
            origin = int(views["origin"][0, 0].argmax())
            seen[origin].append(views["spectral_efficiency"][0, 0, 1 - origin])
        for rows in seen.values():
            assert np.allclose(rows[0], rows[-1]) == stays


def test_log2_is_exact_to_single_precision() -> None:
    exact = np.exp(np.random.default_rng(0).uniform(0, 60, 100_000)).astype(np.float32)
    exact[:3] = 1.0, 2.0, np.float32(np.sqrt(2))
    values, out = exact.copy(), np.empty_like(exact)
    write_log2(values, values.view(np.int32), out)
    np.testing.assert_allclose(out, np.log2(exact.astype(np.float64)), rtol=4e-7, atol=1e-9)


def test_transmission_by_hand() -> None:
    assert transmission_seconds(1e6, 1e6, 5.0) == pytest.approx(0.2)


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.floats(0.0, 2.0))
def test_learning_is_the_nearest_interpolation(seed: int, d: int, proximal: float) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, d))
    X, y, w = rng.standard_normal((d, k)), rng.standard_normal(k), rng.standard_normal(d)
    out = np.empty(d)
    learn(w, np.ascontiguousarray(X.T), y, proximal, out, np.empty((2 * k + 2, k)))
    if proximal < 1e-3:
        nearest = w + np.linalg.lstsq(X.T, y - X.T @ w, rcond=None)[0]
        if proximal == 0.0:
            np.testing.assert_allclose(out, nearest, rtol=1e-5, atol=1e-5)
    else:
        ridge = np.linalg.solve(X @ X.T + proximal * np.eye(d), X @ y + proximal * w)
        np.testing.assert_allclose(out, ridge, rtol=1e-6, atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 9), st.integers(1, 6))
def test_dependent_samples_are_learned_by_the_pseudo_inverse(
    seed: int, d: int, k: int, rank: int
) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((d, rank)) @ rng.standard_normal((rank, k))
    y, w, out = rng.standard_normal(k), rng.standard_normal(d), np.empty(d)
    learn(w, np.ascontiguousarray(X.T), y, 0.0, out, np.empty((2 * k + 2, k)))
    nearest = w + np.linalg.lstsq(X.T, y - X.T @ w, rcond=1e-9)[0]
    singular = np.linalg.svd(X, compute_uv=False)[: min(d, k, rank)]
    if singular[-1] > 1e-3 * singular[0]:
        np.testing.assert_allclose(out, nearest, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_rounding_leaves_of_dependent_samples_counts_as_none(scale: float) -> None:
    """Multiples of one sample: their Gram matrix has one eigenvalue, beside some of 1e-16 of it."""
    X = scale * np.outer([0.1, 0.7, 0.3], [1.0, 3.0, 1.1])
    y, out = np.array([1.0, 2.0, -1.0]), np.empty(3)
    learn(np.zeros(3), np.ascontiguousarray(X.T), y, 0.0, out, np.empty((8, 3)))
    np.testing.assert_allclose(out, np.linalg.pinv(X.T, rcond=1e-9) @ y, rtol=1e-9)


def test_a_rotation_ends_the_mixing_of_two_coordinates() -> None:
    """cot 2φ = (3 − 1)/(2·1) = 1: φ = 22.5°; the eigenvalues are 2 ± √2."""
    matrix, vectors = np.array([[1.0, 1.0], [1.0, 3.0]]), np.eye(2)
    rotate(matrix, vectors, 0, 1)
    root, angle = np.sqrt(2.0), np.pi / 8
    np.testing.assert_allclose(matrix, [[2 - root, 0], [0, 2 + root]], atol=1e-15)
    turned = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    np.testing.assert_allclose(vectors, turned, atol=1e-15)


def test_contradictory_samples_meet_in_the_middle() -> None:
    # Twice x = (1, 1), labelled 1 and 3, from w = (0.5, −0.5): xᵀw = 2 afterwards.
    out = np.empty(2)
    learn(np.array([0.5, -0.5]), np.ones((2, 2)), np.array([1.0, 3.0]), 0.0, out, np.empty((6, 2)))
    np.testing.assert_allclose(out, [1.5, 0.5], rtol=1e-12)


def test_identical_samples_do_not_break_learning() -> None:
    X, out = np.ones((2, 3)), np.empty(3)
    learn(np.zeros(3), X, np.ones(2), 0.0, out, np.empty((6, 2)))
    assert np.isfinite(out).all()


def test_nothing_is_learned_of_samples_without_features() -> None:
    before, out = np.array([0.5, -0.5]), np.empty(2)
    learn(before, np.zeros((2, 2)), np.array([1.0, 3.0]), 0.0, out, np.empty((6, 2)))
    np.testing.assert_array_equal(out, before)


def test_model_error_by_hand() -> None:
    model, truth = np.array([2.0, 1.0]), np.array([2.0, 0.0])
    assert model_error(model, np.empty((0, 0)), truth, 4.0) == pytest.approx(1.0)
    assert model_error(model, np.diag([1.0, 3.0]), truth, 4.0) == pytest.approx(3.0)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_default_is_balanced(share: float) -> None:
    """Delays spread over 1..5 slots and sending is 30–70 % of the energy of random routing."""
    env = OffloadingVectorEnv(60)
    observation, info = env.reset(seed=0)
    rng = np.random.default_rng(0)
    sent = spent = 0.0
    delays: list[float] = []
    for _ in range(150):
        idle = info["action_mask"][:, :8] * rng.random((60, 8))
        server = np.where(idle.any(axis=1), idle.argmax(axis=1), 8)
        links = unflatten(observation, env.config.observation_shapes)["spectral_efficiency"]
        link = links[np.arange(60), 0, np.minimum(server, 7)]
        subcarrier = (info["action_mask"][:, 9:] * link).argmax(axis=1)
        observation, *_, info = env.step(np.stack([server, subcarrier], axis=1))
        sent += info["transmission_energy_j"].sum()
        spent += info["energy_j"].sum()
        delays += info["delay_slots"][info["accepted"] == 1].tolist()
    assert (sent / spent > share) == (share < 0.5)
    assert (np.bincount(np.array(delays, int), minlength=6)[1:] / len(delays)).min() > 0.05
