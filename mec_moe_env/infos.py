"""Infos of many sub-environments in the form of Gymnasium's vector environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mec_moe_env.rows import Flags


def blanked(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    """Return infos with zeros in the rows that are not present."""
    if present.all():
        return dict(infos)
    result: dict[str, Any] = {}
    for key, value in infos.items():
        if isinstance(value, dict):
            result[key] = blanked(value, present)
        else:
            rows = present.reshape((-1,) + (1,) * (value.ndim - 1))
            result[key] = np.where(rows, value, np.zeros((), value.dtype))
    return result


def presented(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    """Return infos as Gymnasium's vector environments do: absent rows zero, and `_key` masks."""
    return _with_masks(blanked(infos, present), present)


def _with_masks(infos: Mapping[str, Any], present: Flags) -> dict[str, Any]:
    result: dict[str, Any] = {}
    copies = np.repeat(present[np.newaxis], len(infos), axis=0)
    for (key, value), copy in zip(infos.items(), copies, strict=True):
        result[key] = _with_masks(value, present) if isinstance(value, dict) else value
        result[f"_{key}"] = copy
    return result
