"""What a configuration has otherwise than its preset: in titles, in names of folders, in errors."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mec_moe_env.config import Config

LONGEST_SUFFIX = 40
PLAIN = re.compile(r"[\w.,=+-]+", re.ASCII)
"""What every file system and shell takes as it is."""
PATHS = ("data_path", "positions", "channel_trace", "arrivals")
MOST_DIFFERENCES = 3


def changed_settings(before: Config, now: Config) -> dict[str, str]:
    """Return the fields that differ, each value as `--set` takes it."""
    earlier = before.to_dict()
    return {
        name: setting_text(value) for name, value in now.to_dict().items() if value != earlier[name]
    }


def setting_text(value: Any) -> str:
    """Write a value as `--set` takes it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def in_words(settings: Mapping[str, str]) -> str:
    """Write settings for a title: `horizon=100, doppler_hz=inf`; of a path its last part."""
    shown = {name: Path(text).name if name in PATHS else text for name, text in settings.items()}
    return ", ".join(f"{name}={text}" for name, text in shown.items())


def suffix(settings: Mapping[str, str]) -> str:
    """Return an end for the name of a folder, which no other settings have; empty without any.

    The settings themselves where they are short and plain, otherwise a digest of them.
    """
    if not settings:
        return ""
    text = "-".join(f"{name}={value}" for name, value in settings.items())
    if len(text) <= LONGEST_SUFFIX and PLAIN.fullmatch(text):
        return f"-{text}"
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    return f"-{digest[:8]}"


def file_stem(name: str) -> str:
    """Return a name for a file that stands for an agent: its own, or its end with a digest."""
    if PLAIN.fullmatch(name) and len(name) <= LONGEST_SUFFIX:
        return name
    plain = re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII).strip("-.")
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{plain[-LONGEST_SUFFIX:]}-{digest[:8]}"


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Say in which fields two descriptions differ, three at most; empty where they do not."""
    found = [
        f"{name} = {there.get(name)} there, {here.get(name)} here"
        for name in {**here, **there}
        if there.get(name) != here.get(name)
    ]
    return "; ".join(found[:MOST_DIFFERENCES])
