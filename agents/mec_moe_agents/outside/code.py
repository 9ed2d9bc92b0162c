"""Agents that are code: `package.module:Class`, `file.py:Class`, entry points of other packages.

Loading one runs the module, as importing it does.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from mec_moe_env.config import suggest
from mec_moe_env.limits import SOURCE_BYTES

GROUP = "mec_moe.agents"
"""Of entry points: `name = "package.module:Class"`."""
SEPARATOR = ":"


class Loaded(NamedTuple):
    """What was named, and where it comes from."""

    thing: Any
    origin: Mapping[str, str]


def plugins() -> Mapping[str, EntryPoint]:
    """Return the agents of other packages by name; none of them is loaded."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load_plugin(point: EntryPoint) -> Loaded:
    """Load an agent of another package.

    Raises:
        ImportError: its module cannot be imported.
        ValueError: its module has no such name.
    """
    origin = {"entry point": point.value}
    if point.dist is not None:
        origin["distribution"] = f"{point.dist.name} {point.dist.version}"
    try:
        thing = point.load()
    except AttributeError as error:
        raise ValueError(f"agent {point.name!r}, entry point {point.value!r}: {error}") from error
    return Loaded(thing, origin | _source(sys.modules.get(point.module)))


def load_code(target: str) -> Loaded:
    """Load `package.module:Class` or `path/to/file.py:Class`.

    A module is looked for in the working directory, too, as `python -m` does. A file is run once
    for each of its contents; it can import what lies beside it while it is run.

    Raises:
        ValueError: there is no such module, file or name, or the file is too large.
    """
    place, _, attribute = target.rpartition(SEPARATOR)
    if not place or not attribute:
        raise ValueError(f"agent {target!r}: expected package.module:Class or file.py:Class")
    if place.endswith(".py"):
        module, origin = _load_file(target, Path(place)), {"file": place}
    else:
        module = _load_module(target, place)
        origin = {"module": place, **_version(module)}
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            known = [name for name in vars(module) if not name.startswith("_")]
            kind = "file" if place.endswith(".py") else "module"
            raise ValueError(
                f"agent {target!r}: {kind} {place!r} has no {attribute!r}: {suggest(part, known)}"
            )
        found = getattr(found, part)
    return Loaded(found, origin | _source(module))


def _load_module(target: str, name: str) -> ModuleType:
    if os.getcwd() not in sys.path:
        # As `python -m` does: a module of one's own lies where one works.
        sys.path.insert(0, os.getcwd())
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ValueError(f"agent {target!r}: there is no module {name!r}") from error


def _load_file(target: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise ValueError(f"agent {target!r}: there is no file {path}")
    if path.stat().st_size > SOURCE_BYTES:
        raise ValueError(f"agent {target!r}: {path} has more than {SOURCE_BYTES:,} bytes")
    content = path.read_bytes()
    digest = hashlib.sha256(str(path.resolve()).encode() + content).hexdigest()[:16]
    name = f"_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    try:
        with _beside(path):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Let a file import what lies beside it, as a script can."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _version(module: ModuleType) -> dict[str, str]:
    top = module.__name__.partition(".")[0]
    try:
        return {"version": version(top)}
    except PackageNotFoundError:
        own = getattr(sys.modules.get(top), "__version__", None)
        return {} if own is None else {"version": str(own)}


def _source(module: ModuleType | None) -> dict[str, str]:
    """Return the digest of a module's own file; what it imports is not in it."""
    file = getattr(module, "__file__", None)
    return {} if file is None else {"sha256": digest_of_file(Path(file))}


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
