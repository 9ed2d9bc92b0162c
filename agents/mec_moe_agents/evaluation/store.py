"""Results on disk: finished cells, found again by all that determined them, and plain tables."""

from __future__ import annotations

import csv
import hashlib
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mec_moe_agents.evaluation.overrides import differences, file_stem
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats
from mec_moe_env.files import read_arrays, write_arrays, write_csv

METRIC, CONFIG = "metric:", "config."


@dataclass(frozen=True)
class Cell:
    """One agent on all seeds, the unit of work that is stored: everything that determines it.

    Raises:
        OSError: a file that the configuration names is missing.
    """

    config: Config
    agent: str
    seeds: tuple[int, ...]
    code: str
    """Identity of the code, `Provenance.identity`."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where an agent from outside comes from, see `CatalogueEntry.origin`."""
    data: str | None = field(init=False)
    """Digests of the data that the configuration names, as they are now."""

    def __post_init__(self) -> None:
        digests = data_digests(self.config)
        object.__setattr__(self, "data", json.dumps(digests) if digests else None)

    def describe(self) -> str:
        """Return all of it as JSON, the same text for the same cell."""
        fields = {
            "environment": type(self.config).__name__,
            "config": self.config.to_dict(),
            "agent": self.agent,
            "origin": dict(self.origin),
            "data": self.data,
            "seeds": self.seeds,
            "code": self.code,
        }
        return json.dumps(fields, sort_keys=True, default=_digest)

    @property
    def key(self) -> str:
        """Name that no other cell has."""
        return hashlib.sha256(self.describe().encode()).hexdigest()[:24]


def data_digests(config: Config) -> dict[str, str]:
    """Return a digest of each file or folder of data that a configuration names, by field.

    Raises:
        OSError: one is missing.
    """
    return {name: digest_of(Path(path).expanduser()) for name, path in config.files.items()}


def digest_of(path: Path) -> str:
    """Return a digest of a file, or of the names and contents of the files of a folder."""
    digest = hashlib.sha256()
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    for file in files:
        digest.update(f"{file.name}\0".encode() if path.is_dir() else b"")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:24]


def _digest(value: object) -> str:
    """Stand for an object without JSON form, such as a task stream of the user's own."""
    return hashlib.sha256(pickle.dumps(value)).hexdigest()


@dataclass(frozen=True)
class CellStore:
    """A folder of finished cells."""

    folder: Path

    def load(self, cell: Cell) -> Episodes | None:
        """Return the stored episodes, or None where there are none or the file is damaged."""
        try:
            stored = read_arrays(self._file(cell))
            if str(stored.pop("cell")) != cell.describe():
                return None
            seeds, curve = stored.pop("seeds"), stored.pop("curve")
            metrics = {name.removeprefix(METRIC): values for name, values in stored.items()}
            return Episodes(seeds, metrics, curve)
        except (FileNotFoundError, KeyError, ValueError):
            return None

    def save(self, cell: Cell, episodes: Episodes) -> None:
        """Store a finished cell, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        metrics = {METRIC + name: values for name, values in episodes.metrics.items()}
        kept = {"cell": np.array(cell.describe()), "seeds": episodes.seeds, "curve": episodes.curve}
        write_arrays(self._file(cell), {**kept, **metrics}, compressed=True)

    def _file(self, cell: Cell) -> Path:
        return self.folder / f"{file_stem(cell.agent)}-{cell.key}.npz"


def rows_of(episodes: Episodes) -> list[dict[str, object]]:
    """Return a row per episode: its seed and all its metrics, as plain numbers."""
    return [
        {"seed": seed, **{name: values[row].item() for name, values in episodes.metrics.items()}}
        for row, seed in enumerate(episodes.seeds.tolist())
    ]


def write_rows(
    path: Path,
    results: Mapping[str, Episodes],
    config: Config,
    provenance: Provenance,
    bounds: Floats | None = None,
) -> None:
    """Write one CSV row per agent and seed: metrics, config fields, version and commit.

    The certified bounds (n,) of the seeds stand beside them where they are known.
    """
    shared = {f"{CONFIG}{name}": value for name, value in config.to_dict().items()}
    shared |= provenance.columns
    rows = (
        {"agent": agent, **row, "bound": "" if bounds is None else bounds[place].item(), **shared}
        for agent, episodes in results.items()
        for place, row in enumerate(rows_of(episodes))
    )
    write_csv(path, rows)


def differing_config(path: Path, config: Config) -> str:
    """Say how the configuration of rows differs from this one.

    In columns as `write_rows` writes them, or as JSON in one, which a study's rows have. Empty
    where there is no file, or it is of this configuration. A field that came after the rows had
    its default.
    """
    if not path.is_file():
        return ""
    here, defaults = _as_text(config), _as_text(type(config)())
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            row = next(csv.DictReader(stream), {})
    except (csv.Error, UnicodeDecodeError):
        return "it holds no rows that can be read"
    marked = {name: value for name, value in row.items() if name.startswith(CONFIG)}
    there = {name.removeprefix(CONFIG): value for name, value in marked.items()}
    try:
        there |= _texts(json.loads(row.get("config") or "{}"))
    except (ValueError, AttributeError):
        return "its configuration cannot be read"
    return differences({**defaults, **there}, here) if there else "it names no configuration"


def _as_text(config: Config) -> dict[str, str]:
    """Return fields and values as `write_rows` writes them."""
    return _texts(config.to_dict())


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """Write values; a list is what JSON makes of a pair."""
    plain = {name: tuple(each) if isinstance(each, list) else each for name, each in fields.items()}
    return {name: "" if value is None else str(value) for name, value in plain.items()}


def write_curves(path: Path, results: Mapping[str, Episodes]) -> None:
    """Write the curves as .npz: `seeds` (n,) and, for each agent, `Episodes.curve`, (n, T)."""
    curves = {agent: episodes.curve for agent, episodes in results.items()}
    seeds = next(iter(results.values())).seeds
    write_arrays(path, {"seeds": seeds, **curves}, compressed=True)
