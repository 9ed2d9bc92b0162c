"""What all commands refuse alike, before any work begins."""

from pathlib import Path

import pytest

pytest.importorskip("typer")

from mec_moe_agents.cli import app
from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED
from typer.testing import CliRunner

SCENARIO = ("--scenario", "toy")


@pytest.mark.parametrize(
    "command",
    [
        ("compare", *SCENARIO, "--out", ""),
        ("rank", "--out", ""),
        ("rank", "--markdown", ""),
        ("rank", "--mnist", ""),
        ("pareto", *SCENARIO, "--out", ""),
        ("suite", "build", "--work", ""),
        ("submit", "--task", "dmoe-paper", "--agent", "jesa", "--out", ""),
        ("verify", ""),
    ],
)
def test_an_empty_path_is_refused(command: tuple[str, ...]) -> None:
    """It is what a shell makes of an unset variable, and would be the current folder."""
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "an empty path" in result.stderr


@pytest.mark.parametrize(
    "command", [("compare", *SCENARIO), ("pareto", *SCENARIO), ("rank", "--scenario", "toy")]
)
def test_no_evaluation_takes_seeds_of_training(command: tuple[str, ...]) -> None:
    last = ("--seeds", "2", "--first-seed", str(FIRST_TRAINING_SEED - 1))
    result = CliRunner().invoke(app, [*command, *last])
    assert result.exit_code == 2
    assert f"seed = {FIRST_TRAINING_SEED} is not allowed" in result.stderr
    assert "those above are for training" in result.stderr


def test_an_empty_file_is_no_folder() -> None:
    result = CliRunner().invoke(app, ["compare", "--config", ""])
    assert result.exit_code == 2
    assert "an empty path; expected that of a file" in result.stderr


def test_the_home_stands_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text('scenario = "toy"\n')
    asked = ["--config", "~/small.toml", "--agents", "nearest", "--seeds", "1", "--out", "~/x"]
    result = CliRunner().invoke(app, ["compare", *asked])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "x" / "rows.csv").is_file()
    assert not Path("~").exists()
    assert CliRunner().invoke(app, ["scenarios", "~/small.toml"]).exit_code == 0
