"""Whenever a process dies, the folder holds the old content or the new, whole."""

import os
from pathlib import Path
from typing import Any

import pytest

from mec_moe_env import files
from mec_moe_env.files import recover_folder, replacing_folder


def write(folder: Path, text: str) -> None:
    with replacing_folder(folder) as fresh:
        (fresh / "one").write_text(text)
        (fresh / "two").write_text(text)


def read(folder: Path) -> str:
    return (folder / "one").read_text() + (folder / "two").read_text()


def test_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    for text in "ab":
        write(tmp_path / "last", text)
        assert read(tmp_path / "last") == 2 * text
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_an_error_keeps_the_old_one(tmp_path: Path) -> None:
    write(tmp_path / "last", "a")
    with pytest.raises(TypeError), replacing_folder(tmp_path / "last") as fresh:
        (fresh / "one").write_text(0)  # type: ignore[arg-type]
    assert read(tmp_path / "last") == "aa"
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


@pytest.mark.parametrize(("renames", "expected"), [(0, "aa"), (1, "bb"), (2, "bb")])
def test_death_at_each_rename(renames: int, expected: str, tmp_path: Path) -> None:
    write(tmp_path / "last", "a")
    pid = os.fork()
    if pid == 0:
        try:
            die_after(renames)
            write(tmp_path / "last", "b")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert len(list(tmp_path.iterdir())) > 1
    recover_folder(tmp_path / "last")
    assert read(tmp_path / "last") == expected
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def die_after(renames: int) -> None:
    """Let the process end, as SIGKILL does, after so many renames."""
    module: Any = files
    left = [renames]

    class Dying:
        @staticmethod
        def replace(source: Path, target: Path) -> None:
            if left[0] == 0:
                os._exit(9)
            left[0] -= 1
            os.replace(source, target)

    class NoRemoval:
        @staticmethod
        def rmtree(*_: object, **__: object) -> None:
            os._exit(9)

    module.os, module.shutil = Dying, NoRemoval


def test_a_first_write_that_died_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "last.tmp").mkdir()
    (tmp_path / "last.tmp" / "one").write_text("half")
    write(tmp_path / "last", "a")
    assert read(tmp_path / "last") == "aa"
    (tmp_path / "best.tmp").mkdir()
    recover_folder(tmp_path / "best")
    assert [path.name for path in tmp_path.iterdir()] == ["last"]
