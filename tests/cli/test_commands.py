"""`mec-moe` as its users meet it."""

import csv
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")

from mec_moe_agents.cli import app
from mec_moe_agents.cli.listing import PURPOSES
from mec_moe_agents.cli.options import parse_overrides
from mec_moe_agents.evaluation.scenarios import parse_agents
from mec_moe_agents.report.record import Record
from typer.testing import CliRunner, Result

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, __version__
from tests.interruption import interrupt_once

COMMAND = [sys.executable, "-m", "mec_moe_agents"]
TOY = ("compare", "--scenario", "toy", "--seeds", "3")


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "rows.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_compare_answers_and_writes(tmp_path: Path) -> None:
    result = mec_moe(*TOY, "--agents", "all", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "No verdict on toy from 3 seeds" in result.stdout.replace("\n", " ")
    assert "\x1b" not in result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "cells",
        *(f"comparison.{kind}" for kind in ("png", "svg", "pdf")),
        *("curves.npz", "rows.csv", "summary.json", "run.json"),
    }
    for form, ending in (("html", "html"), ("latex", "tex"), ("csv", "csv"), ("json", "json")):
        written = mec_moe("report", tmp_path, "--format", form)
        assert written.exit_code == 0, written.output
        assert f"report.{ending}" in written.stdout
        assert "reject-all" in (tmp_path / f"report.{ending}").read_text(encoding="utf-8")
    rows = rows_of(tmp_path)
    agents = len(parse_agents("all", OFFLOADING_PRESETS["toy"]))
    assert len(rows) >= agents * 3
    assert {row["version"] for row in rows} == {__version__}
    assert f"[{agents}/" in result.stderr


@pytest.mark.parametrize(
    ("scenario", "picture_of"),
    [("toy", "Violated %"), ("digits-moe", "Accuracy %")],
)
def test_compare_in_dmoe(tmp_path: Path, scenario: str, picture_of: str) -> None:
    arguments = ("--agents", "topk,jesa", "--seeds", 8, "--out", tmp_path)
    named = ("--scenario", f"dmoe/{scenario}")
    plain = ("--env", "dmoe", "--scenario", scenario)
    result = mec_moe("compare", *(plain if scenario == "toy" else named), *arguments)
    assert result.exit_code == 0, result.output
    assert f"Best on dmoe/{scenario}: jesa" in result.stdout
    assert f"DMoE · {scenario}" in result.stdout
    for heading in ("Energy mJ/token", "Relevance", "Experts/token", picture_of):
        assert heading in result.stdout
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
    rows = rows_of(tmp_path)
    assert len(rows) == 16
    assert {row["config.num_layers"] for row in rows} <= {"2", "4"}


def test_certify_adds_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mec_moe_agents.evaluation.bounds.certified_bound",
        lambda config, seeds: np.full(len(seeds), -1.0),
    )
    command = ("compare", "--scenario", "default", "--set", "horizon=50", "--seeds", 8)
    words = (*command, "--agents", "guard,random", "--out", tmp_path)
    without, certified, again = mec_moe(*words), mec_moe(*words, "--certify"), mec_moe(*words)
    assert certified.exit_code == 0, certified.output
    assert "certified bound:" in certified.stderr
    shown = " ".join(certified.stdout.split())
    assert "Score 0 is guard, 1 the certified bound (certified)." in shown
    assert "below the certified bound" in shown
    assert "with --certify" in " ".join(without.stdout.split())
    # A bound that was not asked for is not shown, so that a command always gives the same answer.
    assert without.stdout == again.stdout
    mec_moe(*words, "--certify")
    assert {row["bound"] for row in rows_of(tmp_path)} == {"-1.0"}


def test_the_same_command_finds_its_cells_and_a_changed_one_does_not(tmp_path: Path) -> None:
    command = (*TOY, "--agents", "nearest,guard", "--out", tmp_path)
    first, second = mec_moe(*command), mec_moe(*command)
    fresh = mec_moe(*command, "--fresh")
    changed = mec_moe(*command[:-1], tmp_path / "changed", "--set", "energy_weight=2")
    assert "done before" not in first.stderr
    assert second.stderr.count("done before") == 2
    assert "done before" not in changed.stderr + fresh.stderr
    assert first.stdout == second.stdout == fresh.stdout


