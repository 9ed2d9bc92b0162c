"""The table of versions: which environments it asks for, and how it is written."""

import sys
from pathlib import Path

import pytest

from tests import matrix
from tests.matrix import NEWEST, OLDEST, QUICK, Cell, Outcome, cells, interpreters, lower_bounds

PROJECT = (matrix.ROOT / "pyproject.toml").read_text("utf-8")


def test_oldest_is_the_lower_bound_of_each() -> None:
    text = '[project]\ndependencies = ["numpy>=2.0", "numba>=0.61,<0.69"]\n'
    text += '[project.optional-dependencies]\nrl = ["stable-baselines3>=2.6", "torch>=2.3"]\n'
    assert lower_bounds(text) == ["numpy==2.0", "numba==0.61", "stable-baselines3==2.6"]
    named = {bound.split("==")[0] for bound in lower_bounds(PROJECT)}
    assert named >= set(matrix.SHOWN)


def test_the_oldest_do_without_what_wants_later_ones() -> None:
    text = "[project.optional-dependencies]\n"
    text += 'dev = ["mec-moe-env[cli,multiobjective,rl]", "pytest>=8.3"]\n'
    assert matrix.needs_of_all(text, OLDEST) == [".[cli,rl]", "pytest>=8.3"]
    assert matrix.needs_of_all(text, NEWEST) == [".[dev]"]
    assert len(matrix.needs_of_all(PROJECT, OLDEST)) > 5


def test_every_python_has_the_newest_and_one_the_oldest() -> None:
    assert cells([13, 11, 12]) == [
        Cell(11, OLDEST),
        Cell(11, NEWEST),
        Cell(12, NEWEST),
        Cell(13, NEWEST),
    ]
    folders = {cell.python for cell in cells([11, 12])}
    assert len(folders) == 3


def test_this_python_is_among_those_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minor = sys.version_info.minor
    name = tmp_path / "versions" / f"3.{minor}.0" / "bin" / f"python3.{minor}"
    name.parent.mkdir(parents=True)
    name.symlink_to(sys.executable)
    broken = tmp_path / f"python3.{minor}"  # as pyenv's shims of what is switched off
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert interpreters()[minor] == str(name)


def test_what_is_quick_exists() -> None:
    assert all((matrix.ROOT / path).exists() for path in QUICK)
    assert matrix.arguments(["--quick", "--python", "11"]).python == [11]
    assert matrix.arguments(["--", "tests/sb3", "-x"]).pytest == ["tests/sb3", "-x"]


def test_the_table_says_what_failed() -> None:
    versions = ("3.11.7", "2.0.0", "0.61.0", "1.0.0", "2.6.0")
    rows = matrix.table(
        [
            Outcome(Cell(11, OLDEST), versions, False, "1 failed, 3 passed"),
            Outcome(Cell(12, NEWEST), ("3.12.1", *versions[1:]), True, "4 passed"),
        ]
    ).splitlines()
    assert (
        rows[0] == "| Python | versions | numpy | numba | gymnasium | stable-baselines3 | tests |"
    )
    assert rows[2].endswith("| 2.6.0 | **failed**: 1 failed, 3 passed |")
    assert rows[3] == "| 3.12.1 | newest | 2.0.0 | 0.61.0 | 1.0.0 | 2.6.0 | 4 passed |"
