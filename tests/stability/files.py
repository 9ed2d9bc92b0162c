"""What files hold: the columns of CSV files, keys of JSON documents, arrays of .npz archives.

Read off small runs of the commands themselves.
"""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from mec_moe_agents.cli import app
from typer.testing import CliRunner

RUNS = {
    "compare": "compare --scenario toy --agents guard,random --seeds 2",
    "compare dmoe": "compare --scenario dmoe/toy --agents topk,des --seeds 2",
    "rank": "rank --scenario toy --seeds 2",
}


def files() -> dict[str, dict[str, Any]]:
    """Return what the files of each command hold, by their names in its folder."""
    with tempfile.TemporaryDirectory() as parent:
        folders = {name: Path(parent, name.replace(" ", "-")) for name in RUNS}
        for name, command in RUNS.items():
            run(command, folders[name])
        return {name: held(folder) for name, folder in folders.items()}


def run(command: str, folder: Path) -> None:
    """Run a command that writes into a folder."""
    done = CliRunner().invoke(app, [*command.split(), "--out", str(folder)])
    assert done.exit_code == 0, done.output


def held(folder: Path) -> dict[str, Any]:
    """Return what the files in a folder hold, kept cells aside: their names are digests."""
    return {
        path.relative_to(folder).as_posix(): READERS[path.suffix](path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in READERS and path.parent.name != "cells"
    }


def columns(path: Path) -> list[str]:
    """Return the columns of a CSV file."""
    with path.open(newline="", encoding="utf-8") as stream:
        return next(csv.reader(stream))


def keys(path: Path) -> Any:
    """Return the keys of a JSON document, of a list those of its first entry."""
    return shape(json.loads(path.read_text(encoding="utf-8")))


def shape(document: Any) -> Any:
    """Return a document without its values."""
    if isinstance(document, dict):
        return {key: shape(value) for key, value in sorted(document.items())}
    if isinstance(document, list):
        return [shape(document[0])] if document else []
    return type(document).__name__


def arrays(path: Path) -> dict[str, str]:
    """Return the arrays of an archive with dtype and number of axes."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: f"{archive[name].dtype.kind}, {archive[name].ndim} axes" for name in archive}


READERS = {".csv": columns, ".json": keys, ".npz": arrays}
