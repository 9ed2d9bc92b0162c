"""Of two trainings in one folder the second says so and changes nothing."""

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sb3_contrib")
pytest.importorskip("typer")
pytest.importorskip("fcntl")

from mec_moe_agents.cli import app
from mec_moe_agents.training.claim import claimed
from mec_moe_agents.training.run import load_learner
from typer.testing import CliRunner

from tests.training.runs import SEGMENT, run, tiny_plan

HOLDER = """
import sys, time
from pathlib import Path
from mec_moe_agents.training.claim import claimed
with claimed(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(600)
"""
BUSY = "another process trains in .*: wait until it is done, or take another --out"


@contextlib.contextmanager
def another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Train in a folder, as far as others can tell, until the block ends."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run(tiny_plan(), folder, SEGMENT)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fresh", [(), ("--fresh",)])
def test_the_second_command_says_so_and_changes_nothing(
    folder: Path, fresh: tuple[str, ...]
) -> None:
    before = files(folder)
    command = ["train", "--algo", "ppo", "--scenario", "default", "--out", str(folder), *fresh]
    with claimed(folder):
        result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert f"mec-moe: another process trains in {folder}: wait until it is done" in result.stderr
    assert files(folder) == before


def test_so_does_the_function_and_a_killed_process_is_not_waited_for(folder: Path) -> None:
    with another_process(folder) as process:
        with pytest.raises(BlockingIOError, match=BUSY):
            run(tiny_plan(), folder, 2 * SEGMENT)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert run(tiny_plan(), folder, 2 * SEGMENT).steps == 2 * SEGMENT


def test_who_evaluates_leaves_alone_what_the_training_writes(folder: Path) -> None:
    half_written = folder / "best.tmp"
    half_written.mkdir()
    with claimed(folder):
        load_learner(folder, "best").close()
    assert half_written.exists()
    load_learner(folder, "best").close()
    assert not half_written.exists()
