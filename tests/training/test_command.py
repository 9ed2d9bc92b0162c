"""`mec-moe train` and `mec-moe evaluate` as their users meet them."""

import csv
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")
pytest.importorskip("typer")

from matplotlib.figure import Figure
from mec_moe_agents.cli import app
from mec_moe_agents.training import curves
from mec_moe_agents.training.plan import Plan
from mec_moe_agents.training.run_folder import Progress, read_plan
from typer.testing import CliRunner, Result

from mec_moe_env.files import recover_folder
from tests.interruption import interrupt_once

TINY = ("--set", "horizon=20", "--envs", 4, "--validation", 4, "--agents", "guard,greedy-oracle")
SHORT = ("train", "--algo", "ppo", "--scenario", "default", *TINY, "--tune", "steps_per_leg=80")
MLP = (*SHORT, "--policy", "mlp", "--tune", "width=8")


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def message_of(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder of a finished run, not to be changed, and what its command said."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, mec_moe(*MLP, "--steps", 80, "--out", folder)


@pytest.fixture
def copied(trained: tuple[Path, Result], tmp_path: Path) -> Path:
    folder, _ = trained
    shutil.copytree(folder, tmp_path / "run")
    return tmp_path / "run"


def test_trains_shows_and_leaves_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = mec_moe(*SHORT, "--steps", 160, "--seed", 7, "--out", out)
    assert result.exit_code == 0, result.output
    assert "[160/160] return" in result.stderr
    assert "rounded up" not in result.stderr
    for text in ("ppo (shape)", "greedy-oracle", "50 seeds from 100000", f"mec-moe evaluate {out}"):
        assert text in result.stdout
    assert {path.name for path in out.iterdir()} == {
        *("config.json", "versions.json", "evaluations.csv", "rows.csv", "curves.npz"),
        *("run.json", "summary.json", "best", "last", "logs", "cells"),
        *(f"curves.{kind}" for kind in ("png", "svg", "pdf")),
        *(f"comparison.{kind}" for kind in ("png", "svg", "pdf")),
    }
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    config = json.loads((out / "config.json").read_text())
    assert config["config"]["horizon"] == 20
    assert config["hyperparameters"]["num_envs"] == 4
    assert (config["algo"], config["policy"], config["seed"]) == ("ppo", "shape", 7)
    (session,) = json.loads((out / "versions.json").read_text())["sessions"]
    assert session["packages"]["stable-baselines3"]
    assert session["code"]
    rows = rows_of(out)
    assert [row["steps"] for row in rows] == ["0", "80", "160"]
    assert all(float(row["low"]) <= float(row["mean_return"]) <= float(row["high"]) for row in rows)


def test_begins_with_given_weights(tmp_path: Path) -> None:
    first, later = tmp_path / "first", tmp_path / "later"
    mec_moe(*SHORT, "--steps", 80, "--out", first)
    weights = tmp_path / "weights.npz"
    for suffix in (".npz", ".json"):
        shutil.copy(first / "best" / f"learned{suffix}", weights.with_suffix(suffix))
    command = (*SHORT, "--steps", 80, "--seed", 1, "--from", weights, "--out", later)
    assert mec_moe(*command).exit_code == 0
    best = max(float(row["mean_return"]) for row in rows_of(first))
    assert float(rows_of(later)[0]["mean_return"]) == best
    assert f"--from {weights}" in (later / "best" / "learned.json").read_text()
    weights.write_bytes(weights.read_bytes() + b" ")
    assert "start_digest = " in mec_moe(*command).stderr
    flat = mec_moe(*MLP, "--steps", 80, "--from", weights, "--out", tmp_path / "flat")
    assert "needs --policy shape, not mlp" in flat.stderr


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "evaluations.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_same_command_finds_its_run_and_longer_extends_it(
    trained: tuple[Path, Result], copied: Path
) -> None:
    folder, first = trained
    again = mec_moe(*MLP, "--steps", 80, "--out", copied)
    longer = mec_moe(*MLP, "--steps", 81, "--out", copied)
    assert "[80/80] trained before" in again.stderr
    assert again.stderr.count("done before") == 4
    assert first.stdout == again.stdout.replace(str(copied), str(folder))
    assert "[80/160] goes on at step 80" in longer.stderr
    assert "81 steps are rounded up to 160: " in longer.stderr
    assert "[160/160] return" in longer.stderr
    assert "code or the packages changed" not in longer.stderr
    assert len(json.loads((copied / "versions.json").read_text())["sessions"]) == 3


def test_another_run_in_the_folder_is_refused_unless_fresh(copied: Path) -> None:
    (copied / "notes.txt").write_text("mine")
    other = (*MLP, "--steps", 80, "--seed", 1, "--out", copied)
    refused = mec_moe(*other)
    assert refused.exit_code == 2
    assert "holds another run: seed = 0 there, 1 here. Take another --out" in refused.stderr
    assert mec_moe(*other, "--fresh").exit_code == 0
    assert read_plan(copied).seed == 1
    assert (copied / "notes.txt").read_text() == "mine"


