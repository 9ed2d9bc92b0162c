"""What the network sees of a decision."""

from typing import Any

import numpy as np
import pytest
from mec_moe_agents import pick_costs
from mec_moe_agents.offloading.features import CONTEXT, OF_CONTEXT, OF_SERVER, SERVER
from mec_moe_agents.offloading.learned import Decisions
from numpy.typing import NDArray

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingVectorEnv, Slot

JOINT = OFFLOADING_PRESETS["joint"]
CLUSTER_FLAGS = [OF_SERVER.untrained, OF_SERVER.own, OF_SERVER.foreign]


def servers_of(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return features[:, CONTEXT:].reshape(len(features), -1, SERVER)


def played(
    config: OffloadingConfig, slots: int, batch: int = 4, seed: int = 0
) -> tuple[Decisions, dict[str, Any]]:
    """Return decisions and observation after some slots of random choices."""
    env, rng = OffloadingVectorEnv(batch, config), np.random.default_rng(seed)
    decisions = Decisions(config, batch)
    observation, _ = env.reset(seed=seed)
    for _ in range(slots):
        decisions.begin(observation)
        for task in range(config.num_tasks):
            available = servers_of(decisions.features(task))[..., OF_SERVER.available]
            draw = np.concatenate([available, np.ones((batch, 1))], 1)
            decisions.choose(task, (draw * rng.random(draw.shape)).argmax(1))
        observation, *_, info = env.step(decisions.action)
        assert info["dropped_picks"].sum() == 0
    return decisions, observation


def test_every_feature_has_a_name_and_a_place() -> None:
    assert OF_CONTEXT == tuple(range(CONTEXT)) == tuple(range(20))
    assert OF_SERVER == tuple(range(SERVER)) == tuple(range(24))


@pytest.mark.parametrize("subcarriers", [3, 16])
def test_only_available_servers_are_marked_and_no_pick_is_dropped(subcarriers: int) -> None:
    played(JOINT.override(num_subcarriers=subcarriers, failure_rate=0.02), 60)


def test_features_are_finite_and_bounded() -> None:
    decisions, observation = played(JOINT, 40)
    decisions.begin(observation)
    features = decisions.features(0)
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 4.0


def test_first_task_sees_the_costs_that_the_baselines_see() -> None:
    decisions, observation = played(JOINT, 20)
    decisions.begin(observation)
    delays = servers_of(decisions.features(0))[..., OF_SERVER.delay] * JOINT.max_delay
    costs = pick_costs(Slot.read(observation, JOINT), JOINT)
    np.testing.assert_allclose(delays, costs.delay_slots[:, 0], rtol=1e-6)


def test_later_tasks_find_servers_and_subcarriers_taken() -> None:
    config = JOINT.override(num_subcarriers=1)
    decisions = Decisions(config, 1)
    observation, _ = OffloadingVectorEnv(1, config).reset(seed=1)
    decisions.begin(observation)
    origins = Slot.read(observation, config).origin[0].argmax(1)
    away = next(m for m in range(16) if m not in origins)
    decisions.features(0)
    decisions.choose(0, np.array([away]))
    available = servers_of(decisions.features(1))[0, :, OF_SERVER.available]
    assert np.flatnonzero(available).tolist() == [origins[1]]


def test_cluster_of_a_server_is_seen_from_the_task() -> None:
    config = OFFLOADING_PRESETS["default"]
    decisions, observation = played(config, 0, batch=1)
    decisions.begin(observation)
    assert servers_of(decisions.features(0))[0, :, OF_SERVER.untrained].tolist() == [1.0] * 8
    decisions.choose(0, np.array([5]))
    later = {key: value.copy() for key, value in observation.items()}
    decisions.begin(later)
    same = servers_of(decisions.features(0))[0, 5]
    assert same[CLUSTER_FLAGS].tolist() == [0.0, 1.0, 0.0]
    assert same[OF_SERVER.similarity] == pytest.approx(1.0)
    later["task"] = -later["task"]
    decisions.begin(later)
    other = servers_of(decisions.features(0))[0, 5]
    assert other[CLUSTER_FLAGS].tolist() == [0.0, 0.0, 1.0]
