"""Calls that workers of a cluster can import."""

import os
import time
from functools import partial
from pathlib import Path

from mec_moe_agents.executors import gather
from mec_moe_agents.executors.naming import opened


def square(number: int) -> int:
    return number * number


def fail(number: int) -> int:
    raise ValueError(f"{number} is not allowed")


def fail_often(times: int) -> None:
    """Hand out a call that raises, one time after the other, and count what is raised here."""
    errors = 0
    with opened("ray") as executor:
        for number in range(times):
            try:
                gather({0: partial(fail, number)}, executor)
            except ValueError:
                errors += 1
    print(errors, "errors")


def wait_for(folder: Path, name: str) -> str:
    """Leave a file with each attempt's process, and go on once the file `go` is there."""
    attempt = len(list(folder.glob(f"{name}.*")))
    (folder / f"{name}.{attempt}").write_text(str(os.getpid()))
    while not (folder / "go").exists():
        time.sleep(0.05)
    return name
