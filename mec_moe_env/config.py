"""Frozen configuration objects whose fields know their allowed range.

Ranges end far beyond any network, but before sums in float64, or observations in float32, would
no longer be finite.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from numbers import Real as RealNumber
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from mec_moe_env.core.buffers import Entry, Floats, Outcomes
from mec_moe_env.shown import shown


@dataclass(frozen=True)
class Whole:
    """An integer in [low, high]."""

    low: int
    high: float = math.inf

    def __str__(self) -> str:
        return f"an integer in [{self.low}, {self.high}{')' if math.isinf(self.high) else ']'}"

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed."""
        return (
            isinstance(value, Integral)
            and not isinstance(value, bool)
            and self.low <= int(value) <= self.high
        )


@dataclass(frozen=True)
class Real:
    """A real number between low and high; `open_low` leaves out low itself."""

    low: float
    high: float = math.inf
    open_low: bool = False
    infinite: bool = False

    def __str__(self) -> str:
        left = "(" if self.open_low else "["
        right = "]" if math.isfinite(self.high) or self.infinite else ")"
        return f"a number in {left}{self.low}, {self.high}{right}"

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed."""
        if isinstance(value, bool) or not isinstance(value, RealNumber):
            return False
        try:
            number = float(value)
        except OverflowError:  # an integer of more than 308 digits
            return False
        if math.isnan(number):
            return False
        if math.isinf(number) and not self.infinite:
            return False
        return (number > self.low if self.open_low else number >= self.low) and number <= self.high


@dataclass(frozen=True)
class Interval:
    """A pair (low, high) of numbers in a range, low ≤ high: a uniform distribution."""

    element: Real

    def __str__(self) -> str:
        return f"a pair (low, high), low ≤ high, each {self.element}"

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed."""
        return (
            isinstance(value, tuple)
            and len(value) == 2
            and all(self.element.admits(bound) for bound in value)
            and value[0] <= value[1]
        )


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"one of {self.words}"

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed."""
        return isinstance(value, str) and value in self.words


@dataclass(frozen=True)
class Recorded:
    """Data from outside: nothing, a file, or the rows of a table themselves."""

    what: str
    """What the file holds."""
    rows: bool = False
    """Whether rows can be given in place of a file."""

    def __str__(self) -> str:
        return f"None or the path of {self.what}" + (", or such rows" if self.rows else "")

    def admits(self, value: object) -> bool:
        """Tell whether `value` is allowed; the data are read where an environment is built."""
        if isinstance(value, tuple):
            return self.rows and all(isinstance(row, tuple) for row in value)
        return value is None or (isinstance(value, str) and value != "")


Allowed = Whole | Real | Interval | OneOf | Recorded
"""What a field admits."""


def setting(default: Any, allowed: Allowed, unit: str = "") -> Any:
    """Declare a dataclass field with a default, a checked range, and a unit if it has one."""
    return dataclasses.field(default=default, metadata={"allowed": allowed, "unit": unit})


def plain(value: Any) -> Any:
    """Turn NumPy scalars into Python numbers; arrays and sequences, as of JSON, into tuples.

    Paths become texts, so that a configuration is the same from either.
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(map(plain, value))
    return value


class UnknownFieldError(TypeError, ValueError):
    """A keyword that no field of a configuration has.

    A `TypeError` with Python's own words, by which libraries find out what an environment takes;
    and a `ValueError`, as for any other bad value.
    """


def reject(field: str, value: object, allowed: object) -> ValueError:
    """Build the error for a bad value: it names the field, the value and what is allowed."""
    return ValueError(f"{field} = {shown(value)} is not allowed: {field} must be {allowed}")


def check(field: str, value: object, allowed: Allowed) -> None:
    """Raise the ValueError of `reject` unless `value` is allowed."""
    if not allowed.admits(value):
        raise reject(field, value, allowed)


