"""Recorded worlds in what is written, shown and refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents.cli.options import parse_overrides
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.evaluation.store import Cell
from mec_moe_agents.replay.recording import record
from mec_moe_agents.report.setup import Setup

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEEnv, OffloadingConfig, OffloadingEnv
from mec_moe_env.worlds import read_positions
from tests.worlds.recorded import ARRIVALS, SIZES, write_arrivals, write_positions


def test_a_file_counts_with_its_content(tmp_path: Path) -> None:
    config = OffloadingConfig(**SIZES, arrivals=write_arrivals(tmp_path))
    before = Cell(config, "guard", (0,), "code")
    setup = Setup.of(Scenario("default", config, ("guard",)))
    assert setup.data.keys() == {"arrivals"}
    assert json.loads(str(before.data)) == setup.data
    write_arrivals(tmp_path, ARRIVALS + "5,0,0,0.3\n")
    assert Cell(config, "guard", (0,), "code").key != before.key


def test_the_command_line_takes_paths_as_they_are() -> None:
    given = parse_overrides(["arrivals=12", "positions=1,2.csv", "channel_trace=None"])
    assert given == {"arrivals": "12", "positions": "1,2.csv", "channel_trace": None}


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_pictures_show_the_tasks_that_came(tmp_path: Path, mode: str) -> None:
    pytest.importorskip("PIL")
    files = {"arrivals": write_arrivals(tmp_path), "positions": write_positions(tmp_path)}
    env = OffloadingEnv(**SIZES, **files, render_mode=mode)
    env.reset(seed=0)
    for waiting in (2, 0, 1, 1, 0, 0):
        scene = env.scene()
        assert len(scene.waiting) == waiting
        assert env.render() is not None
        env.step(np.array([0, 0, 1, 1]))
        decision = env.scene().decision
        assert decision is not None
        assert len(decision.tasks) == len(decision.picks) == waiting


def test_what_cannot_be_recorded_is_refused(tmp_path: Path) -> None:
    table = write_arrivals(tmp_path)
    config = OffloadingConfig(**SIZES, arrivals=table)
    with pytest.raises(ValueError, match="arrivals = .* None in a replay"):
        record(config, ["guard"], 0)
    with pytest.raises(ValueError, match="arrivals = .* None with tasks = 'toy'"):
        OffloadingEnv(OFFLOADING_PRESETS["toy"], arrivals=table)
    with pytest.raises(ValueError, match="positions = .* None in the toy scenario"):
        DMoEEnv(DMOE_PRESETS["toy"], positions=[(0, 0), (1, 1)])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arrivals": 3}, "arrivals = 3 is not allowed: .* the path of a CSV file of slot"),
        ({"channel_trace": [[1.0]]}, "channel_trace = .* is not allowed: .* an .npz file"),
        ({"positions": ""}, "positions = '' is not allowed"),
        ({"trace_start": "last"}, "trace_start = 'last' is not allowed"),
    ],
)
def test_bad_fields_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OffloadingConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arrivals": [(0, 1, 0)]}, r"arrivals\[0\] = .* a row of slot, type, origin, payload"),
        ({"arrivals": [(0, 1, 9, 0.5)]}, r"arrivals\[0\]: origin = '9' is not allowed"),
        ({"positions": [(0, 0, 0)]}, r"positions has shape \(1, 3\): it must be \(n, 2\)"),
        ({"positions": [(0, 0), (0, 1e10)]}, r"positions\[1, 1\] = 10000000000.0 is not allowed"),
        ({"positions": [("a", "b")]}, "positions = .* is not allowed: .* a CSV file"),
    ],
)
def test_bad_rows_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OffloadingEnv(**fields)


def test_missing_files_are_named() -> None:
    with pytest.raises(FileNotFoundError, match="nowhere.csv: expected a CSV file with"):
        OffloadingEnv(positions="nowhere.csv")


def test_places_across_the_date_line_are_near(tmp_path: Path) -> None:
    path = write_positions(tmp_path, "Latitude,Longitude\n0,179.999\n0,-179.999\n")
    west, east = read_positions(path, 2)
    assert east[0] - west[0] == pytest.approx(0.002 * 111195, rel=1e-4)