def test_rows_of_another_configuration_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = (*TOY, "--agents", "nearest")
    plain = mec_moe(*command)
    changed = mec_moe(*command, "--set", "energy_weight=2")
    assert plain.exit_code == changed.exit_code == 0, changed.output
    assert "Offloading · toy: " in plain.stdout
    assert "Offloading · toy with energy_weight=2: " in changed.stdout
    assert "ran alone on toy with energy_weight=2" in " ".join(changed.stdout.split())
    folders = {path.name: rows_of(path) for path in (tmp_path / "runs").iterdir()}
    assert set(folders) == {"toy", "toy-energy_weight=2"}
    before = rows_of(tmp_path / "runs/toy")
    refused = mec_moe(*command, "--set", "energy_weight=2", "--out", "runs/toy")
    assert refused.exit_code == 2
    assert refused.stderr == (
        "mec-moe: runs/toy/rows.csv is of another configuration: energy_weight = 1.0 there, "
        "2 here. Take another --out\n"
    )
    assert rows_of(tmp_path / "runs/toy") == before
    assert mec_moe(*command, "--set", "energy_weight=1.0", "--out", "runs/toy").exit_code == 0


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    result = mec_moe(*TOY, "--agents", "nearest", "--out", tmp_path)
    assert result.exit_code == 1
    assert result.stderr.endswith("mec-moe: this needs rich: pip install 'mec-moe-env[cli]'\n")
    code = (
        "import sys; sys.modules['typer'] = None; from mec_moe_agents.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "mec-moe: the command line needs typer: pip install 'mec-moe-env[cli]'\n"
    )


VOCABULARY = {
    "compare": {"--scenario", "--agents", "--seeds", "--first-seed"},
    "rank": {"--scenario", "--agents", "--seeds", "--first-seed"},
    "pareto": {"--scenario", "--seeds", "--first-seed"},
    "train": {"--scenario", "--agents"},
    "evaluate": {"--agents", "--seeds", "--first-seed"},
    "bench": {"--scenario"},
    "submit": {"--scenario", "--agents"},
    "learn-importance": {"--seeds"},
}
FOREIGN = {"--scenarios", "--preset", "--baselines", "--episodes"}


@pytest.mark.parametrize("command", VOCABULARY)
def test_all_commands_have_one_vocabulary(command: str) -> None:
    words = set(mec_moe(command, "--help").stdout.replace(",", " ").split())
    assert words >= VOCABULARY[command]
    assert not words & FOREIGN


def test_what_has_to_be_compiled_is_announced_once(tmp_path: Path) -> None:
    """With an empty cache the first use compiles; with a filled one nothing does."""
    code = (
        "from mec_moe_agents.cli.options import reported\n"
        "from mec_moe_env.core.kernels import kernel\n"
        "import kernels_of_a_test as mine\n"
        "with reported():\n"
        "    kernel(mine.double)(1.0)\n"
        "    kernel(mine.triple)(1.0)\n"
    )
    source = "def double(x):\n    return 2 * x\n\n\ndef triple(x):\n    return 3 * x\n"
    (tmp_path / "kernels_of_a_test.py").write_text(source)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *sys.path])
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stderr
        for _ in range(2)
    ]
    assert told == ["compiling machine code … (once; cached afterwards)\n", ""]


