"""One agent on all seeds: the unit of work that is stored and found again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mec_moe_agents.evaluation.content import digest_of
from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_env.config import Config
from mec_moe_env.files import replacing

METRIC = "metric:"


@dataclass(frozen=True)
class Cell:
    """Everything that determines a result.

    Raises:
        OSError: a file that the configuration names is missing.
    """

    config: Config
    agent: str
    options: Mapping[str, Any]
    seeds: tuple[int, ...]
    code: str
    """Identity of the code, `Provenance.identity`."""
    files: Mapping[str, str] = field(init=False)
    """Digest of each file that the configuration or an option names, as it is now."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", _named_files(self.config, self.options))

    def describe(self) -> str:
        """Return all of it as JSON, the same text for the same cell."""
        fields = {
            "environment": type(self.config).__name__,
            "config": {
                entry.name: getattr(self.config, entry.name)
                for entry in dataclasses.fields(self.config)
            },
            "agent": self.agent,
            "options": dict(self.options),
            "files": dict(self.files),
            "seeds": self.seeds,
            "code": self.code,
        }
        return json.dumps(fields, sort_keys=True, default=_digest)

    @property
    def key(self) -> str:
        """Name that no other cell has."""
        return hashlib.sha256(self.describe().encode()).hexdigest()[:24]


def _named_files(config: Config, options: Mapping[str, Any]) -> dict[str, str]:
    """Return digests of the configuration's `data_path` and of options that are paths."""
    named = {name: value for name, value in options.items() if isinstance(value, Path)}
    if (data_path := getattr(config, "data_path", None)) is not None:
        named["data_path"] = Path(data_path).expanduser()
    return {name: digest_of(path) for name, path in named.items()}


def _digest(value: object) -> str:
    """Stand for an object without JSON form, such as a task stream of the user's own."""
    return hashlib.sha256(pickle.dumps(value)).hexdigest()


class CellStore:
    """A folder of finished cells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, cell: Cell) -> Episodes | None:
        """Return the stored episodes, or None where there are none or the file is damaged."""
        try:
            with np.load(self._file(cell), allow_pickle=False) as stored:
                if str(stored["cell"]) != cell.describe():
                    return None
                return Episodes(
                    seeds=stored["seeds"],
                    metrics={
                        name.removeprefix(METRIC): stored[name]
                        for name in stored.files
                        if name.startswith(METRIC)
                    },
                    curve=stored["curve"],
                )
        except (FileNotFoundError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
            return None

    def save(self, cell: Cell, episodes: Episodes) -> None:
        """Store a finished cell, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self._file(cell)) as temporary, temporary.open("wb") as stream:
            arrays: dict[str, Any] = {
                "cell": np.array(cell.describe()),
                "seeds": episodes.seeds,
                "curve": episodes.curve,
            }
            arrays |= {METRIC + name: values for name, values in episodes.metrics.items()}
            np.savez_compressed(stream, **arrays)

    def _file(self, cell: Cell) -> Path:
        return self.folder / f"{cell.agent}-{cell.key}.npz"
