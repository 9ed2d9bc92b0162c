"""`mec-moe rank` as its users meet it."""

import csv
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typer")

from mec_moe_agents.cli import app
from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED, FIRST_TRAINING_SEED
from mec_moe_agents.evaluation.scenarios import CLAIRVOYANT, RankingRequest
from mec_moe_agents.registry import agent_names, find_agent
from typer.testing import CliRunner, Result

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from tests.interruption import interrupt_once

COMMAND = [sys.executable, "-m", "mec_moe_agents"]
FULL: tuple[object, ...] = ("rank", "--scenario", "default,dmoe/toy", "--seeds", 4)
PRESETS = (OFFLOADING_PRESETS["default"], DMOE_PRESETS["toy"])
SEEDS = range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + 8)
REQUEST = RankingRequest.check("default,dmoe/toy", "all", SEEDS[:4])
AGENTS = sum(len(scenario.runners) for scenario in REQUEST.scenarios)
CELLS = AGENTS + 1
"""All agents, and the bounds of DMoE."""


REFERENCE = next(
    name
    for name in agent_names(PRESETS[0])
    if name != CLAIRVOYANT and not find_agent(name, PRESETS[0]).contender
)


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ranking_of(folder: Path) -> dict[str, Any]:
    ranking: dict[str, Any] = json.loads((folder / "ranking.json").read_text())
    return ranking


