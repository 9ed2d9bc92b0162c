"""A Ray cluster of two nodes on this machine, one of which is lost; run by `make cluster` alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread

import mec_moe_agents
import pytest
import ray
from mec_moe_agents.executors import completed, gather
from mec_moe_agents.executors.naming import opened

import mec_moe_env
from tests.cluster import calls
from tests.cluster.nodes import Nodes
from tests.executors.waiting import PATIENCE_SECONDS, await_that, runs

RANK = (
    "rank",
    "--scenario",
    "scarce,dmoe/toy",
    "--seeds",
    "4",
    "--agents",
    "random,nearest,guard,topk",
)


@pytest.fixture(scope="module")
def head() -> Iterator[Nodes]:
    """Start a cluster of one node."""
    found = Nodes()
    yield found
    found.end()


@pytest.fixture
def nodes(head: Nodes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    """Lay the cluster where `--executor ray` finds it; the test adds the other node."""
    monkeypatch.setenv("RAY_ADDRESS", head.address)
    yield head
    if head.other is not None:
        head.lose()


def files_of(folder: Path) -> dict[str, bytes]:
    kept = [
        *folder.glob("cells/*"),
        *(folder / f"ranking.{kind}" for kind in ("csv", "json", "md")),
    ]
    return {path.name: path.read_bytes() for path in kept}


def cells_in(folder: Path) -> set[str]:
    """Return those that are finished; what is being written has a dot before its name."""
    return {path.name for path in folder.glob("cells/[!.]*.npz")}


def start_ranking(folder: Path, *options: str, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "mec_moe_agents", *RANK, "--out", str(folder), *options]
    return subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("through_client", [False, True])
def test_calls_and_errors_come_back(nodes: Nodes, through_client: bool) -> None:
    with opened(nodes.through_client if through_client else "ray") as executor:
        assert gather({n: partial(calls.square, n) for n in range(4)}, executor)[3] == 9
        with pytest.raises(ValueError, match="^3 is not allowed"):
            gather({0: partial(calls.fail, 3)}, executor)


def test_a_client_whose_server_dies_is_served_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = list[str]()

    def init(address: str) -> None:
        tries.append(address)
        if len(tries) < 3:
            raise ConnectionAbortedError("Starting Ray client server failed.")

    monkeypatch.setattr(ray, "init", init)
    with opened("ray://head:1"):
        assert tries == ["ray://head:1"] * 3
    tries.clear()
    monkeypatch.setattr(ray, "init", partial(init_that_fails, tries))
    with pytest.raises(ConnectionError, match="no Ray cluster at ray://head:1: died"):
        opened("ray://head:1").__enter__()
    assert len(tries) == 3


def init_that_fails(tries: list[str], address: str) -> None:
    tries.append(address)
    raise ConnectionAbortedError("died")


def test_errors_of_what_has_just_ended_are_survived(nodes: Nodes) -> None:
    """Where Ray was asked to cancel these calls, it ended this process: seldom, so often tried."""
    script = "import sys; from tests.cluster import calls; calls.fail_often(int(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", script, "100"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["100", "errors"]


def processes_in(folder: Path) -> list[int]:
    """Return those of all attempts so far."""
    texts = [path.read_text() for path in folder.glob("*.?")]
    return [int(text) for text in texts if text]


def test_what_a_lost_node_did_is_done_again(nodes: Nodes, tmp_path: Path) -> None:
    nodes.add()
    names = ("left", "right")
    with opened("ray") as executor:
        work = completed(
            {name: partial(calls.wait_for, tmp_path, name) for name in names}, executor
        )
        found: list[str] = []
        consumer = Thread(target=lambda: found.extend(name for name, _, _ in work))
        consumer.start()
        await_that(lambda: len(processes_in(tmp_path)) == 2)
        workers = processes_in(tmp_path)
        nodes.lose()
        await_that(lambda: not all(map(runs, workers)))
        (tmp_path / "go").touch()
        consumer.join(PATIENCE_SECONDS)
    assert sorted(found) == sorted(names)
    assert len(list(tmp_path.glob("*.1"))) == 1


def test_a_ranking_that_loses_a_node_leaves_the_files_of_a_serial_one(
    nodes: Nodes, tmp_path: Path
) -> None:
    nodes.add()
    serial, spread = tmp_path / "serial", tmp_path / "spread"
    with start_ranking(serial) as alone, start_ranking(spread, "--executor", "ray") as ranking:
        await_that(lambda: bool(cells_in(spread)) or ranking.poll() is not None)
        assert ranking.poll() is None
        before = cells_in(spread)
        nodes.lose()
        _, errors = ranking.communicate(timeout=PATIENCE_SECONDS)
        assert alone.wait(PATIENCE_SECONDS) == 0
    assert ranking.returncode == 0, errors
    assert before < cells_in(spread)
    assert files_of(spread) == files_of(serial)


def copy_code(folder: Path) -> None:
    """Copy both packages, with a line that is not in ours, and hide the calls of these tests."""
    for package in (mec_moe_env, mec_moe_agents):
        source = Path(str(package.__file__)).parent
        shutil.copytree(
            source, folder / source.name, ignore=shutil.ignore_patterns("*.nbi", "*.nbc")
        )
    with (folder / "mec_moe_env" / "theory.py").open("a") as module:
        module.write("CHANGED = True\n")
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").touch()


def test_a_node_with_other_code_is_refused(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot even import what it is asked for: that is not what the error says."""
    elsewhere = tmp_path / "elsewhere"
    copy_code(elsewhere)
    # Workers look for modules where who asks them works, before all other folders.
    monkeypatch.chdir(tmp_path)
    nodes.add(PYTHONPATH=str(elsewhere))
    expected = r"^a node of the cluster has mec-moe-env \S+ instead of \S+$"
    with opened("ray") as executor, pytest.raises(OSError, match=expected):
        gather({n: partial(calls.wait_for, tmp_path, str(n)) for n in range(2)}, executor)


def test_no_cluster_is_one_line(tmp_path: Path) -> None:
    hasty = {f"RAY_CLIENT_{name}_CONNECTION_TIMEOUT_S": "1" for name in ("INITIAL", "MAX")}
    with start_ranking(tmp_path, "--executor", "ray://127.0.0.1:9", **hasty) as ranking:
        _, errors = ranking.communicate(timeout=PATIENCE_SECONDS)
    assert ranking.returncode == 1
    assert "no Ray cluster at ray://127.0.0.1:9" in errors.splitlines()[-1]