def test_evaluate_compares_on_chosen_seeds(trained: tuple[Path, Result], tmp_path: Path) -> None:
    folder, _ = trained
    result = mec_moe("evaluate", folder, "--seeds", 9, "--first-seed", 3, "--agents", "guard")
    assert result.exit_code == 0, result.output
    assert "9 seeds from 3" in result.stdout
    assert "ppo (mlp)" in result.stdout
    beyond = mec_moe("evaluate", folder, "--first-seed", 2**31)
    assert beyond.exit_code == 2
    assert "those above are for training" in beyond.stderr
    nowhere = mec_moe("evaluate", tmp_path / "none")
    assert nowhere.exit_code == 1
    assert "holds no training run" in nowhere.stderr


def test_the_curve_is_there_from_the_first_evaluation_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time whole: every evaluation until then and every baseline that was asked for."""
    drawn: list[tuple[int, list[str], bool]] = []
    draw = curves.draw_curves

    def note(plan: Plan, progress: Progress, references: Mapping[str, float]) -> Figure:
        figure = draw(plan, progress, references)
        whole = figure.axes[0]
        low, high = whole.get_ylim()
        ends = [end for each in progress.evaluations for end in (each.low, each.high)]
        inside = all(low <= end <= high for end in (*ends, *references.values()))
        drawn.append((np.size(whole.lines[-2].get_xdata()), list(references), inside))
        return figure

    monkeypatch.setattr("mec_moe_agents.cli.training.draw_curves", note)
    for steps in (80, 160):
        assert mec_moe(*MLP, "--steps", steps, "--out", tmp_path).exit_code == 0
        assert (tmp_path / "curves.png").exists()
    asked = ["guard", "greedy-oracle"]
    assert drawn == [(count, asked, True) for count in (1, 2, 2, 3, 3)]


def test_unless_told_it_trains_until_the_learning_rate_is_lowest(tmp_path: Path) -> None:
    tuning = ("--tune", "decay_steps=160", "--tune", "steps_per_leg=160")
    result = mec_moe(*MLP, *tuning, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert rows_of(tmp_path)[-1]["steps"] == "160"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--algo", "ppoo"), "unknown algorithm 'ppoo': did you mean 'ppo'?"),
        (("--scenario", "defualt"), "unknown scenario 'defualt': did you mean 'default'?"),
        (("--env", "dmo"), "unknown environment 'dmo': did you mean 'dmoe'?"),
        (("--policy", "mpl"), "unknown policy 'mpl': did you mean 'mlp'?"),
        (("--algo", "dqn", "--policy", "shape"), "take --policy mlp for dqn here"),
        (("--algo", "dqn", "--scenario", "joint"), "dqn needs one pick per slot: num_tasks = 4"),
        (("--algo", "dqn", "--env", "dmoe", "--scenario", "toy"), "which DMoE has not: take ppo"),
        (("--policy", "features", "--env", "dmoe", "--scenario", "toy"), "take --policy mlp here"),
        (("--steps", "0"), "--steps = 0 is not allowed: --steps must be an integer in [1, "),
        (("--seed", "-1"), "seed = -1 is not allowed"),
        (("--envs", "0"), "num_envs = 0 is not allowed"),
        (("--threads", "0"), "threads = 0 is not allowed"),
        (("--validation", "0"), "validation_episodes = 0 is not allowed"),
        (("--set", "horizn=3"), "'horizn': did you mean 'horizon'?"),
        (("--tune", "gama=0.9"), "'gama': did you mean 'gamma'?"),
        (("--tune", "gamma=2"), "gamma = 2 is not allowed"),
        (("--tune", "gamma"), "--tune expects FIELD=VALUE, got 'gamma'"),
        (("--agents", "gaurd"), "unknown agent 'gaurd': did you mean 'guard'"),
        (("--from", "defalt"), "--from 'defalt' is neither a .npz file nor a preset"),
        (("--policy", "mlp", "--envs", "10000000"), "take fewer --envs"),
    ],
)
def test_wrong_use_is_named(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    given: dict[str, object] = {"--algo": "ppo", "--scenario": "default", "--steps": "10"}
    given["--out"] = tmp_path / "out"
    given |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    result = mec_moe("train", *(part for pair in given.items() for part in pair))
    assert result.exit_code == 2, result.output
    assert message in message_of(result)
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_sb3_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    result = mec_moe(*SHORT, "--steps", 10, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "training needs sb3-contrib: pip install 'mec-moe-env[rl]'" in result.stderr
    assert not (tmp_path / "out").exists()


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    arguments = [str(part) for part in (*MLP, "--steps", 10**6, "--out", tmp_path)]
    command = [sys.executable, "-m", "mec_moe_agents", *arguments]
    code, errors = interrupt_once(command, (tmp_path / "last").exists)
    assert code == 130
    assert "mec-moe: interrupted after step" in errors.splitlines()[-1]
    assert "the same command goes on" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    recover_folder(tmp_path / "last")
    assert (tmp_path / "last" / "state.json").exists()


def test_help_names_the_algorithms() -> None:
    result = mec_moe("train", "--help")
    assert result.exit_code == 0
    for word in ("maskable-ppo", "recurrent-ppo", "--policy", "--fresh", "--tune"):
        assert word in result.stdout
