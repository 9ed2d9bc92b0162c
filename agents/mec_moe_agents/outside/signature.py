"""What can be given to whatever builds an agent: read from its signature and its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from mec_moe_agents.agent import CatalogueEntry, Seed, row_seeds
from mec_moe_agents.outside.errors import AgentError
from mec_moe_env.config import Config, plain, suggest

PASSED = ("config", "env", "seed", "seeds")
"""Parameters that are filled in by name: the configuration, the environment, a seed for each row or
one for all, and a list with a seed for each row."""
PLAIN: Mapping[str, type] = MappingProxyType({"bool": bool, "int": int, "float": float, "str": str})
"""Annotations that an option is held to."""
ENTRY = re.compile(r"^(\s+)\**(\w+)(?: \([^)]*\))?: (.*)$")
"""A line of `Args:` in a docstring, after Google's convention."""


class Option(NamedTuple):
    """A keyword argument of an agent."""

    name: str
    type: str
    """As it is annotated."""
    default: Any
    meaning: str
    """From the docstring; empty where it says nothing."""


def parameters_of(build: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a class or function; none if Python does not know them."""
    try:
        return inspect.signature(build).parameters
    except (TypeError, ValueError):
        return {}


def options_of(sources: Sequence[Callable[..., Any]]) -> list[Option]:
    """Return the parameters that have a default, each as the first source has it.

    What a parameter means any of the sources may say.
    """
    meanings: dict[str, str] = {}
    for source in sources:
        meanings = argument_docs(inspect.getdoc(source) or "") | meanings
    found: dict[str, Option] = {}
    for source in sources:
        for name, parameter in parameters_of(source).items():
            if name in PASSED or name in found or parameter.default is parameter.empty:
                continue
            kind = _annotation(parameter.annotation)
            found[name] = Option(name, kind, parameter.default, meanings.get(name, ""))
    return list(found.values())


def entry_options(
    entry: CatalogueEntry, given: Mapping[str, Any] = MappingProxyType({})
) -> list[Option]:
    """Return the options of an agent; which there are may depend on those that are given."""
    further = [] if entry.forwards is None else [entry.forwards(given)]
    return options_of([*entry.takes, *further])


def argument_docs(doc: str) -> dict[str, str]:
    """Return what a docstring says of each argument under `Args:`."""
    _, _, section = doc.partition("Args:\n")
    found: dict[str, str] = {}
    name, margin = "", None
    for line in section.splitlines():
        entry = ENTRY.match(line)
        if entry and len(entry[1]) <= (margin if margin is not None else len(entry[1])):
            margin, name = len(entry[1]), entry[2]
            found[name] = entry[3]
        elif name and line.strip() and line.startswith(" " * ((margin or 0) + 1)):
            found[name] += f" {line.strip()}"
        else:
            break
    return found


def _annotation(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")


def takes_anything(sources: Sequence[Callable[..., Any]]) -> bool:
    """Tell whether one has `**options`, so that nobody knows which there are."""
    return any(
        parameter.kind is parameter.VAR_KEYWORD
        for source in sources
        for parameter in parameters_of(source).values()
    )


def check_options(agent: str, options: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse options that there are not.

    Raises:
        AgentError: there is no such option; the nearest is given.
    """
    for name in options:
        if name not in known:
            hint = suggest(name, known) if known else "it has none"
            raise AgentError(f"agent {agent!r} has no option {name!r}: {hint}")


def check_unreserved(agent: str, options: Mapping[str, Any]) -> None:
    """Refuse options by names that are filled in for every agent.

    Raises:
        AgentError: one is among `PASSED`.
    """
    for name in PASSED:
        if name in options:
            raise AgentError(
                f"agent {agent!r} has no option {name!r}: it gets that from who runs it"
            )


def converted(agent: str, parameter: inspect.Parameter | None, value: Any) -> Any:
    """Return an option as it is annotated, if that is a number, a truth or a text.

    Raises:
        AgentError: it is something else.
    """
    kind = "" if parameter is None else _annotation(parameter.annotation)
    if kind not in PLAIN or value is None:
        return value
    given = plain(value)
    if kind == "float" and isinstance(given, int) and not isinstance(given, bool):
        return float(given)
    fits = isinstance(given, PLAIN[kind]) and isinstance(given, bool) == (kind == "bool")
    if not fits:
        assert parameter is not None
        raise AgentError(
            f"agent {agent!r}: {parameter.name} = {value!r} is not allowed: it must be {kind}"
        )
    return given


def call_with(
    build: Callable[..., Any],
    name: str,
    config: Config,
    env: Any,
    seed: Seed,
    options: Mapping[str, Any],
) -> Any:
    """Build an agent: what it takes of `PASSED` by name, or else the configuration first.

    Raises:
        ValueError: there is no such option, one is not as it is annotated, or something that it
            needs is not given.
    """
    parameters = parameters_of(build)
    rows = getattr(env, "num_envs", 1)
    passed: dict[str, Any] = {"config": config, "env": env, "seed": seed}
    if "seeds" in parameters:
        passed["seeds"] = row_seeds(seed, rows)
    known = [each for each in parameters if each not in PASSED]
    if not takes_anything([build]):
        check_options(name, options, known)
    chosen = {key: converted(name, parameters.get(key), value) for key, value in options.items()}
    given = {each: passed[each] for each in parameters if each in passed} | chosen
    first = next(iter(parameters.values()), None)
    leading = [] if given.keys() & set(PASSED) or first is None else [config]
    positional = [first.name] if leading and first is not None else []
    missing = [
        parameter.name
        for parameter in parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in (*given, *positional)
    ]
    if missing:
        raise ValueError(
            f"agent {name!r} needs {', '.join(missing)}: it gets what it takes of "
            f"{', '.join(PASSED)}, and options in brackets, {name}[{missing[0]}=…]"
        )
    return build(*leading, **given)
