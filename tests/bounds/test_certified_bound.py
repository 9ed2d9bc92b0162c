"""No plan of a small episode, and no agent, exceeds the certified bound."""

from __future__ import annotations

import numpy as np
import pytest
from mec_moe_agents import certified_bound, make_agent, make_vector_env, run_episodes

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from tests.bounds.exhaustive import QuadraticTasks, all_returns

SIZES = (
    # M, S, T, U, D
    (2, 1, 5, 1, 1),
    (3, 1, 4, 1, 1),
    (2, 2, 3, 1, 1),
    (2, 1, 2, 2, 1),
    (3, 1, 3, 1, 2),
    (2, 1, 2, 2, 2),
)


def small_config(seed: int) -> OffloadingConfig:
    """Draw a small scenario: sizes, weights, failures, jitter, samples and tasks differ."""
    rng = np.random.default_rng(seed)
    servers, subcarriers, horizon, tasks, experts = SIZES[seed % len(SIZES)]
    features = int(rng.integers(3, 6))
    types = int(rng.integers(1, 4))
    quadratic = rng.random() < 0.15
    return OffloadingConfig(
        num_servers=servers,
        num_subcarriers=subcarriers,
        horizon=horizon,
        num_tasks=tasks,
        max_experts=experts,
        num_types=types,
        feature_dim=features,
        samples_per_task=int(rng.integers(1, features)),
        tasks=QuadraticTasks(types, features, seed) if quadratic else "synthetic",
        type_jitter=float(rng.choice([0.0, 0.05, 0.3])),
        proximal=float(rng.choice([0.0, 0.0, 0.5])),
        failure_rate=float(rng.choice([0.0, 0.3])),
        max_delay=int(rng.integers(1, 5)),
        error_weight=float(rng.choice([0.0, 1.0, 1.0, 3.0])),
        energy_weight=float(rng.choice([0.0, 1.0, 5.0])),
        delay_weight=float(rng.choice([0.0, 0.02, 0.2])),
    )


def test_toy_optimum_is_below() -> None:
    best = all_returns(OFFLOADING_PRESETS["toy"], 0).max()
    bound = certified_bound(OFFLOADING_PRESETS["toy"], [0])
    assert best == pytest.approx(-3.8)
    assert best <= bound[0] <= -3.0


@pytest.mark.parametrize(
    "block", [0, 1, *(pytest.param(more, marks=pytest.mark.slow) for more in (2, 3, 4))]
)
def test_no_plan_of_small_episodes_exceeds_it(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        config = small_config(seed)
        best = all_returns(config, seed).max()
        bound = certified_bound(config, [seed], rounds=4)[0]
        assert best <= bound, (seed, best, bound)


def pool_config(seed: int) -> OffloadingConfig:
    """Draw a small scenario with a fixed pool of types, and perhaps k ≥ d or a lower rank."""
    rng = np.random.default_rng([1, seed])
    plain = small_config(seed)
    return plain.override(
        tasks="synthetic",
        feature_rank=int(rng.integers(0, plain.feature_dim + 1)),
        samples_per_task=int(rng.integers(1, plain.feature_dim + 3)),
        truth_law="sphere",
        truth_clusters=int(rng.integers(0, 3)),
        cluster_spread=float(rng.choice([0.0, 0.01])),
        type_jitter=0.0,
        signal_direction=str(rng.choice(["orthogonal", "parallel"])),
        signal_norm=float(rng.choice([0.0, 6.0])),
        signal_strength=(1.0, 1.0),
        noise_law="sphere",
        result_mbit=float(rng.choice([0.0, 0.5])),
    )


def test_no_plan_exceeds_it_on_a_fixed_pool() -> None:
    for seed in range(36):
        config = pool_config(seed)
        best = all_returns(config, seed).max()
        bound = certified_bound(config, [seed], rounds=4)[0]
        assert best <= bound, (seed, best, bound)


@pytest.mark.parametrize("preset", ["default", "joint", "scarce", "continual", "mec-norm"])
def test_no_agent_exceeds_it(preset: str) -> None:
    config = OFFLOADING_PRESETS[preset].override(horizon=40, failure_rate=0.01)
    bounds = certified_bound(config, [3, 4], rounds=6)
    for name in ("greedy-oracle", "guard", "reject-all"):
        env = make_vector_env(config, 2)
        returns = run_episodes(make_agent(name, env), env, [3, 4]).metrics["return"]
        assert (returns <= bounds).all(), name