def lines_of(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return every agent's line by scenario and agent."""
    return {
        (entry["scenario"], line["agent"]): line
        for entry in ranking_of(folder)["scenarios"]
        for line in entry["agents"]
    }


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rank all agents of a scenario of each environment, in this process."""
    folder = tmp_path_factory.mktemp("full")
    result = mec_moe(*FULL, "--out", folder)
    assert result.exit_code == 0, result.output
    return folder


def rows_in_markdown(folder: Path) -> set[str]:
    """Return the rows of all agents without their adjusted p-values."""
    text = (folder / "ranking.md").read_text()
    rows = (row.split(" | ") for row in text.splitlines() if "`mec-moe rank" in row)
    return {" | ".join(cells[:3] + cells[4:]) for cells in rows}


def test_a_ranking_leaves_its_files(full: Path) -> None:
    names = {path.name for path in full.iterdir()}
    assert names == {
        *("cells", "ranking.csv", "ranking.json", "ranking.md", "run.json"),
        *(f"ranking.{kind}" for kind in ("png", "svg", "pdf")),
    }
    assert (full / "ranking.png").read_bytes().startswith(b"\x89PNG")
    with (full / "ranking.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == AGENTS * 4
    assert {"score", "bound", "p_holm"} <= rows[0].keys()
    assert {int(row["seed"]) for row in rows} == set(
        range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + 4)
    )


def test_the_terminal_shows_every_scenario(full: Path, tmp_path: Path) -> None:
    result = mec_moe(*FULL, "--out", full, "--markdown", tmp_path / "docs" / "ranking.md")
    assert result.stderr.count("done before") >= AGENTS
    assert "default, 4 seeds" in result.stdout
    assert "dmoe/toy, 4 seeds" in result.stdout
    assert "No verdict from 4 seeds" in result.stdout
    shown = result.stdout.replace(str(tmp_path.parent), "")
    assert max(map(len, shown.splitlines())) <= 100
    page = tmp_path / "docs" / "ranking.md"
    assert page.read_text() == (full / "ranking.md").read_text()
    assert page.with_suffix(".png").exists()


@pytest.mark.parametrize(
    ("scenario", "agent"),
    [("default", "gating"), ("default", REFERENCE), ("default", "random"), ("dmoe/toy", "topk")],
)
def test_a_row_alone_is_the_row_of_the_full_ranking(
    full: Path, tmp_path: Path, scenario: str, agent: str
) -> None:
    line = lines_of(full)[scenario, agent]
    words = shlex.split(line["command"])
    assert f"`{line['command']}`" in (full / "ranking.md").read_text()
    result = mec_moe(*words[1:], "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "done before" not in result.stderr
    alone = lines_of(tmp_path)[scenario, agent]
    # Holm's adjustment is over all comparisons of the table: alone there are fewer to adjust for.
    assert line["p"] <= alone.pop("p_holm") <= line["p_holm"]
    assert alone == {name: value for name, value in line.items() if name != "p_holm"}
    assert rows_in_markdown(tmp_path) <= rows_in_markdown(full)


def test_the_number_of_jobs_changes_nothing(full: Path, tmp_path: Path) -> None:
    result = mec_moe(*FULL, "--jobs", 2, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert f"[{CELLS}/{CELLS}]" in result.stderr
    for name in ("ranking.csv", "ranking.json", "ranking.md"):
        assert (tmp_path / name).read_text() == (full / name).read_text()
    cells = [
        {path.name: path.read_bytes() for path in (each / "cells").iterdir()}
        for each in (tmp_path, full)
    ]
    assert cells[0] == cells[1]


def test_agents_without_a_place_in_a_group_are_no_error(tmp_path: Path) -> None:
    arguments = ("--scenario", "toy,dmoe/toy", "--agents", "jesa-plus,random", "--seeds", 2)
    result = mec_moe("rank", *arguments, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert set(lines_of(tmp_path)) == {
        ("toy", "random"),
        ("dmoe/toy", "random"),
        ("dmoe/toy", "jesa-plus"),
    }


def test_mnist_takes_part_with_its_data(tmp_path: Path, mnist_folder: str) -> None:
    arguments = ("--scenario", "mnist", "--agents", "reject-all", "--seeds", 1)
    result = mec_moe("rank", *arguments, "--mnist", mnist_folder, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    command = lines_of(tmp_path)["mnist", "reject-all"]["command"]
    assert f"--mnist {mnist_folder}" in command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scenario", "scarse"), "unknown scenario 'scarse': did you mean 'scarce'?"),
        (("--scenario", "paper"), "unknown scenario 'paper': did you mean 'dmoe/paper'?"),
        (("--scenario", " ,"), "--scenario names no scenario"),
        (("--scenario", "mnist"), "scenario 'mnist' reads local files: give their path by"),
        (("--agents", "gaurd"), "no agent 'gaurd' in these scenarios: did you mean 'guard'?"),
        (("--agents", ","), "--agents names no agent"),
        (
            ("--scenario", "scarce,dmoe/paper", "--agents", "guard"),
            "none of --agents guard is ranked on scenario 'dmoe/paper': it has random",
        ),
        (("--scenario", "dmoe/paper", "--agents", "exact"), "no agent 'exact' in these"),
        (
            ("--first-seed", FIRST_TRAINING_SEED - 2, "--seeds", 3),
            f"seed = {FIRST_TRAINING_SEED} is not allowed",
        ),
        (("--seeds", 0), "should be greater than or equal to 1"),
        (("--jobs", 0), "should be greater than or equal to 1"),
        (("--jobs", 2, "--executor", "ray"), "--jobs 2 is --executor processes:2: give one of"),
        (("--executor", "threads"), "executor 'threads' is not allowed: processes:N, ray"),
    ],
)
def test_wrong_use_is_named(arguments: tuple[object, ...], message: str, tmp_path: Path) -> None:
    result = mec_moe("rank", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()
    if "should be" not in message:
        assert result.stderr.count("\n") == 1


def test_missing_data_fail_in_one_line(tmp_path: Path) -> None:
    result = mec_moe("rank", "--mnist", tmp_path / "nowhere.npz", "--out", tmp_path)
    assert result.exit_code == 1
    assert "nowhere.npz" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--out", "--markdown"])
def test_an_unwritable_folder_is_found_before_the_work(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").touch()
    folders = {"--out": tmp_path, "--markdown": tmp_path / "ranking.md"}
    folders[option] = tmp_path / "file" / "ranking.md"
    words = [word for pair in folders.items() for word in pair]
    result = mec_moe(*FULL, *words)
    assert result.exit_code == 1
    assert result.stderr.startswith("mec-moe: cannot write to the output folder")
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_ranking_resumes(tmp_path: Path, jobs: str) -> None:
    arguments = ["rank", "--scenario", "scarce", "--seeds", "8", "--jobs", jobs]
    arguments += ["--out", str(tmp_path)]
    cells = tmp_path / "cells"
    code, errors = interrupt_once([*COMMAND, *arguments], lambda: any(cells.glob("[a-z]*.npz")))
    assert code == 130, errors
    assert errors.splitlines()[-1].startswith("mec-moe: interrupted; what is finished is kept")
    assert "Traceback" not in errors
    assert not (tmp_path / "ranking.json").exists()
    finished = len(list(cells.glob("[a-z]*.npz")))
    agents = len(RankingRequest.check("scarce", "all", SEEDS).scenarios[0].runners)
    assert 0 < finished < agents

    resumed = mec_moe(*arguments)
    assert resumed.stderr.count("done before") >= finished
    assert len(lines_of(tmp_path)) == agents
