"""Fields of a configuration as a table."""

from __future__ import annotations

from collections.abc import Sequence

from mec_moe_env.config import Config
from mec_moe_env.fields import describe
from pagemaker.markdown import code, table


def fields_table(config: Config, names: Sequence[str]) -> str:
    """Write fields with default, unit, range and meaning."""
    rows = [
        [code(each.name), code(each.value), each.unit, each.allowed, each.meaning]
        for each in describe(config, names)
    ]
    return table(["field", "default", "unit", "allowed", "meaning"], rows)
