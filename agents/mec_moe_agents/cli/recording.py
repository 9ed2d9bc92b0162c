"""How a command was called, in words that call it again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from mec_moe_agents.report.record import Invocation

WITHOUT_EFFECT = frozenset({"out", "markdown", "jobs", "fresh", "executor"})
"""Options that say where results go, or how they are computed, and change none of them."""


def invocation(ctx: typer.Context) -> Invocation:
    """Describe the command that begins now."""
    from mec_moe_agents.report.record import Invocation

    given, explicit = [], []
    for parameter in ctx.command.params:
        name = str(parameter.name)
        words = _words(parameter, ctx.params.get(name))
        source = ctx.get_parameter_source(name)
        given += words if source is not None and source.name == "COMMANDLINE" else []
        explicit += words if name not in WITHOUT_EFFECT else []
    path = ["mec-moe", *ctx.command_path.split()[1:]]
    command = " ".join(path[1:])
    return Invocation(command, shlex.join([*path, *given]), shlex.join([*path, *explicit]))


def _words(parameter: Any, value: Any) -> list[str]:
    """Write a parameter with its value as on a command line; nothing where there is none."""
    if value is None or value is False:
        return []
    if parameter.param_type_name == "argument":
        return [str(value)]
    option = max(parameter.opts, key=len)
    if value is True:
        return [option]
    values = value if isinstance(value, list | tuple) else [value]
    return [word for each in values for word in (option, str(each))]
