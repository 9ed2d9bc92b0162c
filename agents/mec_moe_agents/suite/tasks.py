"""The frozen tasks: what each is, which episodes belong to it, and where it stands on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from mec_moe_agents.suite.canonical import checksum, config_of, describe, identity
from mec_moe_env.config import Config, suggest
from mec_moe_env.files import read_json, write_json

SUITE = "mec-moe-1"
DATA = Path(__file__).with_name("data")
"""What is shipped: a JSON file per task, and an .npz file per task and split."""


def data_file(name: str) -> Path:
    """Return where a shipped file lies."""
    return DATA / name


@dataclass(frozen=True)
class Split:
    """Episodes of a task that serve one purpose."""

    name: str
    config: Config
    first_seed: int
    episodes: int | None
    """None where any seed from the first on belongs to it, as in training."""
    shift: str = ""
    """In words, how its configuration differs from the other splits'."""
    stated: frozenset[str] | None = field(default=None, compare=False)
    """Fields of the configuration that the task's file states, None for all. A field that came
    after the freeze has its default, which is how the environment was before."""

    @property
    def described(self) -> dict[str, Any]:
        """Fields and values as the task's file states them."""
        fields = describe(self.config)
        return {name: fields[name] for name in fields if self.stated is None or name in self.stated}

    @property
    def seeds(self) -> range:
        """The seeds, one per episode.

        Raises:
            ValueError: they have no end.
        """
        if self.episodes is None:
            raise ValueError(f"split {self.name!r} has no last seed: it is for training")
        return range(self.first_seed, self.first_seed + self.episodes)

    def to_document(self) -> dict[str, Any]:
        """Return all that determines the split, as JSON has it."""
        return {
            "first_seed": self.first_seed,
            "episodes": self.episodes,
            "shift": self.shift,
            "config": self.described,
        }


@dataclass(frozen=True)
class Task:
    """One problem of the suite; equal checksums mean equal problems."""

    name: str
    version: int
    environment: str
    """Gymnasium's id: its `-vN` changes with every observation, action and reward."""
    splits: Mapping[str, Split]
    baseline: str | None = None
    """The untrained agent with the best mean return on `test`: score 0. Not part of the
    checksum; None until its episodes were run."""
    complete: frozenset[str] = frozenset()
    """Splits of which everything was shipped, so that nothing may be missing. Not part of the
    checksum either."""

    def split(self, name: str) -> Split:
        """Return a split; ValueError with the nearest name if there is none."""
        if name not in self.splits:
            raise ValueError(
                f"task {self.name!r} has no split {name!r}: {suggest(name, self.splits)}"
            )
        return self.splits[name]

    @property
    def definition(self) -> dict[str, Any]:
        """All that determines the task, as JSON has it."""
        return {
            "suite": SUITE,
            "task": self.name,
            "version": self.version,
            "environment": self.environment,
            "splits": {name: split.to_document() for name, split in self.splits.items()},
        }

    @property
    def checksum(self) -> str:
        """SHA-256 of the definition."""
        return checksum(self.definition)

    @property
    def in_full(self) -> Self:
        """The same task with every field of today's configurations stated."""
        splits = {name: replace(split, stated=None) for name, split in self.splits.items()}
        return replace(self, splits=splits)

    def save(self) -> None:
        """Write the task's file."""
        document = {
            **self.definition,
            "baseline": self.baseline,
            "complete": sorted(self.complete),
            "checksum": self.checksum,
        }
        write_json(data_file(f"{self.name}.json"), document)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Rebuild a task from its file.

        Raises:
            ValueError: it is not what its checksum says, or a field is missing or out of range.
        """
        try:
            name, environment = document["task"], document["environment"]
            splits = {
                split: Split(
                    split,
                    config_of(environment, fields["config"]),
                    fields["first_seed"],
                    fields["episodes"],
                    fields["shift"],
                    frozenset(fields["config"]),
                )
                for split, fields in document["splits"].items()
            }
            task = cls(
                name,
                document["version"],
                environment,
                splits,
                document["baseline"],
                frozenset(document["complete"]),
            )
            stored = document["checksum"]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not the description of a task: {error!r}") from error
        if stored != task.checksum:
            raise ValueError(f"task {name!r}: checksum {stored} in its file, {task.checksum} here")
        return task


def tasks() -> dict[str, Task]:
    """Return the tasks of the suite by name.

    Raises:
        ValueError: a task's file is not what its checksum says.
    """
    found = {}
    for file in sorted(DATA.glob("*.json")):
        task = Task.from_document(read_json(file))
        found[task.name] = task
    return found


def find_task(name: str) -> Task:
    """Return a task by its name, or by its scenario's: `dmoe/paper` finds `dmoe-paper`.

    Raises:
        ValueError: there is none; the nearest name is given.
    """
    known = tasks()
    for candidate in (name, name.replace("/", "-"), f"offloading-{name}"):
        if candidate in known:
            return known[candidate]
    raise ValueError(f"suite {SUITE} has no task {name!r}: {suggest(name, known)}")


def splits_of(config: Config) -> list[tuple[Task, Split]]:
    """Return the splits with a last seed that have exactly this configuration."""
    wanted = identity(config)
    if wanted is None:
        return []
    return [
        (task, split)
        for task in tasks().values()
        for split in task.splits.values()
        if split.episodes is not None and identity(split.config) == wanted
    ]
