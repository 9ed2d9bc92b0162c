"""What is foreseen is what the environment shows, whatever is done in it."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from mec_moe_env import (
    DMOE_PRESETS,
    OFFLOADING_PRESETS,
    DMoEConfig,
    DMoEEnv,
    DMoEForesight,
    Layer,
    OffloadingConfig,
    OffloadingEnv,
    OffloadingForesight,
    OffloadingVectorEnv,
    Slot,
    foresight,
)
from tests.environments.catalogue import CASES, DMOE, OFFLOADING, SCALAR, Case

SMALL = [case for case in CASES if case.small and case.scenario != "mnist"]
VARIANTS: dict[str, dict[str, Any]] = {
    OFFLOADING: {"horizon": 30},
    DMOE: {"csi_delay": 2, "failure_rate": 0.3, "count_backward": True},
}


def small_config(case: Case) -> Any:
    presets: Any = OFFLOADING_PRESETS if case.id == OFFLOADING else DMOE_PRESETS
    config = presets[case.scenario]
    if case.scenario == "toy":
        return config
    failing = {"failure_rate": 0.1} if case.id == OFFLOADING else {}
    return config.override(**VARIANTS[case.id], **failing)


def check_slot(slot: Slot, seen: OffloadingForesight, t: int) -> None:
    """Compare a slot that a scheduler sees with what was foreseen of it."""
    U, M = seen.spectral_efficiency.shape[1:3]
    bound = np.abs(slot.task).max()
    sums = np.clip(seen.features[t].sum(axis=1), -bound, bound)
    np.testing.assert_allclose(slot.task[0], sums, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(slot.spectral_efficiency[0], seen.spectral_efficiency[t])
    np.testing.assert_array_equal(slot.payload[0], seen.payload[t].astype(np.float32))
    np.testing.assert_array_equal(slot.origin[0], np.eye(M)[seen.origin[t]].reshape(U, M))
    compute = np.stack([seen.joules, seen.seconds], axis=1).astype(np.float32)
    np.testing.assert_array_equal(slot.compute[0], compute)
    # A failed server looks busy, a working one may be.
    assert (slot.busy[0][~seen.working[t]] == 1.0).all()


def check_layer(layer: Layer, seen: DMoEForesight, t: int) -> None:
    """Compare a layer that a scheduler sees with what was foreseen of it."""
    if t < len(seen.gates):
        np.testing.assert_array_equal(layer.gate[0], seen.gates[t].astype(np.float32))
    np.testing.assert_array_equal(layer.spectral_efficiency[0], seen.shown_efficiency[t])
    np.testing.assert_array_equal(layer.compute_energy[0], seen.joules.astype(np.float32))
    np.testing.assert_array_equal(layer.available[0], seen.available[t])


def play(env: Any, observation: Any, seen: Any, actions: np.random.Generator) -> float:
    """Play the rest of an episode at random beside its foresight; return the return."""
    total = 0.0
    for t in range(len(seen.spectral_efficiency)):
        batched = {name: array[np.newaxis] for name, array in observation.items()}
        if isinstance(seen, OffloadingForesight):
            check_slot(Slot.read(batched, env.unwrapped.config), seen, t)
        else:
            check_layer(Layer.read(batched, env.unwrapped.config), seen, t)
        observation, reward, over, _, _ = env.step(actions.integers(env.action_space.nvec))
        total += float(reward)
    assert over
    return total


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_foreseen_is_shown_whatever_is_done(case: Case) -> None:
    config = small_config(case)
    env = SCALAR[case.id](config)
    seen = foresight(config, 7)
    for actions in (0, 1):
        observation, _ = env.reset(seed=7)
        play(env, observation, seen, np.random.default_rng(actions))
    for one, other in zip(seen, foresight(env, 7), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_the_rest_of_an_episode_is_foreseen_without_disturbing_it(case: Case) -> None:
    config = small_config(case)
    returns = []
    for ahead in (True, False):
        env, actions = SCALAR[case.id](config), np.random.default_rng(0)
        env.reset(seed=3)
        observation = env.step(actions.integers(env.action_space.nvec))[0]
        whole, t = foresight(config, 3), 1
        if ahead:
            rest = foresight(env)
            np.testing.assert_array_equal(rest.spectral_efficiency, whole.spectral_efficiency[t:])
            returns.append(play(env, observation, rest, actions))
        else:
            rewards = []
            for _ in range(t, env.unwrapped.episode_steps):
                rewards.append(env.step(actions.integers(env.action_space.nvec))[1])
            returns.append(float(np.sum(rewards)))
    assert returns[0] == pytest.approx(returns[1], rel=1e-12)


def test_what_servers_do_is_foreseen() -> None:
    """Row t + 1 of `working` is what is seen after slot t, with every failed server."""
    config = OffloadingConfig(failure_rate=0.3, repair_rate=0.3, horizon=40)
    env = OffloadingEnv(config)
    observation, _ = env.reset(seed=5)
    seen = foresight(config, 5)
    assert seen.working[0].all()
    assert 0.2 < seen.working.mean() < 0.8
    nothing = env.action_space.nvec - 1
    for t in range(config.horizon):
        np.testing.assert_array_equal(observation["busy"] == 0.0, seen.working[t])
        observation = env.step(nothing)[0]
    np.testing.assert_array_equal(observation["busy"] == 0.0, seen.working[config.horizon])


def test_errors_follow_from_what_is_foreseen() -> None:
    """Whoever rejects everything pays each task's constant."""
    config = OFFLOADING_PRESETS["joint"].override(horizon=20)
    env = OffloadingEnv(config)
    env.reset(seed=2)
    total = 0.0
    for _ in range(20):
        total += float(env.step(env.action_space.nvec - 1)[1])
    assert total == pytest.approx(-foresight(config, 2).constant.sum())


def test_rows_of_a_vector_environment() -> None:
    env = OffloadingVectorEnv(3, "default", horizon=5)
    env.reset(seed=[4, 9, 6])
    for row, seed in enumerate((4, 9, 6)):
        np.testing.assert_array_equal(
            foresight(env, row=row).features, foresight(env.config, seed).features
        )
    with pytest.raises(ValueError, match=r"row = 3 is not allowed: row must be 0\.\.2"):
        foresight(env, row=3)


def test_wrapped_and_real_models() -> None:
    env = gym.make("mec_moe/DMoE-v0", scenario="digits-moe")
    env.reset(seed=1)
    seen = foresight(env)
    assert seen.gates.shape == (1, 8, 4, 8)
    assert seen.hidden.shape[0] == seen.classes.size == 32


@pytest.mark.parametrize(
    ("source", "seed", "error", "message"),
    [
        ("default", 0, TypeError, "source must be"),
        (OffloadingConfig(), None, ValueError, "seed = None"),
        (DMoEConfig(), -1, ValueError, "seed = -1"),
        (DMoEEnv(), None, RuntimeError, "reset"),
    ],
)
def test_wrong_arguments_are_named(source: Any, seed: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        foresight(source, seed)
