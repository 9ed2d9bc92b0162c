"""A dataclass of settings as command-line options, for scripts of one file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")


def read_arguments(
    settings: type[Settings], description: str | None, line: Sequence[str] | None = None
) -> Settings:
    """Build `settings` from the command line; every field becomes an option.

    Args:
        settings: a dataclass whose fields have defaults; each option takes the default's type.
        description: the script's docstring; `--help` shows its first paragraph.
        line: the options, those of the process if None.

    Raises:
        SystemExit: an option is unknown or not of its type, or help was asked for.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n\n")[0])
    for field in fields(settings):
        option, default = f"--{field.name.replace('_', '-')}", field.default
        flag = {"action": argparse.BooleanOptionalAction}
        kind: Any = flag if isinstance(default, bool) else {"type": type(default)}
        parser.add_argument(option, default=default, help="default: %(default)s", **kind)
    return settings(**vars(parser.parse_args(line)))
