"""A plan says all about a run, on disk too."""

import dataclasses
import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED
from mec_moe_agents.training.algorithms import ALGORITHMS, PRESETS, StepSchedule
from mec_moe_agents.training.learner import check_memory
from mec_moe_agents.training.plan import (
    FIRST_EPISODE_SEED,
    Plan,
    check_policy,
    default_policy,
    episode_seed,
    generator_seed,
    validation_seeds,
)
from mec_moe_agents.training.run_folder import read_plan

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from mec_moe_env.sb3 import SB3VecEnv
from tests.training.runs import SEGMENT, run, tiny_plan

CONFIGS: dict[tuple[str, str], Any] = {
    **{("offloading", name): config for name, config in OFFLOADING_PRESETS.items()},
    **{("dmoe", name): config for name, config in DMOE_PRESETS.items()},
}


@pytest.mark.parametrize(("env", "scenario"), CONFIGS)
def test_every_preset_has_hyperparameters_and_survives_json(env: str, scenario: str) -> None:
    for algo in ALGORITHMS:
        try:
            plan = Plan.tuned(algo, CONFIGS[env, scenario], scenario)
        except ValueError:
            assert algo == "dqn"
            continue
        assert Plan.from_description(plan.describe()) == plan
        if (algo, scenario) != ("dqn", "massive"):  # 262,145 actions: no case for DQN
            check_memory(plan)


def test_presets_exist() -> None:
    assert set(PRESETS) <= CONFIGS.keys()


def test_infinity_is_json() -> None:
    plan = Plan.tuned("ppo", OFFLOADING_PRESETS["massive"], "massive")
    assert math.isinf(plan.config.doppler_hz)
    assert plan.describe()["config"]["doppler_hz"] == "inf"


@pytest.mark.parametrize(
    "change", [{"format": 9}, {"seed": -1}, {"algo": "q"}, {"extra": 1}, {"config": {"horizn": 1}}]
)
def test_damaged_descriptions_are_refused(change: dict[str, Any]) -> None:
    described = tiny_plan().describe()
    with pytest.raises(ValueError, match=r"format|seed|training run|extra|horizon"):
        Plan.from_description({**described, **change})
    for name in described:
        with pytest.raises(ValueError, match=r"."):
            Plan.from_description({k: v for k, v in described.items() if k != name})


def test_the_command_gives_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mec_moe_agents.cli import app
    from typer.testing import CliRunner

    asked: list[tuple[Plan, int]] = []

    def stop(plan: Plan, folder: Path, steps: int, watcher: object) -> None:
        asked.append((plan, steps))
        raise OSError("enough")

    monkeypatch.setattr("mec_moe_agents.cli.training.train", stop)
    plan = tiny_plan("maskable-ppo", seed=3, threads=2)
    plan = dataclasses.replace(plan, config=plan.config.override(payload_mbit=(0.1, 0.2)))
    line = [*shlex.split(plan.command(500))[1:], "--agents", "guard", "--out", str(tmp_path)]
    assert "enough" in CliRunner().invoke(app, line).stderr
    assert asked == [(plan, 500)]
    assert read_plan(tmp_path) == plan


def test_policies_that_exist() -> None:
    default = OFFLOADING_PRESETS["default"]
    assert default_policy("dqn", default) == "mlp"
    assert default_policy("maskable-ppo", DMOE_PRESETS["toy"]) == "mlp"
    with pytest.raises(ValueError, match="exists in --env offloading for ppo"):
        check_policy("recurrent-ppo", "shape", default)


def test_seeds_of_training_are_no_seeds_of_evaluation() -> None:
    validation = validation_seeds(1000)
    assert min(validation) == FIRST_TRAINING_SEED
    assert max(validation) < FIRST_EPISODE_SEED
    firsts = [episode_seed(seed, segment) for seed in range(20) for segment in range(20)]
    assert min(firsts) >= FIRST_EPISODE_SEED
    assert max(firsts) < 2**63
    assert np.diff(sorted(firsts)).min() > 10**6
    generators = {generator_seed(seed, segment) for seed in range(20) for segment in range(20)}
    assert len(generators) == 400
    assert max(generators) < 2**32


def test_episodes_of_a_segment_have_its_seeds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environments are seeded by (seed, segment) alone, and by nothing below 2**32."""
    seen: list[int | None] = []
    seed = SB3VecEnv.seed

    def note(env: SB3VecEnv, value: int | None = None) -> Any:
        seen.append(value)
        return seed(env, value)

    monkeypatch.setattr(SB3VecEnv, "seed", note)
    for policy in ("mlp", "shape"):
        run(tiny_plan(seed=5, policy=policy), tmp_path / policy, 2 * SEGMENT)
    assert seen == 2 * [episode_seed(5, 0), episode_seed(5, 1)]


def test_schedule_counts_steps() -> None:
    schedule = StepSchedule(1.0, 0.2, 100)
    values = []
    for done in (0, 50, 100, 1000):
        schedule.done = done
        values.append(schedule(0.123))
    assert values == pytest.approx([1.0, 0.6, 0.2, 0.2])
