"""A finished run that tests read, and a copy that they damage."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from mec_moe_agents import Episodes, evaluate

pytest.importorskip("matplotlib")
pytest.importorskip("rich")

from tests.report.runs import AGENTS, CONFIG, write_run


@pytest.fixture(scope="session")
def results() -> Mapping[str, Episodes]:
    return {agent: evaluate(agent, CONFIG, range(4)) for agent in AGENTS}


@pytest.fixture(scope="session")
def finished(results: Mapping[str, Episodes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("finished"), results)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))