def suggest(word: str, known: Collection[str]) -> str:
    """Name the nearest known word, or all of them when nothing is near."""
    nearest = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(sorted(known))}"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Base of the environments' configurations: immutable, checked when built."""

    entries: ClassVar[Mapping[str, Entry]] = {}
    """The observation, in its order."""
    outcomes: ClassVar[Outcomes]
    """What a step brings beside the observation."""
    length_field: ClassVar[str] = "steps"
    """The field that holds the steps of an episode."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            allowed = field.metadata.get("allowed")
            value = plain(getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            if allowed is not None:
                check(field.name, value, allowed)

    @property
    def steps(self) -> int:
        """Steps of an episode."""
        raise NotImplementedError

    @property
    def sizes(self) -> Mapping[str, int]:
        """Size of each axis of the observation, by the papers' letter."""
        raise NotImplementedError

    @property
    def observation_shapes(self) -> dict[str, tuple[int, ...]]:
        """Logical shape of each observation entry (the entries themselves are flat, row-major)."""
        return {name: entry.shape(self.sizes) for name, entry in self.entries.items()}

    @property
    def observation_bounds(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest value of each observation entry."""
        return {name: entry.bounds(self) for name, entry in self.entries.items()}

    @property
    def reward_weights(self) -> Floats:
        """Weight of each term of the reward: the field `…_weight`, 1 where there is none."""
        terms = self.outcomes.reward_terms
        return np.array([getattr(self, f"{term}_weight", 1.0) for term in terms], np.float64)

    @property
    def counts(self) -> dict[str, int]:
        """Every field that is an integer by its declaration, sizes of arrays for the most part."""
        fields = dataclasses.fields(self)
        whole = [field for field in fields if isinstance(field.metadata.get("allowed"), Whole)]
        return {field.name: getattr(self, field.name) for field in whole}

    @property
    def recorded(self) -> tuple[str, ...]:
        """Fields that take recorded data: positions, channels, arrivals."""
        fields = dataclasses.fields(self)
        return tuple(
            field.name for field in fields if isinstance(field.metadata.get("allowed"), Recorded)
        )

    @property
    def files(self) -> dict[str, str]:
        """Path of every file or folder of data that is named, by field."""
        names = [*self.recorded, "data_path"]
        values = {name: getattr(self, name, None) for name in names}
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def override(self, **fields: Any) -> Self:
        """Return a copy with some fields replaced.

        Raises:
            UnknownFieldError: a field is unknown (the nearest name is given); a `TypeError` and a
                `ValueError`.
            ValueError: a value is out of range.
        """
        known = {field.name for field in dataclasses.fields(self)}
        for name in fields:
            if name not in known:
                hint = self._place_of(name) or suggest(name, known)
                raise UnknownFieldError(
                    f"{type(self).__name__} got an unexpected keyword argument {name!r}: {hint}"
                )
        return dataclasses.replace(self, **fields)

    def _place_of(self, name: str) -> str | None:
        """Say where to give what Gymnasium knows by this name, None if it knows no such name."""
        return {
            "max_episode_steps": f"the length of an episode is {self.length_field}",
            "max_steps": f"the length of an episode is {self.length_field}",
            "seed": "seeds go to reset(seed=...)",
            "render_mode": "it is an argument of the environment, beside the scenario",
            "num_envs": "only a vector environment has sub-environments",
            "n_envs": "only a vector environment has sub-environments, num_envs of them",
            "num_threads": "only a vector environment has threads",
            "autoreset_mode": "only a vector environment restarts by itself",
        }.get(name)

    def to_dict(self) -> dict[str, Any]:
        """Return every field with its plain value, in the order of declaration."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def with_fields(self, fields: Mapping[str, Any]) -> Self:
        """Do as `override` with fields as files have them, where infinity may be text.

        Raises:
            ValueError: a field is unknown (the nearest name is given) or out of range.
            TypeError: `fields` is no mapping of names to values.
        """
        fields = _by_name(fields)
        usual = {field.name: field.default for field in dataclasses.fields(self)}
        words = ("inf", "-inf", "Infinity", "-Infinity")
        return self.override(
            **{
                name: float(value)
                if isinstance(usual.get(name), float) and isinstance(value, str) and value in words
                else value
                for name, value in fields.items()
            }
        )

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Build a configuration from some of its fields; the others have their defaults.

        Raises:
            ValueError: a field is unknown (the nearest name is given) or out of range.
            TypeError: `fields` is no mapping of names to values.
        """
        return cls().with_fields(fields)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a configuration of an environment from a TOML, JSON or YAML file.

        The file has the fields that differ, by name. `scenario` may name the preset that they
        differ from, otherwise these are the defaults; `environment` may say which one it is for.
        Paths in it are relative to the working directory. A file of more than 1 MiB is refused.

        Raises:
            OSError: the file is missing or cannot be opened.
            ValueError: it is damaged, of another environment, or a field is wrong; the path is
                named.
            ImportError: it is YAML, and PyYAML (the extra `yaml`) is not installed.
            TypeError: this is no configuration of an environment.
        """
        from mec_moe_env.scenarios import read_config_file, table_of

        config: Self = read_config_file(Path(path)).config(Path(path), table_of(cls))
        return config

    def to_file(self, path: str | Path) -> None:
        """Write every field to a TOML, JSON or YAML file, by the suffix, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
            ValueError: the suffix is another, or a field holds what files cannot, such as a task
                stream of one's own.
            ImportError: it is to be YAML, and PyYAML (the extra `yaml`) is not installed.
            TypeError: this is no configuration of an environment.
        """
        from mec_moe_env.scenarios import write_config_file

        write_config_file(Path(path), self)


def _by_name(fields: object) -> dict[str, Any]:
    """Return fields by their names, or raise a TypeError if this is no mapping of such."""
    if not isinstance(fields, Mapping):
        raise TypeError(f"fields must be a mapping of names to values, got {shown(fields)}")
    for name in fields:
        if not isinstance(name, str):
            raise TypeError(f"the name of a field must be text, got {shown(name)}")
    return dict(fields)


AnyConfig = TypeVar("AnyConfig", bound=Config)


def keep_fixed(config: Config, toy: Config, free: Collection[str]) -> None:
    """Check that a config changes nothing that a toy scenario fixes by hand, or that it ignores.

    Args:
        config: the scenario that is asked for.
        toy: the preset.
        free: fields that do something in it.

    Raises:
        ValueError: another field was changed.
    """
    for field in dataclasses.fields(toy):
        value, expected = getattr(config, field.name), getattr(toy, field.name)
        if value != expected and field.name not in free:
            allowed = (
                f"{shown(expected)} in the toy scenario, which is fixed but for {', '.join(free)}"
            )
            raise reject(field.name, value, allowed)


def resolve(
    scenario: str | AnyConfig | Mapping[str, Any],
    presets: Mapping[str, AnyConfig],
    overrides: Mapping[str, Any],
) -> AnyConfig:
    """Turn a preset's name, a config or a mapping of fields, plus overrides, into a config.

    A mapping may name a preset, or hold a config, as its own `scenario`; without one its fields
    replace the defaults. So does a config that went through the JSON of an environment's spec.

    Raises:
        ValueError: the preset or a field is unknown, or a value is out of range.
        TypeError: `scenario` is none of these.
    """
    kind = type(next(iter(presets.values())))
    if isinstance(scenario, str):
        if scenario not in presets:
            raise ValueError(f"unknown scenario {scenario!r}: {suggest(scenario, presets)}")
        config = presets[scenario]
    elif isinstance(scenario, kind):
        config = scenario
    elif isinstance(scenario, Mapping):
        fields = _by_name(scenario)
        base = fields.pop("scenario", None)
        config = kind().override(**fields) if base is None else resolve(base, presets, fields)
    else:
        raise TypeError(
            f"scenario must be a preset's name, a {kind.__name__} or a mapping of its fields, "
            f"got {shown(scenario)}"
        )
    return config.override(**overrides)
