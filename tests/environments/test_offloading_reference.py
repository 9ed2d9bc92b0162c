"""The compiled step against the definition, and the return identity of the reward."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mec_moe_env import OFFLOADING_PRESETS, OffloadingEnv
from tests.environments.reference import ReferenceOffloading


@st.composite
def offloading_fields(draw: st.DrawFn) -> dict[str, Any]:
    num_types = draw(st.integers(1, 5))
    feature_dim = draw(st.integers(2, 7))
    return {
        "num_tasks": draw(st.integers(1, 3)),
        "max_experts": draw(st.integers(1, 3)),
        "num_servers": draw(st.integers(2, 6)),
        "num_subcarriers": draw(st.integers(1, 4)),
        "num_types": num_types,
        "horizon": draw(st.integers(1, 25)),
        "feature_dim": feature_dim,
        "samples_per_task": draw(st.integers(1, feature_dim + 1)),
        "feature_rank": draw(st.sampled_from([0, 0, 1, feature_dim])),
        "truth_law": draw(st.sampled_from(["gaussian", "sphere"])),
        "truth_clusters": draw(st.sampled_from([0, 2])),
        "cluster_spread": draw(st.sampled_from([0.0, 0.1])),
        "type_jitter": draw(st.sampled_from([0.0, 0.05])),
        "signal_direction": draw(st.sampled_from(["orthogonal", "parallel"])),
        "signal_norm": draw(st.sampled_from([0.0, 2.0])),
        "noise_scale": draw(st.floats(0.05, 1.0)),
        "noise_law": draw(st.sampled_from(["gaussian", "sphere"])),
        "proximal": draw(st.sampled_from([0.0, 0.5])),
        "max_delay": draw(st.integers(1, 5)),
        "result_mbit": draw(st.sampled_from([0.0, 0.5])),
        "doppler_hz": draw(st.sampled_from([0.0, 1.0, 30.0, float("inf")])),
        "rician_factor": draw(st.sampled_from([0.0, 3.0])),
        "failure_rate": draw(st.sampled_from([0.0, 0.2])),
        "repair_rate": draw(st.sampled_from([0.1, 0.9])),
        "type_persistence": draw(st.sampled_from([0.0, 0.8])),
        "type_frequencies": draw(
            st.none() | st.just(tuple(float(n + 1) for n in range(num_types)))
        ),
        "error_weight": draw(st.floats(0.0, 2.0)),
        "energy_weight": draw(st.floats(0.0, 20.0)),
        "delay_weight": draw(st.floats(0.0, 1.0)),
    }


def check_episode(
    env: OffloadingEnv,
    seed: int,
    legal_share: float,
    follow: Callable[[Any], ReferenceOffloading] = ReferenceOffloading,
) -> None:
    """Play one episode by chance; every info and the return must follow from the definition."""
    config = env.config
    rng = np.random.default_rng(seed)
    env.action_space.seed(seed)
    _, info = env.reset(seed=seed)
    reference = follow(env)
    total = energy = delay = 0.0
    terminated = False
    while not terminated:
        mask = info["action_mask"].astype(np.int8) if rng.random() < legal_share else None
        nvec = env.action_space.nvec
        split = None if mask is None else tuple(np.split(mask, np.cumsum(nvec)[:-1]))
        action = env.action_space.sample(mask=split)
        slot = reference.read_slot()
        _, reward, terminated, truncated, info = env.step(action)
        expected = reference.step(slot, action)
        assert not truncated
        assert reward == pytest.approx(expected.pop("reward"), rel=1e-6, abs=1e-8)
        for key, value in expected.items():
            assert info[key] == pytest.approx(value, rel=1e-6, abs=1e-8), key
        weights = (config.error_weight, config.energy_weight, config.delay_weight)
        terms = [info["reward_error"], info["reward_energy"], info["reward_delay"]]
        weighted = np.dot(weights, terms)
        assert reward == pytest.approx(weighted, rel=1e-12, abs=1e-12)
        total += reward
        energy += info["energy_j"]
        delay += info["delay_slots"]
    tasks = config.horizon * config.num_tasks
    identity = -(
        config.error_weight * tasks * info["generalization_error"]
        + config.energy_weight * energy
        + config.delay_weight * delay
    )
    assert total == pytest.approx(identity, rel=1e-6, abs=1e-9)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(offloading_fields(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.7, 1.0]))
def test_episode_follows_the_definition(
    fields: dict[str, Any], seed: int, legal_share: float
) -> None:
    check_episode(OffloadingEnv(**fields), seed, legal_share)


@pytest.mark.parametrize("scenario", sorted(OFFLOADING_PRESETS.keys() - {"mnist", "massive"}))
def test_presets_follow_the_definition(scenario: str) -> None:
    horizon = min(OFFLOADING_PRESETS[scenario].horizon, 80)
    check_episode(OffloadingEnv(scenario, horizon=horizon), seed=3, legal_share=0.9)


def test_massive_follows_the_definition() -> None:
    check_episode(OffloadingEnv("massive", horizon=5), seed=3, legal_share=1.0)


def test_mnist_follows_the_definition(mnist_folder: str) -> None:
    env = OffloadingEnv("mnist", data_path=mnist_folder, feature_dim=20, horizon=40)
    check_episode(env, seed=3, legal_share=1.0)
