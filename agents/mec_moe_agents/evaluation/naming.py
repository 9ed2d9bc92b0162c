"""What scenarios are called: `digits` is Offloading's, `dmoe/paper` DMoE's, in every command."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mec_moe_agents.environments import ENVIRONMENTS, OFFLOADING, Environment
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import resolve, suggest
from mec_moe_env.scenarios import read_config_file

AnyConfig = OffloadingConfig | DMoEConfig
SEPARATOR = "/"
"""Between an environment's name and a preset's, so that no two environments share one."""
UNRANKED = ("toy", "continual", "mec-norm", "teacher", "mnist-5k")
"""For documentation and tests, or for one question (`mec-moe reproduce`): ranked only by name."""
NEEDS_FILES = "mnist"
"""Takes part where its data are given."""


class Chosen(NamedTuple):
    """A scenario that was asked for."""

    environment: Environment
    preset: str
    """The scenario of the environment that is changed, if it is."""
    name: str
    """What it is called; after its file if no scenario was named."""
    config: AnyConfig


def split_names(text: str) -> list[str]:
    """Split at commas, without blanks and empty names."""
    return [name for part in text.split(",") if (name := part.strip())]


def scenario_name(env: str, preset: str) -> str:
    """Return what a preset is called among all scenarios."""
    return preset if env == OFFLOADING.name else f"{env}{SEPARATOR}{preset}"


def presets() -> dict[str, AnyConfig]:
    """Return the presets of all environments by their scenarios' names."""
    return {
        scenario_name(environment.name, preset): config
        for environment in ENVIRONMENTS
        for preset, config in environment.presets.items()
    }


def named_config(scenario: str) -> AnyConfig | None:
    """Return the scenario of a name as `scenario_name` gives it, None if there is none."""
    prefix, _, name = scenario.rpartition(SEPARATOR)
    for environment in ENVIRONMENTS:
        if environment.name == (prefix or OFFLOADING.name):
            config: AnyConfig | None = environment.scenarios.get(name)
            return config
    return None


def find_preset(env: str | None, scenario: str) -> tuple[Environment, str]:
    """Return the environment of a scenario, and the name of its preset there.

    Args:
        env: an environment, in which a scenario may be called by its preset's name alone; None
            is that of the scenario's name, Offloading where it names none.
        scenario: a preset or a registered scenario, or `ENVIRONMENT/PRESET`.

    Raises:
        ValueError: environment or scenario are unknown (the nearest name is given), or the
            scenario is of another environment.
    """
    environments = {environment.name: environment for environment in ENVIRONMENTS}
    if env is not None and env not in environments:
        raise ValueError(f"unknown environment {env!r}: {suggest(env, environments)}")
    prefix, separator, preset = scenario.rpartition(SEPARATOR)
    where = prefix if separator else env or OFFLOADING.name
    if where not in environments or preset not in environments[where].scenarios:
        raise ValueError(f"unknown scenario {scenario!r}: {_nearest(env, scenario)}")
    if env not in (None, where):
        raise ValueError(f"scenario {scenario!r} is not one of --env {env}")
    return environments[where], preset


def _nearest(env: str | None, scenario: str) -> str:
    """Name the scenario that was perhaps meant: the same in another environment, or the nearest."""
    known = {
        scenario_name(each.name, name): None for each in ENVIRONMENTS for name in each.scenarios
    }
    namesakes = [name for name in known if name.rpartition(SEPARATOR)[2] == scenario]
    if namesakes:
        return f"did you mean {namesakes[0]!r}?"
    here = next((list(each.scenarios) for each in ENVIRONMENTS if each.name == env), list(known))
    return suggest(scenario, here)


def find_config(env: str | None, scenario: str, overrides: Mapping[str, Any]) -> AnyConfig:
    """Find a scenario, see `find_preset`, and override its fields.

    Raises:
        ValueError: environment, scenario or a field are wrong; the nearest name is given.
    """
    environment, preset = find_preset(env, scenario)
    config: AnyConfig = resolve(preset, environment.scenarios, overrides)
    return config


def choose(
    env: str | None, scenario: str | None, overrides: Mapping[str, Any], file: Path | None = None
) -> Chosen:
    """Find the scenario that is asked for by a name, by a file, or by a file that changes a name's.

    Args:
        env: an environment, see `find_preset`; a file's own, Offloading where neither says it.
        scenario: its name; of the one that the file changes, if both are given.
        overrides: fields that are otherwise.
        file: of a configuration, see `Config.from_file`.

    Raises:
        OSError: the file is missing or cannot be opened.
        ValueError: a name, a field or the file is wrong, or neither a name nor a file is given.
        ImportError: the file is YAML, and PyYAML is not installed.
    """
    if file is None:
        if scenario is None:
            raise ValueError("name a scenario, or give the file of a configuration")
        environment, preset = find_preset(env, scenario)
        config = find_config(env, scenario, overrides)
        return Chosen(environment, preset, scenario_name(environment.name, preset), config)
    content = read_config_file(file)
    default = OFFLOADING.scenarios if content.table is None else content.table
    base = scenario or f"{env or default.name}{SEPARATOR}{content.scenario or 'default'}"
    environment, preset = find_preset(env, base)
    config = content.config(file, environment.scenarios, preset).override(**overrides)
    own = preset if scenario else re.sub(r"[^\w.-]+", "-", file.stem)
    return Chosen(environment, preset, scenario_name(environment.name, own), config)


def parse_scenarios(
    names: str, mnist: Path | None = None, files: Sequence[Path] = ()
) -> dict[str, AnyConfig]:
    """Split names at commas; `all`, `offloading` and `dmoe` stand for all presets in question.

    MNIST takes part where its data are given. Scenarios of files are called after them.

    Raises:
        OSError: a file is missing or cannot be opened.
        ValueError: no scenario is named, one is unknown (the nearest is given), named twice or
            lacks its data, or a file is wrong.
    """
    ranked = {}
    for environment in ENVIRONMENTS:
        here = [preset for preset in environment.presets if preset not in UNRANKED]
        given = [preset for preset in here if preset != NEEDS_FILES or mnist is not None]
        ranked[environment.name] = [scenario_name(environment.name, preset) for preset in given]
    groups = {"all": [name for group in ranked.values() for name in group], **ranked}
    members = [member for name in split_names(names) for member in groups.get(name, [name])]
    if not members and not files:
        raise ValueError("--scenario names no scenario")
    found: dict[str, AnyConfig] = {}
    for member in members:
        chosen = choose(None, member, {})
        needs_files = chosen.preset == NEEDS_FILES
        found[chosen.name] = _with_files(chosen.config, mnist) if needs_files else chosen.config
    for file in files:
        chosen = choose(None, None, {}, file)
        if chosen.name in found:
            raise ValueError(f"{file}: there is another scenario {chosen.name!r}; rename the file")
        found[chosen.name] = chosen.config
    return found


def _with_files(config: AnyConfig, mnist: Path | None) -> AnyConfig:
    if mnist is None:
        raise ValueError(f"scenario {NEEDS_FILES!r} reads local files: give their path by --mnist")
    return config.override(data_path=str(mnist))
