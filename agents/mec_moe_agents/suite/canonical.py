"""Documents that are the same text wherever they are written, and their checksums."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from mec_moe_agents.environments import ENVIRONMENTS, environment_of
from mec_moe_env.config import Config, resolve, suggest


def describe(config: Config) -> dict[str, Any]:
    """Return every field of a configuration as JSON has it; infinity is the text "inf".

    Raises:
        ValueError: a field has no JSON form, such as a task stream of one's own.
    """
    fields = {}
    for name, value in config.to_dict().items():
        given = "inf" if value == math.inf else value
        try:
            fields[name] = json.loads(json.dumps(given, allow_nan=False))
        except TypeError as error:
            raise ValueError(f"{name} = {value!r} has no JSON form") from error
    return fields


def config_of(environment_id: str, described: Mapping[str, Any]) -> Config:
    """Rebuild a configuration from `describe`.

    Raises:
        ValueError: there is no such environment, or a field is unknown or out of range.
    """
    by_id = {environment.id: environment for environment in ENVIRONMENTS}
    if environment_id not in by_id:
        raise ValueError(
            f"unknown environment {environment_id!r}: {suggest(environment_id, by_id)}"
        )
    fields = {name: math.inf if value == "inf" else value for name, value in described.items()}
    config: Config = resolve(fields, by_id[environment_id].presets, {})
    return config


def identity(config: Config) -> str | None:
    """Return what two configurations share only if they are equal; None if one has no JSON form."""
    try:
        return canonical({"environment": environment_of(config).id, "config": describe(config)})
    except ValueError:
        return None


def canonical(document: Mapping[str, Any]) -> str:
    """Write a document as JSON with sorted keys and without blanks."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def checksum(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical JSON."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()
