"""What a submission says of itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from mec_moe_agents.suite.machine import processor, versions
from mec_moe_agents.suite.tasks import SUITE, Split, Task
from mec_moe_env import __version__
from mec_moe_env.config import Whole, reject, suggest

FORMAT = 1
CAUSAL, CLAIRVOYANT = "causal", "clairvoyant"
INFORMATION = (CAUSAL, CLAIRVOYANT)
KINDS: Mapping[str, type] = MappingProxyType(
    {
        **dict.fromkeys(("suite", "task", "checksum", "environment", "package", "split"), str),
        **dict.fromkeys(("config", "processor", "versions"), dict),
        **{"format": int, "version": int, "seeds": list},
    }
)
"""What a manifest's fields are in JSON, the claims aside."""
SeedRanges = tuple[tuple[int, int], ...]
"""Ranges (first, last), both included."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What only the author can know of an agent, and no replay can prove.

    Raises:
        ValueError: a field is not allowed.
    """

    agent: str
    author: str = ""
    description: str = ""
    information: str = CAUSAL
    """`causal`: every action follows from what was observed until then; else `clairvoyant`."""
    training_seeds: SeedRanges = ()
    """Of the environments that the agent was trained in."""
    tuning_seeds: SeedRanges = ()
    """Of those that anything was chosen by: hyperparameters, checkpoints, the run itself."""
    training_runs: int = 0
    """How many were trained, of which this is one; 0 where nothing was."""

    def __post_init__(self) -> None:
        if not isinstance(self.agent, str) or not self.agent:
            raise reject("agent", self.agent, "a name")
        if self.information not in INFORMATION:
            raise reject("information", self.information, f"one of {INFORMATION}")
        if not Whole(0).admits(self.training_runs):
            raise reject("training_runs", self.training_runs, Whole(0))
        for field in ("training_seeds", "tuning_seeds"):
            pairs = tuple(tuple(pair) for pair in getattr(self, field))
            object.__setattr__(self, field, pairs)
            for pair in pairs:
                if len(pair) != 2 or not 0 <= pair[0] <= pair[1]:
                    raise reject(field, pair, "pairs (first, last), 0 ≤ first ≤ last")

    def check_unseen(self, split: Split) -> None:
        """See that neither training nor tuning used the seeds of a split.

        Raises:
            ValueError: it did.
        """
        if self.information == CLAIRVOYANT:
            return
        for field in ("training_seeds", "tuning_seeds"):
            for first, last in getattr(self, field):
                if first <= split.seeds[-1] and last >= split.seeds[0]:
                    raise reject(
                        field, f"{first}-{last}", f"apart from the seeds of {split.name!r}"
                    )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All that determines a submission's episodes but its actions, and the author's claims."""

    format: int
    suite: str
    task: str
    version: int
    """Of the task."""
    checksum: str
    """Of the task."""
    environment: str
    """Gymnasium's id, with its `-vN`."""
    package: str
    """Version of mec-moe-env that wrote the file."""
    split: str
    config: dict[str, Any]
    seeds: list[int]
    claims: Claims
    processor: dict[str, str]
    versions: dict[str, str]

    @classmethod
    def of(cls, task: Task, split: Split, claims: Claims) -> Self:
        """Write the manifest of episodes that are played here and now."""
        return cls(
            format=FORMAT,
            suite=SUITE,
            task=task.name,
            version=task.version,
            checksum=task.checksum,
            environment=task.environment,
            package=__version__,
            split=split.name,
            config=split.described,
            seeds=list(split.seeds),
            claims=claims,
            processor=processor(),
            versions=versions(),
        )

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """Rebuild a manifest.

        Raises:
            ValueError: a field is missing, unknown, or not allowed; it is named.
        """
        fields = _fields(cls, document)
        for name, kind in KINDS.items():
            if not isinstance(fields[name], kind):
                raise reject(name, fields[name], f"a JSON value of the type {kind.__name__}")
        if fields["format"] != FORMAT:
            raise reject("format", fields["format"], FORMAT)
        claims = Claims(**_fields(Claims, fields.pop("claims")))
        return cls(claims=claims, **fields)

    def differences(self, task: Task, split: Split) -> list[str]:
        """Say in which fields it is not of this task and split of the suite."""
        found = [
            f"{name} = {ours!r} in the file, {theirs!r} in the suite"
            for name, ours, theirs in (
                ("suite", self.suite, SUITE),
                ("version", self.version, task.version),
                ("checksum", self.checksum, task.checksum),
                ("environment", self.environment, task.environment),
            )
            if ours != theirs
        ]
        here, there = self.config, split.described
        found += [
            f"config.{name} = {here.get(name)!r} in the file, {there.get(name)!r} in the suite"
            for name in {**there, **here}
            if here.get(name) != there.get(name)
        ]
        return found + _seed_differences(self.seeds, list(split.seeds))


def _seed_differences(ours: list[int], theirs: list[int]) -> list[str]:
    if len(ours) != len(theirs):
        return [f"seeds: {len(ours)} in the file, {len(theirs)} in the suite"]
    return [
        f"seeds[{index}] = {ours[index]!r} in the file, {theirs[index]} in the suite"
        for index in range(len(theirs))
        if ours[index] != theirs[index]
    ][:1]


def _fields(kind: type, document: Any) -> dict[str, Any]:
    """Return a copy of a JSON object that has exactly the fields of a dataclass."""
    if not isinstance(document, Mapping):
        raise ValueError(f"{kind.__name__.lower()}: expected a JSON object, got {document!r}")
    known = [field.name for field in dataclasses.fields(kind)]
    for name in document:
        if name not in known:
            raise ValueError(f"unknown manifest field {name!r}: {suggest(name, known)}")
    for name in known:
        if name not in document:
            raise ValueError(f"the manifest has no field {name!r}")
    return dict(document)
