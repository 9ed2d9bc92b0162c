"""From `--set field=value` to config fields."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

TEXT_FIELDS = ("tasks", "data_path", "gates")


def parse_overrides(settings: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Parse settings like `horizon=100`, `doppler_hz=inf`, `payload_mbit=0.2,1.0`.

    Whether a field exists and admits the value is for the config to say.

    Raises:
        ValueError: a setting has no `=`.
    """
    overrides = {}
    for setting in settings:
        field, separator, text = setting.partition("=")
        if not separator or not field:
            raise ValueError(f"{option} expects FIELD=VALUE, got {setting!r}")
        overrides[field.strip()] = parse_value(field.strip(), text.strip())
    return overrides


def parse_value(field: str, text: str) -> Any:
    """Read a number, a tuple of numbers, None, inf, or plain text."""
    if text == "None":
        return None
    if field in TEXT_FIELDS:
        return text
    if text in ("inf", "-inf"):
        return math.inf if text == "inf" else -math.inf
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return tuple(value) if isinstance(value, list) else value
