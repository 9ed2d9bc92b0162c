"""A plan says all about a run, on disk too."""

import dataclasses
import math
import shlex

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED
from mec_moe_agents.learning.defaults import DEFAULTS, PRESETS, hyperparameters_for
from mec_moe_agents.learning.memory import check_memory
from mec_moe_agents.learning.plan import Plan, check_policy, command_of, default_policy
from mec_moe_agents.learning.schedule import StepSchedule
from mec_moe_agents.learning.seeds import (
    FIRST_EPISODE_SEED,
    episode_seed,
    generator_seed,
    validation_seeds,
)

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from tests.learning.runs import tiny_plan

ALL = [("offloading", name) for name in OFFLOADING_PRESETS]
ALL += [("dmoe", name) for name in DMOE_PRESETS]


def plan_of(algo, env, scenario, **overrides):
    config = (DMOE_PRESETS if env == "dmoe" else OFFLOADING_PRESETS)[scenario]
    policy = default_policy(algo, config)
    return Plan(
        env=env,
        scenario=scenario,
        config=config.override(**overrides),
        algo=algo,
        policy=policy,
        hyperparameters=hyperparameters_for(algo, policy, env, scenario, {}),
    )


@pytest.mark.parametrize(("env", "scenario"), ALL)
def test_every_preset_has_hyperparameters_and_survives_json(env, scenario):
    for algo in DEFAULTS:
        try:
            plan = plan_of(algo, env, scenario)
        except ValueError:
            assert algo == "dqn"
            continue
        assert Plan.from_description(plan.describe()) == plan
        if (algo, scenario) != ("dqn", "massive"):  # 262,145 actions: no case for DQN
            check_memory(plan)


def test_presets_exist():
    assert set(PRESETS) <= set(ALL)


def test_infinity_is_json():
    plan = plan_of("ppo", "offloading", "massive")
    assert math.isinf(plan.config.doppler_hz)
    assert plan.describe()["config"]["doppler_hz"] == "inf"


@pytest.mark.parametrize(
    "change", [{"format": 9}, {"seed": -1}, {"algo": "q"}, {"extra": 1}, {"config": {"horizn": 1}}]
)
def test_damaged_descriptions_are_refused(change):
    described = tiny_plan().describe()
    with pytest.raises(ValueError, match=r"format|seed|training run|extra|horizon"):
        Plan.from_description({**described, **change})
    for name in described:
        with pytest.raises(ValueError, match=r"."):
            Plan.from_description({k: v for k, v in described.items() if k != name})


def test_the_command_gives_the_plan(tmp_path):
    from mec_moe_agents.cli.train_request import TrainRequest

    plan = tiny_plan("maskable-ppo", seed=3, threads=2)
    plan = dataclasses.replace(plan, config=plan.config.override(payload_mbit=(0.1, 0.2)))
    words = shlex.split(command_of(plan, 500))
    options = dict(zip(words[2::2], words[3::2], strict=True))
    settings = [b for a, b in zip(words[2::2], words[3::2], strict=True) if a == "--set"]
    tuning = [b for a, b in zip(words[2::2], words[3::2], strict=True) if a == "--tune"]
    request = TrainRequest.check(
        algo=options["--algo"],
        scenario=options["--scenario"],
        env="offloading",
        policy=options["--policy"],
        steps=int(options["--steps"]),
        seed=int(options["--seed"]),
        envs=None,
        out=tmp_path,
        settings=settings,
        tuning=tuning,
        baselines="guard",
        validation=int(options["--validation"]),
        threads=int(options["--threads"]),
        start=None,
        fresh=False,
    )
    assert request.plan == plan


def test_policies_that_exist():
    default = OFFLOADING_PRESETS["default"]
    assert default_policy("dqn", default) == "mlp"
    assert default_policy("maskable-ppo", DMOE_PRESETS["toy"]) == "mlp"
    with pytest.raises(ValueError, match="exists in --env offloading for ppo"):
        check_policy("recurrent-ppo", "shape", default)


def test_seeds_of_training_are_no_seeds_of_evaluation():
    validation = validation_seeds(1000)
    assert min(validation) == FIRST_TRAINING_SEED
    assert max(validation) < FIRST_EPISODE_SEED
    firsts = [episode_seed(seed, leg) for seed in range(20) for leg in range(20)]
    assert min(firsts) >= FIRST_EPISODE_SEED
    assert max(firsts) < 2**63
    assert np.diff(sorted(firsts)).min() > 10**6
    generators = {generator_seed(seed, leg) for seed in range(20) for leg in range(20)}
    assert len(generators) == 400
    assert max(generators) < 2**32


def test_episodes_of_a_leg_have_its_seeds(monkeypatch, tmp_path):
    """The environments are seeded by (seed, leg) alone, and by nothing below 2**32."""
    from mec_moe_env.sb3 import SB3VecEnv
    from tests.learning.runs import LEG, run

    seen = []
    seed = SB3VecEnv.seed
    monkeypatch.setattr(
        SB3VecEnv, "seed", lambda env, value: seen.append(value) or seed(env, value)
    )
    for policy in ("mlp", "shape"):
        run(tiny_plan(seed=5, policy=policy), tmp_path / policy, 2 * LEG)
    assert seen == 2 * [episode_seed(5, 0), episode_seed(5, 1)]


def test_schedule_counts_steps():
    schedule = StepSchedule(1.0, 0.2, 100)
    values = []
    for done in (0, 50, 100, 1000):
        schedule.done = done
        values.append(schedule(0.123))
    assert values == pytest.approx([1.0, 0.6, 0.2, 0.2])
