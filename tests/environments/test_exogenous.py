"""What happens over time whatever the scheduler does, measured from outside."""

import math
from typing import Any

import numpy as np
import pytest

from mec_moe_env import OffloadingEnv, OffloadingVectorEnv, unflatten
from mec_moe_env.radio.channel import fading_correlation


def roll(env: OffloadingVectorEnv, steps: int) -> dict[str, list[np.ndarray]]:
    """Reject everything for `steps` slots and collect what happened in them."""
    env.reset(seed=0)
    nothing = np.tile(env.single_action_space.nvec - 1, (env.num_envs, 1))
    kept: dict[str, list[np.ndarray]] = {}
    for _ in range(steps):
        env.step(nothing)
        now = env._simulator.exogenous
        seen = {name: now.tasks[name] for name in ("type", "payload", "origin")}
        seen["spectral_efficiency"] = now.spectral_efficiency
        seen["works_next"] = now.nodes["works_next"]
        for name, array in seen.items():
            kept.setdefault(name, []).append(array.copy())
    return kept


def test_unseen_rows_age_by_every_slot() -> None:
    """The correlation of |h|² between looks Δ slots apart is ρ^2Δ, however long a row waited."""
    env = OffloadingVectorEnv(
        300,
        num_servers=3,
        num_subcarriers=4,
        doppler_hz=0.7,
        horizon=400,
        shadowing_db=0.0,
        area_m=60.0,
        max_spectral_efficiency=60.0,
        min_spectral_efficiency=1e-6,
    )
    rho = fading_correlation(env.config)
    happened = roll(env, 60)
    process, nodes = env._simulator.process, env._simulator.exogenous.nodes
    pairs: dict[int, list[np.ndarray]] = {}
    last: dict[tuple[int, int], tuple[int, np.ndarray]] = {}
    for t, (origins, efficiency) in enumerate(
        zip(happened["origin"], happened["spectral_efficiency"], strict=True)
    ):
        for i in range(env.num_envs):
            source = int(origins[i, 0])
            other = (source + 1) % 3
            snr = np.exp2(efficiency[i, 0, other].astype(float)) - 1.0
            power = snr / process.mean_snr[i, nodes["link_row"][i, source], other]
            if (i, source) in last:
                before, earlier = last[i, source]
                pairs.setdefault(t - before, []).append(np.stack([earlier, power]))
            last[i, source] = (t, power)
    for gap in (1, 2, 3, 5):
        first, second = np.concatenate(pairs[gap], axis=1)
        # At least 4,000 pairs: standard error about 0.03.
        assert np.corrcoef(first, second)[0, 1] == pytest.approx(rho ** (2 * gap), abs=0.1)


def test_mean_snr_is_written_when_first_looked_at() -> None:
    """Rows of nodes where no task has arrived cost nothing; the others keep their first values."""
    env = OffloadingVectorEnv(2, num_servers=64, num_subcarriers=2, horizon=500)
    process, nodes = env._simulator.process, env._simulator.exogenous.nodes
    process.mean_snr[:] = np.nan
    seen: list[np.ndarray] = []
    for steps in (1, 100):
        roll(env, steps)
        written = ~np.isnan(process.mean_snr)
        in_use = np.arange(64) < process.memory["link_rows"][:, np.newaxis]
        np.testing.assert_array_equal(written.all(axis=2), in_use)
        np.testing.assert_array_equal(written.any(axis=2), in_use)
        np.testing.assert_array_equal(
            (nodes["link_row"] >= 0).sum(axis=1), process.memory["link_rows"]
        )
        assert process.memory["slot"][0] >= written[0, :, 0].sum()
        seen.append(process.mean_snr.copy())
    early = ~np.isnan(seen[0])
    np.testing.assert_array_equal(seen[0][early], seen[1][early])
    count = int(process.memory["link_rows"][0])
    node = np.argsort(nodes["link_row"][0])[64 - count :]
    early_rows = int((~np.isnan(seen[0][0, :, 0])).sum())
    assert count - early_rows > 10
    links = seen[1][0, :count][:, node]
    np.testing.assert_allclose(links, links.T, rtol=1e-12)