def test_what_is_no_run_has_no_report(tmp_path: Path) -> None:
    missing = mec_moe("report", tmp_path)
    assert missing.exit_code == 1
    assert missing.stderr.startswith(f"mec-moe: {tmp_path} holds no finished run")
    (tmp_path / "run.json").write_text("{")
    damaged = mec_moe("report", tmp_path)
    assert damaged.exit_code == 2
    assert "run.json: not a whole JSON file" in damaged.stderr
    assert missing.stderr.count("\n") == damaged.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_the_record_has_the_command_that_was_given(tmp_path: Path) -> None:
    options = ("--agents", "nearest", "--seeds", 2, "--set", "energy_weight=2")
    result = mec_moe("compare", "--scenario", "toy", *options, "--fresh", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    record = Record.read(tmp_path)
    words = ["mec-moe", "compare", "--scenario", "toy", *map(str, options)]
    given = shlex.split(record.given)
    assert given[:2] == words[:2]
    assert sorted(given) == sorted([*words, "--fresh", "--out", str(tmp_path)])
    (again,) = record.reproduce
    assert sorted(shlex.split(again)) == sorted([*words, "--first-seed", "0"])
    assert record.setups[0].overrides == {"energy_weight": [1.0, 2]}


def test_settings_and_seeds_reach_the_rows(tmp_path: Path) -> None:
    options = ("--first-seed", 5, "--set", "horizon=7", "--set", "payload_mbit=0.1,0.2")
    scene = ("compare", "--scenario", "default", "--agents", "random", "--seeds", 2)
    result = mec_moe(*scene, *options, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert [row["seed"] for row in rows_of(tmp_path)] == ["5", "6"]
    assert {row["config.horizon"] for row in rows_of(tmp_path)} == {"7"}
    assert {row["config.payload_mbit"] for row in rows_of(tmp_path)} == {"(0.1, 0.2)"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scenario", "digit"), "unknown scenario 'digit': did you mean 'digits'?"),
        (("--scenario", "paper"), "unknown scenario 'paper': did you mean 'dmoe/paper'?"),
        (("--scenario", "dmoe/papre"), "unknown scenario 'dmoe/papre': did you mean 'dmoe/paper'?"),
        (("--env", "offloading", "--scenario", "dmoe/toy"), "is not one of --env offloading"),
        (("--env", "dmo", "--scenario", "toy"), "unknown environment 'dmo': did you mean 'dmoe'?"),
        (("--env", "dmoe", "--scenario", "papre"), "'papre': did you mean 'paper'?"),
        (("--env", "dmoe", "--scenario", "paper", "--agents", "exact"), "take jesa-plus"),
        (("--scenario", "toy", "--agents", "gaurd"), "unknown agent 'gaurd': did you mean 'guard'"),
        (("--scenario", "toy", "--agents", " ,"), "--agents names no agent"),
        (("--scenario", "toy", "--set", "horizn=3"), "'horizn': did you mean 'horizon'?"),
        (("--scenario", "toy", "--set", "horizon"), "--set expects FIELD=VALUE, got 'horizon'"),
        (("--scenario", "default", "--set", "horizon=0"), "horizon = 0 is not allowed"),
        (("--scenario", "default", "--set", "horizon=many"), "horizon = 'many' is not allowed"),
        (("--scenario", "digits", "--set", "feature_dim=5"), "feature_dim = 5 is not allowed"),
        (("--scenario", "toy", "--seeds", "0"), "greater than or equal to 1"),
        ((), "--scenario"),
    ],
)
def test_wrong_use_is_named(arguments: tuple[object, ...], message: str, tmp_path: Path) -> None:
    result = mec_moe("compare", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_is_found_before_the_work(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    result = mec_moe(*TOY, "--out", blocked / "runs")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"mec-moe: cannot write to the output folder {blocked}")
    assert result.stderr.count("\n") == 1


def test_missing_data_fail_in_one_line(tmp_path: Path) -> None:
    settings = ("--set", f"data_path={tmp_path / 'nowhere.npz'}")
    result = mec_moe("compare", "--scenario", "mnist", *settings, "--out", tmp_path)
    assert result.exit_code == 1
    assert "nowhere.npz" in result.stderr
    assert result.stderr.count("\n") == 1


def test_mnist_from_a_file(tmp_path: Path, mnist_folder: str) -> None:
    settings = ("--set", f"data_path={mnist_folder}", "--set", "horizon=10")
    result = mec_moe(
        "compare", "--scenario", "mnist", *settings, "--agents", "guard", "--out", tmp_path
    )
    assert result.exit_code == 0, result.output
    assert "Accuracy %" in result.stdout


def test_a_terminal_without_unicode(tmp_path: Path) -> None:
    command = [*COMMAND, *TOY, "--agents", "guard,reject-all", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b"No verdict on toy" in done.stdout.replace(b"\n", b" ")


def test_lists() -> None:
    scenarios, agents = mec_moe("scenarios"), mec_moe("agents")
    assert scenarios.exit_code == agents.exit_code == 0
    assert all(name in scenarios.stdout for name in OFFLOADING_PRESETS)
    assert PURPOSES["offloading"].keys() == OFFLOADING_PRESETS.keys()
    assert all(name in scenarios.stdout for name in DMOE_PRESETS)
    assert PURPOSES["dmoe"].keys() == DMOE_PRESETS.keys()
    assert all(name in agents.stdout for name in ("most-powerful", "guard", "greedy-oracle"))
    assert all(name in agents.stdout for name in ("homogeneous", "jesa-plus", "exact"))
    assert max(map(len, (scenarios.stdout + agents.stdout).splitlines())) <= 80


def test_version_and_help() -> None:
    assert mec_moe("--version").stdout.strip() == f"mec-moe-env {__version__}"
    assert mec_moe("compare", "--help").exit_code == 0


def test_values_of_settings() -> None:
    settings = ["horizon=3", "doppler_hz=inf", "type_frequencies=[1, 2.5]", "data_path=7", "a=x=y"]
    assert parse_overrides(settings) == {
        "horizon": 3,
        "doppler_hz": float("inf"),
        "type_frequencies": (1, 2.5),
        "data_path": "7",
        "a": "x=y",
    }
    assert parse_overrides(["data_path=None"]) == {"data_path": None}


def test_help_does_not_wait_for_the_environment() -> None:
    code = "import sys, mec_moe_agents.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"numba", "gymnasium", "matplotlib", "torch", "sklearn", "mec_moe_env"}


def test_agents_do_not_import_what_they_may_lack() -> None:
    code = "import sys, mec_moe_agents.registry, mec_moe_agents.evaluation.rollout as r\n"
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"matplotlib", "torch", "sklearn", "stable_baselines3", "typer", "rich"}


def test_an_interrupted_comparison_resumes(tmp_path: Path) -> None:
    agents = ["nearest", "gating", "profile", "guard"]
    command = [*COMMAND, "compare", "--scenario", "default", "--agents", ",".join(agents)]
    command += ["--set", "horizon=6000", "--seeds", "1", "--out", str(tmp_path)]
    cells = tmp_path / "cells"
    code, errors = interrupt_once(command, lambda: any(cells.glob("nearest-*.npz")))
    assert code == 130
    assert errors.splitlines()[-1].startswith("mec-moe: interrupted")
    assert "Traceback" not in errors
    finished = [path.name.split("-")[0] for path in (tmp_path / "cells").iterdir()]
    assert 0 < len(finished) < len(agents)
    assert not (tmp_path / "rows.csv").exists()

    resumed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert resumed.stderr.count("done before") == len(finished)
    assert len(rows_of(tmp_path)) == len(agents)


def test_a_live_bar_on_a_terminal(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [*COMMAND, *TOY, "--agents", "nearest,guard", "--out", str(tmp_path)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(command, stderr=child, stdout=subprocess.PIPE, env=environment)
    os.close(child)
    shown = b""
    while True:
        try:
            piece = os.read(parent, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not piece:
            break
        shown += piece
    out, _ = process.communicate(timeout=300)
    os.close(parent)
    assert process.returncode == 0
    assert "━".encode() in shown
    assert b"\x1b" not in out


@pytest.mark.parametrize(
    "command",
    [
        ("rank", "--out"),
        ("train", "--algo", "ppo", "--scenario", "toy", "--out"),
        ("evaluate",),
        ("bench", "--json"),
        ("reproduce", "dmoe", "--out"),
        ("reproduce", "offloading", "--out"),
        ("reproduce", "transfer", "--out"),
        ("learn-importance", "--out"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = mec_moe(*command, "")
    assert result.exit_code == 2
    assert "an empty path; the current folder is `.`" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("env", "settings", "message"),
    [
        ("offloading", "tasks=None", "tasks = None is not allowed: tasks must be one of"),
        ("offloading", "bandwidth_hz=1e-320", "bandwidth_hz must be a number in [1, 1000000000000"),
        ("offloading", "delay_weight=1e308", "delay_weight must be a number in [0, 1000000000.0]"),
        ("offloading", f"area_m={10**400}", "area_m must be a number in (0, 1000000000.0]"),
        ("dmoe", "csi_delay=1000000000", "csi_delay must be an integer in [0, 10000]"),
        ("dmoe", "gate_spread=1e9", "gate_spread must be a number in [0, 1000000.0]"),
        # More than a process can address, however much memory a machine promises.
        (
            "dmoe",
            "num_nodes=100000 num_subcarriers=100000",
            "the scenario does not fit into memory with num_envs = ",
        ),
    ],
)
def test_a_value_that_cannot_be_is_one_clear_line(
    env: str, settings: str, message: str, tmp_path: Path
) -> None:
    agent = ("--agents", "random", "--seeds", 2, "--out", tmp_path)
    options = [part for setting in settings.split() for part in ("--set", setting)]
    result = mec_moe("compare", "--env", env, "--scenario", "default", *agent, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("mec-moe: ")
    assert result.stderr.count("\n") == 1
