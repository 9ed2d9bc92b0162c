"""What scenarios are called: `digits` is Offloading's, `dmoe/paper` DMoE's, in every command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mec_moe_agents.environments import ENVIRONMENTS, OFFLOADING, Environment
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import resolve, suggest

AnyConfig = OffloadingConfig | DMoEConfig
SEPARATOR = "/"
"""Between an environment's name and a preset's, so that no two environments share one."""
UNRANKED = ("toy", "continual", "mec-norm", "teacher", "mnist-5k")
"""For documentation and tests, or for one question (`mec-moe reproduce`): ranked only by name."""
NEEDS_FILES = "mnist"
"""Takes part where its data are given."""


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


def find_preset(env: str | None, scenario: str) -> tuple[Environment, str]:
    """Return the environment of a scenario, and the name of its preset there.

    Args:
        env: an environment, in which a scenario may be called by its preset's name alone; None
            is that of the scenario's name, Offloading where it names none.
        scenario: a preset, or `ENVIRONMENT/PRESET`.

    Raises:
        ValueError: environment or scenario are unknown (the nearest name is given), or the
            scenario is of another environment.
    """
    environments = {environment.name: environment for environment in ENVIRONMENTS}
    if env is not None and env not in environments:
        raise ValueError(f"unknown environment {env!r}: {suggest(env, environments)}")
    prefix, separator, preset = scenario.rpartition(SEPARATOR)
    where = prefix if separator else env or OFFLOADING.name
    if where not in environments or preset not in environments[where].presets:
        raise ValueError(f"unknown scenario {scenario!r}: {_nearest(env, scenario)}")
    if env not in (None, where):
        raise ValueError(f"scenario {scenario!r} is not one of --env {env}")
    return environments[where], preset


def _nearest(env: str | None, scenario: str) -> str:
    """Name the scenario that was perhaps meant: the same in another environment, or the nearest."""
    known = presets()
    namesakes = [name for name in known if name.rpartition(SEPARATOR)[2] == scenario]
    if namesakes:
        return f"did you mean {namesakes[0]!r}?"
    here = next((each.presets for each in ENVIRONMENTS if each.name == env), known)
    return suggest(scenario, here)


def find_config(env: str | None, scenario: str, overrides: Mapping[str, Any]) -> AnyConfig:
    """Find a scenario, see `find_preset`, and override its fields.

    Raises:
        ValueError: environment, scenario or a field are wrong; the nearest name is given.
    """
    environment, preset = find_preset(env, scenario)
    config: AnyConfig = resolve(preset, environment.presets, overrides)
    return config


def parse_scenarios(names: str, mnist: Path | None = None) -> dict[str, AnyConfig]:
    """Split names at commas; `all`, `offloading` and `dmoe` stand for all presets in question.

    MNIST takes part where its data are given.

    Raises:
        ValueError: no scenario is named, one is unknown (the nearest is given) or lacks its data.
    """
    known = presets()
    ranked = {}
    for environment in ENVIRONMENTS:
        here = [preset for preset in environment.presets if preset not in UNRANKED]
        given = [preset for preset in here if preset != NEEDS_FILES or mnist is not None]
        ranked[environment.name] = [scenario_name(environment.name, preset) for preset in given]
    groups = {"all": [name for group in ranked.values() for name in group], **ranked}
    members = [member for name in split_names(names) for member in groups.get(name, [name])]
    if not members:
        raise ValueError("--scenario names no scenario")
    found = {}
    for member in members:
        environment, preset = find_preset(None, member)
        name = scenario_name(environment.name, preset)
        found[name] = _with_files(known[name], mnist) if preset == NEEDS_FILES else known[name]
    return found


def _with_files(config: AnyConfig, mnist: Path | None) -> AnyConfig:
    if mnist is None:
        raise ValueError(f"scenario {NEEDS_FILES!r} reads local files: give their path by --mnist")
    return config.override(data_path=str(mnist))
