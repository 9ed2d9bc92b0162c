"""`run.json`: which command made a folder, with what, when, and by which code.

Every command writes it last, in one form, so that a folder that has one is whole.
"""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.report.setup import Setup
from mec_moe_env.files import blaming, read_json, write_json

NAME = "run.json"
FORMAT = 1
PACKAGES = (
    *("gymnasium", "numpy", "scipy", "numba", "matplotlib", "scikit-learn"),
    *("stable-baselines3", "sb3-contrib", "torch"),
)
"""Whose versions are written down, those that are installed."""


@dataclass(frozen=True)
class Invocation:
    """A command as it was called, and when it began."""

    command: str
    """Its name: `compare`, `reproduce dmoe`."""
    given: str
    """As it was typed, with the options that were given."""
    explicit: str
    """With every option that its result depends on, so that no later default changes it."""
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    clock: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True)
class Drawing:
    """A picture of the run: `name`.png, `name`.svg and `name`.pdf in its folder."""

    name: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that `run.json` says."""

    command: str
    given: str
    reproduce: Sequence[str]
    """Commands that compute the same again, one after the other."""
    setups: Sequence[Setup]
    first_seed: int
    seeds: int
    """How many; each is one more than the one before."""
    version: str
    commit: str | None
    code: str
    python: str
    machine: str
    packages: Mapping[str, str]
    started: str
    """UTC, ISO 8601; of an interrupted command that went on, the last start."""
    seconds: float
    """Wall time since then."""
    summary: str
    """Name of the file with all figures."""
    rows: Sequence[str]
    """Names of the CSV files with every episode."""
    drawings: Sequence[Drawing]

    @classmethod
    def of(
        cls,
        invocation: Invocation,
        provenance: Provenance,
        setups: Sequence[Setup],
        seeds: Sequence[int],
        *,
        summary: str,
        rows: Sequence[str],
        drawings: Sequence[Drawing],
        reproduce: Sequence[str] | None = None,
    ) -> Self:
        """Describe a command that ends now; it is reproduced by itself unless told otherwise."""
        return cls(
            command=invocation.command,
            given=invocation.given,
            reproduce=[invocation.explicit] if reproduce is None else reproduce,
            setups=setups,
            first_seed=seeds[0],
            seeds=len(seeds),
            version=provenance.version,
            commit=provenance.commit,
            code=provenance.fingerprint,
            python=platform.python_version(),
            machine=f"{platform.system()} {platform.machine()}",
            packages=_installed(PACKAGES),
            started=invocation.started,
            seconds=round(time.perf_counter() - invocation.clock, 1),
            summary=summary,
            rows=rows,
            drawings=drawings,
        )

    def write(self, folder: Path) -> None:
        """Write it into the folder of the run."""
        write_json(folder / NAME, {"format": FORMAT, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it from the folder of a run.

        Raises:
            FileNotFoundError: the folder has none.
            ValueError: it is damaged, or of another version.
        """
        path = folder / NAME
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder} holds no finished run: it has no {NAME}; the command that made it "
                "writes one (run it again there if it was interrupted or of an older version)"
            )
        document: Any = read_json(path)
        found = document.get("format") if isinstance(document, dict) else None
        if found != FORMAT:
            raise ValueError(f"{path}: expected format {FORMAT}, found {found}")
        with blaming(path, "not the description of a run"):
            fields = {name: value for name, value in document.items() if name != "format"}
            fields["setups"] = [Setup(**each) for each in fields["setups"]]
            fields["drawings"] = [Drawing(**each) for each in fields["drawings"]]
            return cls(**fields)


def _installed(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