def test_failures_and_repairs_have_their_rates() -> None:
    env = OffloadingVectorEnv(50, horizon=500, failure_rate=0.05, repair_rate=0.2)
    works = np.array(roll(env, 400)["works_next"])
    before, after = works[:-1], works[1:]
    # 160,000 transitions from a stationary 0.8 of working servers.
    assert 1 - after[before].mean() == pytest.approx(0.05, abs=0.004)
    assert after[~before].mean() == pytest.approx(0.2, abs=0.015)


def test_arrivals_follow_the_config() -> None:
    env = OffloadingVectorEnv(
        50, num_types=3, type_frequencies=(1.0, 3.0, 6.0), type_persistence=0.5, horizon=900
    )
    happened = roll(env, 800)
    types = np.array(happened["type"])[:, :, 0]
    np.testing.assert_allclose(np.bincount(types.ravel()) / types.size, [0.1, 0.3, 0.6], atol=0.02)
    repeats = (types[1:] == types[:-1]).mean()
    assert repeats == pytest.approx(0.5 + 0.5 * (0.01 + 0.09 + 0.36), abs=0.015)
    payload = np.array(happened["payload"])
    low, high = env.config.payload_mbit
    assert low <= payload.min() < low + 0.01
    assert high - 0.01 < payload.max() <= high
    assert payload.mean() == pytest.approx((low + high) / 2, abs=0.01)
    assert np.array(happened["spectral_efficiency"]).min() >= np.float32(0.1)
    counts = np.bincount(np.array(happened["origin"]).ravel())
    assert len(counts) == 8
    assert counts.min() > 0.9 * counts.mean()


@pytest.mark.parametrize(
    "options",
    [
        {"failure_rate": 0.2, "repair_rate": 0.3},
        {"num_subcarriers": 1},
        {"num_tasks": 3, "num_subcarriers": 2, "failure_rate": 0.1},
    ],
)
def test_masks_and_busy_follow_the_state(options: dict[str, Any]) -> None:
    """Every entry of the mask by its meaning, with failures and without a free subcarrier."""
    env = OffloadingEnv(horizon=150, **options)
    config = env.config
    observation, info = env.reset(seed=0)
    rng = np.random.default_rng(0)
    M, S = config.num_servers, config.num_subcarriers
    for _ in range(150):
        state = env._simulator.state
        views = unflatten(observation, config.observation_shapes)
        working = state.servers["working"][0]
        idle = working & (state.servers["remaining"][0] == 0)
        free = state.subcarrier_remaining[0] == 0
        np.testing.assert_array_equal(views["busy"] == 1.0, ~working)
        mask = info["action_mask"].reshape(config.num_tasks, M + 1 + S)
        for u in range(config.num_tasks):
            home = views["origin"][u].astype(bool)
            np.testing.assert_array_equal(mask[u, :M], idle & (free.any() | home))
            assert mask[u, M]
            np.testing.assert_array_equal(mask[u, M + 1 :], free | ~free.any())
        observation, *_, info = env.step(np.asarray(rng.integers(env.action_space.nvec)))


def test_accuracy_by_definition() -> None:
    """Every task is judged by the model that its server has now; rejected ones by a coin."""
    env = OffloadingEnv("digits", horizon=60)
    env.reset(seed=0)
    evaluator = env._simulator.params
    rng = np.random.default_rng(0)
    tasks: list[tuple[int, int]] = []
    for _ in range(60):
        task_type = int(env._simulator.exogenous.tasks["type"][0, 0])
        mask = env.action_masks()
        server = int(rng.choice(np.flatnonzero(mask[:13])))
        *_, info = env.step(np.array([server, int(np.argmax(mask[13:]))]))
        tasks.append((task_type, server if info["accepted"] else 12))
        shares = []
        for n, m in tasks:
            real = evaluator.heldout_labels[n] != 0
            margin = evaluator.heldout_features[n][real] @ (
                env._simulator.state.model[0, m] if m < 12 else np.zeros(64)
            )
            signs = np.sign(margin) * evaluator.heldout_labels[n][real]
            shares.append(np.mean(0.5 * (1 + signs)))
        assert info["accuracy"] == pytest.approx(np.mean(shares), abs=1e-9)
    assert not math.isclose(info["accuracy"], 0.5, abs_tol=0.05)
