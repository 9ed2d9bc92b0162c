"""Scenarios by name: those that are shipped, those that were registered, those of other packages.

`gym.make(id, scenario=name)`, configuration files and the command line look names up here. There is
one table for each environment; `register_scenario` adds to it in this process alone. A package that
has entry points in the group `mec_moe.scenarios` adds to it in every process, so that the command
line and workers know its names, too:

    [project.entry-points."mec_moe.scenarios"]
    rural = "my_package.scenarios:RURAL"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from mec_moe_env.config import Config, suggest
from mec_moe_env.config_files import SUFFIXES, read_document, write_document
from mec_moe_env.dmoe.config import DMOE_PRESETS, DMoEConfig
from mec_moe_env.offloading.config import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.shown import shown

GROUP = "mec_moe.scenarios"
NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
"""What folders and command lines take as it is; a `/` stands after an environment's name."""
RESERVED = ("all", "offloading", "dmoe")
"""Stand for several scenarios on the command line."""
ENVIRONMENT, SCENARIO = "environment", "scenario"
"""What a file says beside fields: which environment it is for, and which scenario it changes."""

Kind = TypeVar("Kind", bound=Config)


class ScenarioTable(Mapping[str, Kind], Generic[Kind]):
    """The scenarios of one environment by name; iteration leaves out those of other packages.

    Args:
        name: of the environment on the command line.
        id: of the environment in Gymnasium.
        presets: that are shipped, at least one.
    """

    def __init__(self, name: str, id: str, presets: Mapping[str, Kind]) -> None:
        self.name = name
        self.id = id
        self.presets = presets
        self.kind = type(next(iter(presets.values())))
        self._registered: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        """Look a name up; the entry point of that name is loaded only now.

        Raises:
            KeyError: there is no such scenario.
            ValueError: the entry point is no configuration.
        """
        for known in (self.presets, self._registered):
            if name in known:
                return known[name]
        for point in entry_points(group=GROUP, name=name):
            config = point.load()
            if isinstance(config, self.kind):
                return config
            if not isinstance(config, Config):
                got = shown(config)
                raise ValueError(f"entry point {name!r} of {GROUP} must be a config, got {got}")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from (*self.presets, *self._registered)

    def __len__(self) -> int:
        return len(self.presets) + len(self._registered)

    def register(self, name: str, config: Kind) -> None:
        """Add a scenario, see `register_scenario`."""
        if not isinstance(name, str) or not NAME.fullmatch(name) or name in RESERVED:
            raise ValueError(
                f"name = {shown(name)} is not allowed: letters, digits, `.`, `_` and `-`, "
                f"and none of {', '.join(RESERVED)}"
            )
        if name.endswith(SUFFIXES):
            raise ValueError(
                f"name = {name!r} is not allowed: what ends in one of {', '.join(SUFFIXES)} "
                "is read as a file"
            )
        if name in self and self[name] != config:
            raise ValueError(f"{self.id} has another scenario {name!r}: take another name")
        if name not in self:
            self._registered[name] = config


OFFLOADING_SCENARIOS: ScenarioTable[OffloadingConfig] = ScenarioTable(
    "offloading", "mec_moe/Offloading-v0", OFFLOADING_PRESETS
)
DMOE_SCENARIOS: ScenarioTable[DMoEConfig] = ScenarioTable("dmoe", "mec_moe/DMoE-v0", DMOE_PRESETS)
TABLES: tuple[ScenarioTable[Any], ...] = (OFFLOADING_SCENARIOS, DMOE_SCENARIOS)


def register_scenario(name: str, config: OffloadingConfig | DMoEConfig) -> None:
    """Give a configuration a name, by which `gym.make(id, scenario=name)` finds it.

    The name is known in this process. A worker process that is spawned knows it if it imports the
    module that registers it: `gym.make("my_module:mec_moe/Offloading-v0", scenario=name)` does, or
    see the module's docstring for an entry point. What holds a configuration (an environment, a
    pickle) needs no name.

    Args:
        name: of letters, digits, `.`, `_` and `-`, without a suffix of files such as `.toml`; what
            is there already can be registered again, if it is equal.
        config: of either environment.

    Example:
        >>> from mec_moe_env import OffloadingConfig, OffloadingEnv, register_scenario
        >>> register_scenario("rural", OffloadingConfig(area_m=2000.0, doppler_hz=5.0))
        >>> OffloadingEnv("rural").config.area_m
        2000.0

    Raises:
        ValueError: the name is taken by another configuration, or is none.
        TypeError: `config` is of neither environment.
    """
    table_of(type(config)).register(name, config)


def plugin_names() -> list[str]:
    """Return the names of the scenarios of other packages; none of them is loaded."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def table_of(kind: type[Config]) -> ScenarioTable[Any]:
    """Return the scenarios of a kind of configuration.

    Raises:
        TypeError: it is of no environment.
    """
    for table in TABLES:
        if issubclass(kind, table.kind):
            return table
    raise TypeError(f"expected an OffloadingConfig or a DMoEConfig, got a {kind.__name__}")


class ConfigFile(NamedTuple):
    """What a file of a configuration says."""

    table: ScenarioTable[Any] | None
    """Of the environment that it is for, if it says so."""
    scenario: str | None
    """Name of the scenario that it changes, if it is not the environment's defaults."""
    fields: dict[str, Any]

    def config(self, path: Path, table: ScenarioTable[Any], scenario: str | None = None) -> Any:
        """Return the configuration of an environment; `scenario` is changed if the file names none.

        Raises:
            ValueError: the file is for another environment or another scenario, a name is unknown
                or a value is out of range; the path is named.
        """
        if self.table not in (None, table):
            raise ValueError(f"{path}: it is for {self.table.id}, not for {table.id}")
        if None not in (self.scenario, scenario) and self.scenario != scenario:
            raise ValueError(
                f"{path}: it changes scenario {self.scenario!r}, asked for is {scenario!r}"
            )
        name = self.scenario or scenario
        if name is not None and name not in table:
            raise ValueError(f"{path}: unknown scenario {name!r}: {suggest(name, table)}")
        base = table.kind() if name is None else table[name]
        try:
            return base.with_fields(self.fields)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def read_config_file(path: Path) -> ConfigFile:
    """Read a TOML, JSON or YAML file of fields, see `Config.from_file`.

    Raises:
        OSError: the file is missing or cannot be opened.
        ValueError: it is damaged, too large, or names an unknown environment.
        ImportError: it is YAML, and PyYAML is not installed.
    """
    fields = read_document(path)
    environment, scenario = fields.pop(ENVIRONMENT, None), fields.pop(SCENARIO, None)
    if scenario is not None and not isinstance(scenario, str):
        raise ValueError(f"{path}: {SCENARIO} = {shown(scenario)} must be a scenario's name")
    if environment is None:
        return ConfigFile(None, scenario, fields)
    for table in TABLES:
        if environment in (table.id, table.name):
            return ConfigFile(table, scenario, fields)
    known = [name for table in TABLES for name in (table.id, table.name)]
    raise ValueError(
        f"{path}: {ENVIRONMENT} = {shown(environment)} must be one of {', '.join(known)}"
    )


def write_config_file(path: Path, config: Config) -> None:
    """Write every field, and which environment it is for, see `Config.to_file`."""
    write_document(path, {ENVIRONMENT: table_of(type(config)).id, **config.to_dict()})
