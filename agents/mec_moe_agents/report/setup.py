"""A configuration that ran: the preset it comes from, what differs, and who met there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from mec_moe_agents.environments import ENVIRONMENTS, environment_of
from mec_moe_agents.evaluation.naming import presets
from mec_moe_agents.evaluation.overrides import in_words, setting_text
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.evaluation.store import data_digests
from mec_moe_agents.evaluation.summary import plain_config
from mec_moe_env.config import Config


@dataclass(frozen=True)
class Setup:
    """One scenario of a run, as JSON has it."""

    scenario: str
    environment: str
    """As Gymnasium has it."""
    preset: str
    """The one that the configuration comes from; where none is named, the nearest."""
    config: Mapping[str, Any]
    """Every field, but for those that a study varies."""
    overrides: Mapping[str, Sequence[Any]]
    """By field that differs: the preset's value, and the one of the run."""
    agents: Sequence[str] = ()
    varied: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """By field that a study varies: its values."""
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By agent from outside the catalogue: where it comes from, with digests and versions."""
    data: Mapping[str, str] = field(default_factory=dict)
    """By field that names a file or a folder of data: a digest of what was in it."""

    @property
    def label(self) -> str:
        """Its name, and what it has otherwise than the preset of that name."""
        if self.scenario != self.preset or not self.overrides:
            return self.scenario
        changed = {name: setting_text(_tupled(here)) for name, (_, here) in self.overrides.items()}
        return f"{self.scenario} with {in_words(changed)}"

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Describe a scenario whose name is that of a preset."""
        environment, config = environment_of(scenario.config), plain_config(scenario.config)
        known, name = presets(), scenario.name
        preset = name if name in known else _nearest([scenario.config])
        changed = _changes(known[preset], config)
        return cls(
            name,
            environment.id,
            preset,
            config,
            changed,
            list(scenario.agents),
            origins=scenario.origins,
            data=data_digests(scenario.config),
        )

    @classmethod
    def of_study(cls, name: str, configs: Sequence[Config]) -> Self:
        """Describe a study that runs configurations of one environment, one at least."""
        environment, preset = environment_of(configs[0]), _nearest(configs)
        plain = [plain_config(config) for config in configs]
        values = {field: _distinct(each[field] for each in plain) for field in plain[0]}
        config = {field: each[0] for field, each in values.items() if len(each) == 1}
        varied = {field: each for field, each in values.items() if len(each) > 1}
        changed = _changes(presets()[preset], config)
        data = {field: text for each in configs for field, text in data_digests(each).items()}
        return cls(name, environment.id, preset, config, changed, varied=varied, data=data)


def setups_of_rows(name: str, rows: Sequence[Mapping[str, object]]) -> list[Setup]:
    """Describe a study by the configurations, as JSON, that its rows carry; none if they do not."""
    configs = [
        _config_of(text) for text in _distinct(row["config"] for row in rows if "config" in row)
    ]
    return [Setup.of_study(name, configs)] if configs else []


def _config_of(text: str) -> Config:
    """Rebuild a configuration of whichever environment has these fields."""
    fields = json.loads(text)
    kinds = (environment.config for environment in ENVIRONMENTS)
    kind = next(each for each in kinds if each().to_dict().keys() == fields.keys())
    return kind(**fields)


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _distinct(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _nearest(configs: Sequence[Config]) -> str:
    """Name the preset from which all of them together differ in the fewest fields."""
    plain = [plain_config(each) for each in configs]
    known = {name: each for name, each in presets().items() if type(each) is type(configs[0])}

    def distance(name: str) -> int:
        return sum(len(_changes(known[name], each)) for each in plain)

    return min(known, key=distance)


def _changes(preset: Config, config: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return by field of `config` that differs from the preset both values."""
    plain = plain_config(preset)
    return {name: [plain[name], value] for name, value in config.items() if plain[name] != value}
