"""A Ray cluster of two nodes on this machine, one of which is lost; run by `make cluster` alone."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from mec_moe_agents.executors import completed, gather
from mec_moe_agents.executors.naming import opened
from ray.cluster_utils import Cluster

from tests.cluster import calls
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


class Nodes:
    """A head and another node, of one core each."""

    def __init__(self) -> None:
        self.cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        self.other: Any = self.cluster.add_node(num_cpus=1)
        self.cluster.wait_for_nodes()

    def lose(self) -> None:
        """Kill the other node with all that runs there."""
        self.cluster.remove_node(self.other, allow_graceful=False)


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    """Start both nodes, where `--executor ray` finds them."""
    found = Nodes()
    monkeypatch.setenv("RAY_ADDRESS", found.cluster.address)
    yield found
    found.cluster.shutdown()


def files_of(folder: Path) -> dict[str, bytes]:
    kept = [
        *folder.glob("cells/*"),
        *(folder / f"ranking.{kind}" for kind in ("csv", "json", "md")),
    ]
    return {path.name: path.read_bytes() for path in kept}


def start_ranking(folder: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "mec_moe_agents", *RANK, "--out", str(folder), *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def test_calls_and_errors_come_back(nodes: Nodes) -> None:
    with opened("ray") as executor:
        assert gather({n: partial(calls.square, n) for n in range(4)}, executor)[3] == 9
        with pytest.raises(ValueError, match="^3 is not allowed"):
            gather({0: partial(calls.fail, 3)}, executor)


def processes_in(folder: Path) -> list[int]:
    """Return those of all attempts so far."""
    texts = [path.read_text() for path in folder.glob("*.?")]
    return [int(text) for text in texts if text]


def test_what_a_lost_node_did_is_done_again(nodes: Nodes, tmp_path: Path) -> None:
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
    serial, spread = tmp_path / "serial", tmp_path / "spread"
    with start_ranking(serial) as ranking:
        assert ranking.wait(PATIENCE_SECONDS) == 0
    with start_ranking(spread, "--executor", "ray") as ranking:
        await_that(lambda: any(spread.glob("cells/*.npz")) or ranking.poll() is not None)
        assert ranking.poll() is None
        nodes.lose()
        _, errors = ranking.communicate(timeout=PATIENCE_SECONDS)
    assert ranking.returncode == 0, errors
    assert files_of(spread) == files_of(serial)


def test_no_cluster_is_one_line(tmp_path: Path) -> None:
    with start_ranking(tmp_path, "--executor", "ray://127.0.0.1:9") as ranking:
        _, errors = ranking.communicate(timeout=PATIENCE_SECONDS)
    assert ranking.returncode == 1
    assert "no Ray cluster at ray://127.0.0.1:9" in errors.splitlines()[-1]
