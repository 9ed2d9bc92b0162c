"""A suite of one task with a known optimum, in a folder of its own."""

from pathlib import Path

import pytest
from mec_moe_agents.environments import OFFLOADING
from mec_moe_agents.suite import tasks
from mec_moe_agents.suite.definitions import SHIFTED, TEST
from mec_moe_agents.suite.tasks import Split, Task

from mec_moe_env import OFFLOADING_PRESETS

TOY = OFFLOADING_PRESETS["toy"]


def toy_task() -> Task:
    splits = [
        Split("train", TOY, 2**31, None),
        Split(TEST, TOY, 100_000, 3),
        Split(SHIFTED, TOY.override(delay_weight=1.0), 95_000, 2, "time is dearer"),
    ]
    by_name = {split.name: split for split in splits}
    return Task("offloading-toy", 1, OFFLOADING.id, by_name)


@pytest.fixture
def toy_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setattr(tasks, "DATA", folder)
    task = toy_task()
    task.save()
    return task
