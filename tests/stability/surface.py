"""What users may rely on, as one document that a test compares with the code.

    python -m tests.stability.surface    write it anew, after a change that is meant

Names and signatures, ids, spaces, info keys, fields, commands and their options; what files hold
is in `files.py`.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import typer
from mec_moe_agents.cli import app
from mec_moe_agents.outside.signature import entry_options
from mec_moe_agents.registry import catalogue
from pagemaker.api import MODULES, public_names

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from mec_moe_env.files import write_json
from tests.stability.files import files

KEPT = Path(__file__).with_name("surface.json")

Surface = dict[str, Any]


def surface() -> Surface:
    """Return everything that is promised, as JSON has it."""
    return {
        "names": {module: names_of(module) for module in MODULES},
        "ids": registered_ids(),
        "fields": {each.__name__: fields_of(each) for each in (OffloadingConfig, DMoEConfig)},
        "presets": {"offloading": sorted(OFFLOADING_PRESETS), "dmoe": sorted(DMOE_PRESETS)},
        "spaces": {name: spaces_of(name) for name in environments()},
        "info": {name: info_of(name) for name in environments()},
        "agents": {name: agents_of(name) for name in environments()},
        "commands": commands(),
        "files": files(),
    }


def environments() -> tuple[str, ...]:
    """Return the ids of both environments."""
    return ("mec_moe/Offloading-v0", "mec_moe/DMoE-v0")


def names_of(module: str) -> dict[str, Any]:
    """Return the public names of a module with what is promised of each."""
    home = import_module(module)
    return {name: described(getattr(home, name)) for name in sorted(public_names(module))}


def described(value: Any) -> Any:
    """Return the signature of a function; of a class also its public members."""
    if inspect.isclass(value):
        return {"call": construction(value), **members(value)}
    if callable(value):
        return signature(value)
    return type(value).__name__


def construction(cls: type) -> str:
    """Return the parameters of a class, or whose they are: other packages change theirs."""
    made_by = next(base for base in cls.__mro__ if {"__init__", "__new__"} & set(vars(base)))
    package = made_by.__module__.partition(".")[0]
    return f"as {package}'s {made_by.__name__}" if package == "gymnasium" else signature(cls)


def members(cls: type) -> dict[str, str]:
    """Return what a class defines of its own, not what it inherits from other packages."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith("mec_moe")]
    found: dict[str, str] = {}
    for base in reversed(ours):
        for name, member in vars(base).items():
            if name.startswith("_"):
                continue
            if isinstance(member, property):
                found[name] = "property"
            elif isinstance(member, classmethod | staticmethod):
                found[name] = f"{type(member).__name__} {signature(member.__func__)}"
            elif inspect.isfunction(member):
                found[name] = signature(member)
    return dict(sorted(found.items()))


def signature(function: Any) -> str:
    """Return the parameters with their defaults; annotations say little about compatibility."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "()"
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    return stable(str(inspect.Signature(bare)))


def stable(text: str) -> str:
    """Cut the address out of a default's repr, as no two processes share it."""
    head, address, tail = text.partition(" at 0x")
    return f"{head}{stable(tail[tail.index('>') :])}" if address else text


def registered_ids() -> dict[str, Any]:
    """Return our ids with what they are registered for."""
    return {
        name: {
            "entry_point": str(spec.entry_point),
            "vector_entry_point": str(spec.vector_entry_point),
            "max_episode_steps": spec.max_episode_steps,
        }
        for name, spec in sorted(gym.registry.items())
        if spec.namespace == "mec_moe"
    }


def fields_of(config: type) -> dict[str, str]:
    """Return the fields of a configuration with type and default."""
    default = config()
    return {
        each.name: f"{each.type} = {getattr(default, each.name)!r}"
        for each in dataclasses.fields(config)
    }


def spaces_of(name: str) -> Mapping[str, str]:
    """Return the spaces of the default configuration."""
    env = gym.make(name).unwrapped
    entries = {
        f"observation.{key}": f"{space.dtype}{list(space.shape or ())}"
        for key, space in dict(env.observation_space.spaces).items()  # type: ignore[attr-defined]
    }
    return {**entries, "action": repr(env.action_space)}


def info_of(name: str) -> dict[str, dict[str, str]]:
    """Return the keys of info after reset, after a step and at an episode's end, with types."""
    env = gym.make(name).unwrapped
    _, first = env.reset(seed=0)
    rng = np.random.default_rng(0)
    mask = rng.integers(env.action_space.nvec)  # type: ignore[attr-defined]
    _, _, over, _, later = env.step(mask)
    while not over:
        _, _, over, _, last = env.step(mask)
    return {"reset": kinds(first), "step": kinds(later), "end": kinds(last)}


def kinds(info: Mapping[str, Any]) -> dict[str, str]:
    """Return the type of each entry, of arrays also their dtype and number of axes."""
    return {
        key: f"{value.dtype}, {value.ndim} axes"
        if isinstance(value, np.ndarray)
        else type(value).__name__
        for key, value in sorted(info.items())
    }


def agents_of(name: str) -> dict[str, list[str]]:
    """Return the agents of an environment with the names of their options."""
    config = OffloadingConfig() if "Offloading" in name else DMoEConfig()
    return {
        agent: sorted(option.name for option in entry_options(entry))
        for agent, entry in sorted(catalogue(config).items())
    }


def commands() -> dict[str, dict[str, list[str]]]:
    """Return the commands with their options."""
    root: Any = typer.main.get_command(app)
    return dict(sorted(options_below(root, "mec-moe")))


def options_below(group: Any, name: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield each command's full name and parameters; a hidden one is promised to nobody."""
    if hasattr(group, "commands"):
        for word, each in group.commands.items():
            yield from options_below(each, f"{name} {word}")
        return
    shown = [each for each in group.params if not getattr(each, "hidden", False)]
    yield name, {each.name: sorted([*each.opts, *each.secondary_opts]) for each in shown}


def differences(kept: Any, found: Any, place: str = "") -> list[str]:
    """Say what of `kept` is gone or otherwise, and what has been added."""
    if not (isinstance(kept, dict) and isinstance(found, dict)):
        return [] if kept == found else [f"{place}: was {kept!r}, is {found!r}"]
    gone = [f"{place}/{key}: gone" for key in kept.keys() - found.keys()]
    new = [f"{place}/{key}: new" for key in found.keys() - kept.keys()]
    inside = (differences(kept[key], found[key], f"{place}/{key}") for key in kept if key in found)
    return sorted([*gone, *new, *itertools.chain.from_iterable(inside)])


if __name__ == "__main__":
    before = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    now = surface()
    print(*differences(before, now), sep="\n")
    write_json(KEPT, now, indent=1)
