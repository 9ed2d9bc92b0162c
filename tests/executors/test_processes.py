"""Processes return what was computed, pass errors on, and end with whoever asked."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from mec_moe_agents.executors import Executor, completed, gather
from mec_moe_agents.executors.naming import check_name, executor_of, opened
from mec_moe_agents.executors.workers import SINGLE_THREADED

from tests.executors import calls
from tests.executors.waiting import await_that, runs

DOUBLES = {number: partial(calls.double, number) for number in range(5)}


@pytest.fixture(scope="module")
def two() -> Iterator[Executor]:
    """Open two processes."""
    with opened("processes:2") as executor:
        assert executor is not None
        yield executor


def test_results_come_in_the_order_of_the_calls(two: Executor) -> None:
    expected = {number: 2 * number for number in DOUBLES}
    for executor in (two, None):
        found = gather(DOUBLES, executor)
        assert list(found.items()) == list(expected.items())


def test_the_quick_one_is_done_before_the_slow_one(two: Executor) -> None:
    # Both processes are there by now: no start is waited for.
    gather(DOUBLES, two)
    order = {"slow": partial(time.sleep, 0.5), "quick": partial(time.sleep, 0.0)}
    assert [key for key, _, _ in completed(order, two)] == ["quick", "slow"]
    assert [key for key, _, _ in completed(order)] == ["slow", "quick"]
    assert list(gather(order, two)) == ["slow", "quick"]


def test_every_call_is_timed(two: Executor) -> None:
    for executor in (two, None):
        done = list(completed({"nap": partial(time.sleep, 0.05)}, executor))
        ((key, value, seconds),) = done
        assert (key, value) == ("nap", None)
        assert seconds >= 0.05


def test_workers_are_elsewhere_and_single_threaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SINGLE_THREADED:
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    with opened("processes:1") as executor:
        process, threads, folder = gather({0: calls.surroundings}, executor)[0]
    assert process != os.getpid()
    assert threads == "1"
    assert folder == os.getcwd()
    assert dict(os.environ) == before


def test_an_error_of_a_call_is_raised_and_the_workers_remain(two: Executor) -> None:
    with pytest.raises(ValueError, match="3 is not allowed"):
        gather({**DOUBLES, "wrong": partial(calls.fail, 3)}, two)
    assert gather(DOUBLES, two)[4] == 8


def test_a_killed_worker_is_said() -> None:
    with opened("processes:1") as executor, pytest.raises(OSError, match="worker process was kil"):
        gather({0: calls.leave}, executor)


def interrupt_at_work(path: Path) -> None:
    """Interrupt a block whose worker is at work and has written its process to a file."""
    with opened("processes:1") as executor:
        assert executor is not None
        executor.submit(partial(calls.work_long, path))
        await_that(lambda: path.exists() and path.read_text() != "")
        raise KeyboardInterrupt


def test_workers_end_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "process"
    with pytest.raises(KeyboardInterrupt):
        interrupt_at_work(path)
    await_that(lambda: not runs(int(path.read_text())))


def test_workers_end_with_a_killed_driver(tmp_path: Path) -> None:
    path = tmp_path / "process"
    code = (
        "import functools, pathlib; from tests.executors import calls;"
        "from mec_moe_agents.executors.processes import Processes;"
        f"path = pathlib.Path({str(path)!r}); processes = Processes(1);"
        "processes.submit(functools.partial(calls.work_long, path)).result()"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as driver:
        try:
            await_that(lambda: path.exists() and path.read_text() != "")
        finally:
            driver.kill()
    await_that(lambda: not runs(int(path.read_text())))


def test_no_name_is_no_executor() -> None:
    with opened(None) as executor:
        assert executor is None


@pytest.mark.parametrize("name", ["processes:1", "processes:12", "ray", "ray://head:10001"])
def test_names_that_are_allowed(name: str) -> None:
    check_name(name)
    assert executor_of(1, name) == name


@pytest.mark.parametrize("name", ["", "processes", "processes:0", "processes:-1", "rays", "ray:1"])
def test_names_that_are_not(name: str) -> None:
    with pytest.raises(ValueError, match=r"is not allowed: processes:N, ray .*ray://HOST:PORT"):
        check_name(name)
    with pytest.raises(ValueError, match="not allowed"), opened(name):
        pass


def test_jobs_are_processes() -> None:
    assert executor_of(1, None) is None
    assert executor_of(3, None) == "processes:3"
    with pytest.raises(ValueError, match="--jobs 3 is --executor processes:3: give one of them"):
        executor_of(3, "ray")
