"""From a preset's name and overrides to a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from mec_moe_env.configuration import Config, suggest

AnyConfig = TypeVar("AnyConfig", bound=Config)


def resolve(
    scenario: str | AnyConfig | Mapping[str, Any],
    presets: Mapping[str, AnyConfig],
    overrides: Mapping[str, Any],
) -> AnyConfig:
    """Turn a preset's name or a config, plus overrides, into a config.

    Raises:
        ValueError: the preset or a field is unknown, or a value is out of range.
        TypeError: `scenario` is neither a name nor a config of this environment.
    """
    kind = type(next(iter(presets.values())))
    if isinstance(scenario, str):
        if scenario not in presets:
            raise ValueError(f"unknown scenario {scenario!r}: {suggest(scenario, presets)}")
        config = presets[scenario]
    elif isinstance(scenario, kind):
        config = scenario
    elif isinstance(scenario, Mapping):
        # A config that went through the JSON of an environment's spec.
        config = kind().override(**scenario)
    else:
        raise TypeError(f"scenario must be a preset's name or a {kind.__name__}, got {scenario!r}")
    return config.override(**overrides)
