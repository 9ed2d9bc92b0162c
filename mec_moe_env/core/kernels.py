"""One place where numba's settings are chosen, and where its lack of types stops."""

from __future__ import annotations

import functools
import hashlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

SETTINGS: dict[str, Any] = {"cache": True, "error_model": "numpy", "nogil": True}
LEAN_SETTINGS: dict[str, Any] = {**SETTINGS, "_nrt": False, "forceinline": True}
INLINED_SETTINGS: dict[str, Any] = {
    **LEAN_SETTINGS,
    "cache": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile `function` with numba, keeping its Python type.

    `error_model="numpy"` turns division by zero into inf as NumPy does and lets loops
    vectorise; `nogil` lets threads run sub-environments side by side; `cache` keeps the
    machine code on disk, so that only the first process pays for compilation.
    """
    return cast("Function", _stamped(numba.njit(**SETTINGS)(function)))


class Inlined:
    """A function that exists only compiled into others; Python runs its source."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._dispatcher = numba.njit(**INLINED_SETTINGS)(function)
        self._numba_type_ = numba.types.Dispatcher(self._dispatcher)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Interpret the function."""
        return self.__wrapped__(*args, **kwargs)  # type: ignore[attr-defined]


def inlined(function: Function) -> Function:
    """Compile a function as `lean` does, for compiled callers alone.

    What Python needs to call a function takes named tuples of eighty arrays apart, and that has to
    be compiled too: without it a cold start compiles for three quarters of the time.
    """
    return cast("Function", Inlined(function))


def lean(function: Function) -> Function:
    """Compile a `function` that neither allocates nor returns arrays, without reference counts.

    Handing a state of twenty arrays from function to function counts references on every one of
    them, atomically: ten times the cost of what most functions of a step do. Without allocation
    there is nothing to count. Whole arrays are copied by loops here, as `a[:] = b` allocates.
    And such functions are compiled into their callers: what remains of handing a state over is
    copying hundreds of words onto the stack, which costs more than most of a step's functions.
    """
    return cast("Function", _stamped(numba.njit(**LEAN_SETTINGS)(function)))


class Entry:
    """Calls a compiled function whose arguments have the same types every time.

    numba finds the types of all arguments out anew in each call, which for named tuples of eighty
    arrays takes ten times as long as handing them over. The first call goes that way; those
    after it use the machine code that it found. The caller answers for the types.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._dispatcher: Any = function
        self._direct: Callable[..., Any] | None = None

    def __reduce__(self) -> tuple[Callable[[str, str], Entry], tuple[str, str]]:
        """Pickle the function's name: the code is that of where the pickle is loaded."""
        function = self._dispatcher.py_func
        return find_entry, (function.__module__, function.__name__)

    def __call__(self, *args: Any) -> Any:
        """Call the function."""
        if self._direct is not None:
            return self._direct(*args)
        result = self._dispatcher(*args)
        found = getattr(self._dispatcher, "overloads", {}).get(tuple(map(numba.typeof, args)))
        self._direct = getattr(found, "entry_point", self._dispatcher)
        return result


def find_entry(module: str, name: str) -> Entry:
    """Return an entry to a compiled function of a module."""
    return Entry(getattr(importlib.import_module(module), name))


def _stamped(dispatcher: Any) -> Any:
    """Make the machine code on disk depend on every source file of the packages.

    numba looks only at the file of the function itself. Most functions have others compiled into
    them: without this, an edit of one file would leave the old physics running from the cache.
    """
    package = dispatcher.py_func.__module__.partition(".")[0]
    folders = {Path(__file__).parent}
    source = getattr(sys.modules.get(package), "__file__", None)
    if source is not None and Path(source).name == "__init__.py":
        folders.add(Path(source).parent)
    index = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if index is not None:
        index._source_stamp = (*index._source_stamp, *sorted(map(source_digest, folders)))
        index._load_index = _forgiving(index._load_index)
    return dispatcher


def _forgiving(load_index: Callable[[], dict[Any, Any]]) -> Callable[[], dict[Any, Any]]:
    """Let an index count as empty that names a class which is no more.

    numba reads the whole of an index, argument types included, before it looks at the stamp.
    """

    def load() -> dict[Any, Any]:
        try:
            return load_index()
        except (AttributeError, ImportError):
            return {}

    return load


@functools.cache
def source_digest(folder: Path) -> str:
    """Return a digest of all Python files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
