"""What is measured of episodes, and which seeds they have."""

import numpy as np
import pytest
from mec_moe_agents import evaluate, make_agent
from mec_moe_agents.evaluation import rollout
from mec_moe_agents.evaluation.rollout import (
    FIRST_TRAINING_SEED,
    check_evaluation_seeds,
    check_training_seeds,
)

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingEnv

SMALL = OffloadingConfig(horizon=30, failure_rate=0.02)


def test_metrics_are_those_of_a_loop_by_hand() -> None:
    found = evaluate("guard", SMALL, [4]).metrics
    env = OffloadingEnv(SMALL)
    agent = make_agent("guard", env, seed=4)
    observation, _ = env.reset(seed=4)
    sums: dict[str, float] = {}
    state, ended = None, False
    while not ended:
        action, state = agent.predict(observation, state)
        observation, reward, ended, _, info = env.step(action)
        for key in ("energy_j", "delay_slots", "accepted", "rejected"):
            sums[key] = sums.get(key, 0.0) + info[key]
        sums["return"] = sums.get("return", 0.0) + reward
    assert found["return"][0] == pytest.approx(sums["return"])
    assert found["generalization_error"][0] == info["generalization_error"]
    assert found["energy_per_task_j"][0] == pytest.approx(sums["energy_j"] / sums["accepted"])
    assert found["mean_delay_slots"][0] == pytest.approx(sums["delay_slots"] / sums["accepted"])
    assert found["rejected_share"][0] == sums["rejected"] / SMALL.horizon


def test_no_accepted_task_has_no_energy_per_task() -> None:
    found = evaluate("reject-all", SMALL, [0]).metrics
    assert np.isnan(found["energy_per_task_j"]).all()
    assert found["energy_per_arrival_j"].tolist() == [0.0]
    assert "accuracy" not in found


def test_real_data_have_an_accuracy() -> None:
    config = OFFLOADING_PRESETS["digits"].override(horizon=20)
    accuracy = evaluate("profile", config, [0]).metrics["accuracy"]
    assert 0.5 < accuracy[0] <= 1.0


def test_splitting_a_batch_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate("random", SMALL, range(5))
    monkeypatch.setattr(rollout, "BATCH_NUMBERS", 300)
    assert len(rollout.batches(SMALL, range(5))) > 1
    parts = evaluate("random", SMALL, range(5))
    np.testing.assert_array_equal(whole.curve, parts.curve)
    np.testing.assert_array_equal(whole.seeds, parts.seeds)


def test_every_seed_is_for_one_of_the_two() -> None:
    check_evaluation_seeds([0, 100_000, FIRST_TRAINING_SEED - 1])
    check_training_seeds([FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + 10**9])


@pytest.mark.parametrize("seed", [-1, FIRST_TRAINING_SEED, 1.5, True])
def test_no_other_seed_evaluates(seed: float) -> None:
    with pytest.raises(ValueError, match=f"seed = {seed} is not allowed.*for training"):
        check_evaluation_seeds([0, seed])  # type: ignore[list-item]


@pytest.mark.parametrize("seed", [0, FIRST_TRAINING_SEED - 1, 3e9])
def test_no_other_seed_trains(seed: float) -> None:
    with pytest.raises(ValueError, match=f"seed = {seed} is not allowed.*for evaluation"):
        check_training_seeds([FIRST_TRAINING_SEED, seed])  # type: ignore[list-item]
