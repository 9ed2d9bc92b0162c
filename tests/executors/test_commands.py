"""Commands leave the same files wherever their work is done."""

import json
from pathlib import Path

import pytest

pytest.importorskip("typer")

from mec_moe_agents.cli import app
from typer.testing import CliRunner

COMPARE = ("compare", "--scenario", "toy", "--agents", "guard,random", "--seeds", "3")
STUDY = ("reproduce", "dmoe", "--only", "staleness", "--seeds", "1")


def files_of(folder: Path, *arguments: str) -> dict[str, bytes]:
    """Run a command; return the rows, summaries and cells that it left."""
    result = CliRunner().invoke(app, [*arguments, "--out", str(folder)])
    assert result.exit_code == 0, result.output
    kept = [path for kind in ("csv", "npz") for path in folder.rglob(f"*.{kind}")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


@pytest.mark.parametrize("command", [COMPARE, STUDY], ids=["compare", "reproduce"])
def test_processes_change_no_file(tmp_path: Path, command: tuple[str, ...]) -> None:
    serial = files_of(tmp_path / "serial", *command)
    assert serial
    apart = tmp_path / "apart"
    assert files_of(apart, *command, "--executor", "processes:2") == serial
    record = json.loads((apart / "run.json").read_text())
    assert "processes:2" in record["given"]
    assert "executor" not in " ".join(record["reproduce"])


def test_fresh_work_is_done_again_by_the_executor(tmp_path: Path) -> None:
    serial = files_of(tmp_path, *COMPARE)
    (cell,) = (tmp_path / "cells").glob("guard-*.npz")
    before = cell.stat().st_mtime_ns
    assert files_of(tmp_path, *COMPARE, "--fresh", "--executor", "processes:1") == serial
    assert cell.stat().st_mtime_ns > before


@pytest.mark.parametrize("command", [COMPARE, STUDY], ids=["compare", "reproduce"])
def test_an_executor_that_there_is_not_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    words = [*command, "--executor", "threads:2", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "executor 'threads:2' is not allowed" in result.stderr
