"""`examples/behaviour_cloning.py` on a dataset that `mec-moe collect` wrote."""

import re
from pathlib import Path

import pytest

pytest.importorskip("minari")
pytest.importorskip("torch")
pytest.importorskip("typer")

from mec_moe_agents.cli import app
from typer.testing import CliRunner

from tests.examples.test_examples import returns, run


def test_a_clone_does_what_it_has_seen(tmp_path: Path) -> None:
    """In `toy` all episodes are the same, so that whoever learns them knows the held-out one."""
    command = ("collect", "--scenario", "toy", "--references", "1", "--agents", "guard")
    result = CliRunner().invoke(app, [*command, "--seeds", "11", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    data = tmp_path / "mec-moe/toy/guard-v0/data"
    options = f"--data {data} --epochs 200 --width 16 --learning-rate 0.01 --seeds 3"
    output = run("behaviour_cloning.py", options, tmp_path)
    assert output.startswith(
        "9 episodes of guard; on 2 others the clone decides as guard in "
        "100.0 [100.0, 100.0] % of steps\n"
    )
    scores = returns(output)
    assert scores["guard"] == scores["clone of guard"] == -6.16
    assert scores["random"] < -6.16
    intervals = re.findall(r"against guard \+?(\S+) \[(\S+), (\S+)\]$", output, re.MULTILINE)
    assert intervals[1] == ("0.00", "+0.00", "+0.00")
