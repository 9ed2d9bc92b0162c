"""From where an agent is to be found to how it is described and built."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mec_moe_agents.agent import Agent, CatalogueEntry, Seed
from mec_moe_agents.outside import archive, code, training_run
from mec_moe_agents.outside.building import actor_of, builds, check_able, name_of
from mec_moe_agents.outside.errors import importing, naming
from mec_moe_agents.outside.signature import check_options, check_unreserved, entry_options
from mec_moe_env.config import Config


def is_outside(target: str) -> bool:
    """Tell whether a target is looked for outside of the catalogue."""
    found = target.endswith(archive.SUFFIX) or code.SEPARATOR in target or _is_folder(target)
    return found or target in code.plugins()


def _is_folder(target: str) -> bool:
    """Tell whether there is such a folder; no name at all is not the current one."""
    return bool(target) and Path(os.path.expanduser(target)).is_dir()


def find_outside(target: str, config: Config, *, trust_zip: bool) -> CatalogueEntry:
    """Describe an agent that is not in the catalogue.

    Raises:
        ValueError: there is no such module, file or name, its code cannot be read, or it is nothing
            that can act.
        OSError: a file is missing.
        ImportError: an extra, or something that the agent's code imports, is not installed.
    """
    place = os.path.expanduser(target)
    if target.endswith(archive.SUFFIX):
        return _of_archive(target, Path(place), trust_zip)
    if _is_folder(target):
        return _of_run(target, Path(place))
    with importing(f"agent {target!r}"):
        if code.SEPARATOR in target:
            return _of_code(target, code.load_code(place))
        return _of_code(target, code.load_plugin(code.plugins()[target]))


def hint(target: str) -> str:
    """Say what was perhaps meant by a name that is none; empty if nothing comes to mind."""
    if target.endswith(".py"):
        return f"{target} needs the name of its class: {target}:Class"
    if os.sep in target:
        return f"{target}: no such folder of a training run"
    return ""


def _of_code(target: str, loaded: code.Loaded) -> CatalogueEntry:
    thing = loaded.thing
    with naming(f"agent {target!r}"):
        check_able(thing)
    doc = (getattr(thing, "__doc__", None) or "").strip().partition("\n")[0]

    def build(config: Config, env: Any, seed: Seed, **options: Any) -> Agent:
        return actor_of(thing, target, env, seed, options, batched=True)

    return CatalogueEntry(
        doc or f"{name_of(thing)} of {target.rpartition(code.SEPARATOR)[0] or target}",
        build,
        contender=bool(getattr(thing, "contender", True)),
        serves=getattr(thing, "serves", lambda config: True),
        takes=(thing,) if builds(thing) else (),
        origin=loaded.origin,
        training_runs=int(getattr(thing, "training_runs", 0)),
    )


def _of_run(target: str, folder: Path) -> CatalogueEntry:
    def build(config: Config, env: Any, seed: Seed, **options: Any) -> Agent:
        check_options(target, options, ())
        return training_run.load_run(folder, config, env)

    return CatalogueEntry(
        f"the best checkpoint of the training run {target}",
        build,
        serves=lambda config: not training_run.misfit(folder, config),
        origin={"training run": target, **training_run.origin_of_run(folder)},
        training_runs=1,
    )


def _of_archive(target: str, path: Path, trusted: bool) -> CatalogueEntry:
    archive.check_archive(path)

    def build(config: Config, env: Any, seed: Seed, **options: Any) -> Agent:
        check_options(target, options, ())
        model = archive.load_model(path, trusted=trusted)
        return actor_of(model, target, env, seed, {}, batched=True)

    return CatalogueEntry(
        f"the model of Stable-Baselines3 in {target}",
        build,
        origin={"model": target, "sha256": code.digest_of_file(path)},
        training_runs=1,
    )


def with_options(name: str, entry: CatalogueEntry, options: Mapping[str, Any]) -> CatalogueEntry:
    """Return an agent with options that were given in brackets.

    Files that options name are part of where the agent comes from.

    Raises:
        AgentError: the agent has no such option (the nearest is given), or gets it anyway.
    """
    check_known(name, entry, options)
    texts = {key: value for key, value in options.items() if isinstance(value, str)}
    files = {key: Path(os.path.expanduser(value)) for key, value in texts.items()}
    digests = {
        f"{key} sha256": code.digest_of_file(path) for key, path in files.items() if path.is_file()
    }
    build = partial(entry.build, **options)
    return dataclasses.replace(entry, build=build, origin={**entry.origin, **digests})


def check_known(name: str, entry: CatalogueEntry, options: Mapping[str, Any]) -> None:
    """See that an agent takes some options, as far as that is known before it is built.

    Raises:
        AgentError: the agent has no such option (the nearest is given), or gets it anyway.
    """
    check_unreserved(name, options)
    if not entry.origin:
        # One from outside is asked when it is built: it may need what has no default.
        check_options(name, options, [option.name for option in entry_options(entry, options)])
