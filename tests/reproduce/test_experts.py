"""The study of linear experts and networks: what it states, and a small run."""

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from mec_moe_agents import Episodes
from mec_moe_agents.cli import app
from mec_moe_agents.reproduce import experts
from typer.testing import CliRunner


def made_up(returns: list[float], accuracy: float) -> Episodes:
    values = np.array(returns)
    accuracies = np.full(len(returns), accuracy)
    metrics = {"return": values, "generalization_error": -values / 10, "accuracy": accuracies}
    return Episodes(np.arange(len(returns)), metrics, np.empty((len(returns), 0)))


def test_a_lead_is_one_beyond_doubt() -> None:
    sure = experts.lead("x", np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    assert sure.estimate.mean == 2.0
    assert sure.holds
    assert experts.lead("x", np.array([3.0, 0.0, 4.0]), np.array([1.0, 2.0, 3.0])).holds is False
    assert experts.lead("x", np.array([3.0]), np.array([1.0])).holds is False


def test_headlines_judge_every_lead() -> None:
    cases = itertools.product(experts.SCENARIOS, experts.EXPERTS, experts.ROUTERS)
    found = {
        case: made_up([-10.0 + 5 * (case[1] == "mlp") + 3 * (case[2] == "profile")] * 3, 0.97)
        for case in cases
    }
    lines = {line.label: line for line in experts.headlines(found)}
    assert lines["teacher: profile, networks above linear (return)"].estimate.mean == 5.0
    assert lines["digits: profile above random, networks (return)"].holds
    assert lines["digits: gating above random, networks (return)"].holds is False
    below = lines["digits: error of profile below random, networks"]
    assert below.estimate.mean == pytest.approx(0.3)
    assert below.holds
    assert lines["mnist-5k: accuracy of profile, mlp"].holds
    assert lines["mnist-5k: accuracy of profile, linear"].holds is None


def test_the_study_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = experts.scenario
    monkeypatch.setattr(experts, "SCENARIOS", ("teacher", "mnist-5k", "digits"))
    monkeypatch.setattr(
        experts, "scenario", lambda name, kind: plain("digits", kind).override(horizon=6)
    )
    arguments = ["reproduce", "experts", "--seeds", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    with (tmp_path / "experts.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * 2 * 5 * 2
    assert {json.loads(row["config"])["experts"] for row in rows} == {"linear", "mlp"}
    assert {row["seed"] for row in rows} == {"100000", "100001"}
    assert (tmp_path / "experts.png").read_bytes().startswith(b"\x89PNG")


def test_seeds_of_training_are_refused(tmp_path: Path) -> None:
    arguments = ["reproduce", "experts", "--first-seed", str(2**31 - 1), "--seeds", "2"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert "for training" in result.output
