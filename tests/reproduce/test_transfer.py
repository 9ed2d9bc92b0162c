"""The study of where the learned policy keeps its lead."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("matplotlib")

from mec_moe_agents import Episodes
from mec_moe_agents.cli import app
from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED
from mec_moe_agents.offloading.learned import TRANSFERABLE, preset_for
from mec_moe_agents.reproduce import transfer, verdict
from mec_moe_agents.reproduce.transfer import AGENTS, BASE, SWEEPS, TRAINED, conditions, draw
from typer.testing import CliRunner

from mec_moe_env.core.buffers import Floats


def made_up(**means: float) -> dict[str, Episodes]:
    """Return episodes of three seeds for each agent; those not named fail badly."""
    noise = np.array([-0.1, 0.0, 0.1])
    return {agent: run_of(means.get(agent, -900.0) + noise) for agent in AGENTS}


def run_of(returns: Floats) -> Episodes:
    n = len(returns)
    return Episodes(np.arange(n), {"return": returns}, np.zeros((n, 1)))


def test_every_condition_changes_one_field_that_weights_may_meet() -> None:
    found = conditions()
    assert found.pop(TRAINED) == BASE
    assert len(found) == sum(len(sweep.values) - 1 for sweep in SWEEPS)
    for config in found.values():
        changed = [s.field for s in SWEEPS if getattr(config, s.field) != getattr(BASE, s.field)]
        assert len(changed) == 1
        assert changed[0] in TRANSFERABLE
        assert config == BASE.override(**{changed[0]: getattr(config, changed[0])})
        assert preset_for(config) == "default"
    assert {config.num_servers for config in found.values()} >= {16, 64}
    assert math.inf in {config.doppler_hz for config in found.values()}
    assert {0.002, 0.01, 0.03} <= {config.failure_rate for config in found.values()}


def test_headlines_name_who_leads() -> None:
    found = {
        "led": made_up(learned=-50.0, guard=-60.0, profile=-70.0, des=-80.0),
        "lost to des": made_up(learned=-50.0, guard=-60.0, des=-40.0),
        "lost to profile": made_up(learned=-50.0, guard=-60.0, profile=-45.0, des=-46.0),
        "lost to guard": made_up(learned=-50.0, guard=-20.0, des=-60.0),
    }
    lines = transfer.headlines(found)
    judged = {line.label: line.holds for line in lines[:-2]}
    assert judged == {
        "led: learned − guard": True,
        "led: learned − profile": True,
        "lost to des: learned − guard": True,
        "lost to des: learned − des": False,
        "lost to profile: learned − guard": True,
        "lost to profile: learned − profile": False,
        "lost to guard: learned − guard": False,
        "lost to guard: learned − des": True,
    }
    assert lines[0].estimate.mean == pytest.approx(10.0)
    assert [line.estimate.mean for line in lines[-2:]] == [1.0, 3.0]


def test_differences_are_paired_and_an_open_one_is_not_judged() -> None:
    found = {"open": made_up(learned=-50.0, guard=-50.0)}
    difference = found["open"]["learned"].metrics["return"]
    difference += np.array([1.0, -2.0, 1.0])
    estimate = transfer.lead(found, "open", "guard")
    assert estimate.mean == pytest.approx(0.0)
    assert verdict(estimate) is None
    assert [line.estimate.mean for line in transfer.headlines(found)[-2:]] == [0.0, 0.0]
    difference[:] = found["open"]["guard"].metrics["return"] + 0.01
    assert transfer.lead(found, "open", "guard").low == pytest.approx(0.01)


def test_one_seed_has_a_picture_without_intervals() -> None:
    one = {agent: run_of(np.array([-2.0])) for agent in AGENTS}
    figure = draw(dict.fromkeys(conditions(), one))
    assert len(figure.axes) == len(SWEEPS)
    assert figure.legends[0].get_texts()[0].get_text() == "learned on default"
    assert transfer.headlines({TRAINED: one})[0].holds is None


def test_the_study_writes_its_picture_and_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "BASE", BASE.override(horizon=12))
    command = ["reproduce", "transfer", "--seeds", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines()[:-1])) <= 80
    assert {path.name for path in tmp_path.iterdir()} == {
        *("run.json", "summary.json"),
        *(f"transfer.{kind}" for kind in ("csv", "png", "svg", "pdf")),
    }
    assert (tmp_path / "transfer.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "transfer.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * len(conditions()) * len(AGENTS)
    assert {int(row["seed"]) for row in rows} == {FIRST_RANKING_SEED, FIRST_RANKING_SEED + 1}
    for row in rows:
        assert float(row["to_guard"]) == 0.0 or row["scheduler"] != "guard"
        servers = json.loads(row["config"])["num_servers"]
        assert (row["condition"] == f"M = {servers}") == (servers != BASE.num_servers)
