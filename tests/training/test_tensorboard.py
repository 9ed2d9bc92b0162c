"""What `mec-moe train` writes for TensorBoard, read back as TensorBoard reads it."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")
pytest.importorskip("tensorboard")
pytest.importorskip("typer")

from mec_moe_agents.cli import app
from mec_moe_agents.evaluation.rollout import Episodes, evaluate, make_vector_env, run_episodes
from mec_moe_agents.training.plan import validation_seeds
from mec_moe_agents.training.run import load_agent
from mec_moe_agents.training.tensorboard import show_baselines
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from mec_moe_env import OFFLOADING_PRESETS
from tests.training.runs import SEGMENT, run, tiny_plan

SEEDS = validation_seeds(4)


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the points of every chart of one run, as steps and values."""
    events: Any = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def assert_means(shown: dict[str, float], episodes: Episodes) -> None:
    assert shown.keys() == {f"evaluation/{name}" for name in episodes.metrics}
    for name, values in episodes.metrics.items():
        assert shown[f"evaluation/{name}"] == pytest.approx(np.nanmean(values), rel=1e-5), name


def test_evaluations_with_all_measures(tmp_path: Path) -> None:
    """Also after the run was taken up again, in another file of events."""
    plan = tiny_plan()
    run(plan, tmp_path, SEGMENT)
    run(plan, tmp_path, 2 * SEGMENT)
    charts = read(tmp_path / "logs" / "tensorboard")
    shown = {tag: points for tag, points in charts.items() if tag.startswith("evaluation/")}
    assert {tuple(step for step, _ in points) for points in shown.values()} == {
        (0, SEGMENT, 2 * SEGMENT)
    }
    with (tmp_path / "evaluations.csv").open(newline="") as stream:
        means = [float(row["mean_return"]) for row in csv.DictReader(stream)]
    assert [value for _, value in shown["evaluation/return"]] == pytest.approx(means, rel=1e-5)

    env = make_vector_env(plan.config, len(SEEDS))
    played = run_episodes(load_agent(tmp_path, env, "last"), env, SEEDS)
    assert_means({tag: points[-1][1] for tag, points in shown.items()}, played)


def test_baselines_are_lines_of_the_same_charts(tmp_path: Path) -> None:
    command = (
        *("train", "--algo", "ppo", "--policy", "mlp", "--scenario", "default", "--envs", "4"),
        *("--set", "horizon=20", "--validation", "4", "--agents", "guard,profile[threshold=0.6]"),
        *("--tune", "steps_per_leg=80", "--tune", "width=8", "--out", str(tmp_path)),
    )
    for steps in ("80", "80", "160"):
        result = CliRunner().invoke(app, [*command, "--steps", steps])
        assert result.exit_code == 0, result.output
    events = tmp_path / "logs" / "tensorboard"
    guard, profile = sorted(path.name for path in events.iterdir() if path.is_dir())
    assert guard == "guard"
    assert profile.startswith("profile-threshold-0.6-")

    line = read(events / "guard")
    assert line.keys() == {tag for tag in read(events) if tag.startswith("evaluation/")}
    assert [step for step, _ in line["evaluation/return"]] == [0, 80, 80, 160]
    config = OFFLOADING_PRESETS["default"].override(horizon=20)
    values = {tag: points[0][1] for tag, points in line.items()}
    assert_means(values, evaluate("guard", config, SEEDS))
    assert all(value == values[tag] for tag, points in line.items() for _, value in points)


def test_what_no_episode_has_a_value_for_is_left_out(tmp_path: Path) -> None:
    """Nobody who rejects everything has a mean delay."""
    rejected = evaluate("reject-all", OFFLOADING_PRESETS["toy"], SEEDS)
    show_baselines(tmp_path, {"reject-all": rejected}, [0])
    line = read(tmp_path / "logs" / "tensorboard" / "reject-all")
    assert "evaluation/mean_delay_slots" not in line
    assert line["evaluation/return"] == [(0, -10.0)]
    assert line["evaluation/rejected_share"] == [(0, 1.0)]
