"""The only place with numba's settings, and with what is not documented of numba.

Three kinds of functions are compiled. A `kernel` is called from Python. A `device` function is
called from kernels and compiled into them. An `inline` function is so small that its source is
copied into its callers before they are compiled at all.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numba.core import caching, codegen, compiler, event, options, registry
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

SETTINGS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
LEAN_SETTINGS: dict[str, Any] = {**SETTINGS, "_nrt": False}
DEVICE_SETTINGS: dict[str, Any] = {
    **LEAN_SETTINGS,
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

INTERPRETED = bool(numba.config.DISABLE_JIT)
"""NUMBA_DISABLE_JIT: Python runs all functions as they stand, to debug them or count coverage."""
SUPPORTED = "numba>=0.61,<0.69"
"""As in pyproject.toml."""

Function = TypeVar("Function", bound=Callable[..., Any])


def require(holder: Any, *names: str) -> None:
    """Check that numba still has what this module uses beyond its documentation.

    Raises:
        ImportError: it has not; going on could run machine code of an older source, or count
            references where nothing may be counted.
    """
    for name in names:
        if not hasattr(holder, name):
            raise ImportError(
                f"mec_moe_env needs {SUPPORTED}: numba {numba.__version__} has no {name} in "
                f"{getattr(holder, '__name__', type(holder).__name__)}"
            )


require(options.DefaultOptions, "_nrt", "forceinline", "no_cpython_wrapper", "no_cfunc_wrapper")
require(caching.IndexDataCacheFile, "_load_index", "_load_data", "_open_for_write", "save")
require(compiler.CompileResult, "entry_point")
require(compiler.Flags, "no_compile")
require(compiler.DefaultPassBuilder, "define_nopython_pipeline")
require(codegen.JITCodeLibrary, "_optimize_final_module", "_finalize_final_module")
require(codegen.JITCodeLibrary, "_finalize_dynamic_globals")
require(codegen.JITCPUCodegen, "magic_tuple")
require(event, "Listener", "install_listener")


def kernel(function: Function) -> Function:
    """Compile a function that Python calls, keeping its Python type.

    `error_model="numpy"` turns division by zero into inf as NumPy does and lets loops
    vectorise; `nogil` lets threads run sub-environments side by side. The machine code is kept on
    disk where it can be, so that only the first process pays for compilation.
    """
    return cast("Function", _compiled(function, SETTINGS))


def lean_kernel(function: Function) -> Function:
    """Compile a kernel that neither allocates nor returns arrays, without reference counts.

    Handing arrays from function to function counts references on every one of them, atomically:
    ten times the cost of what most functions of a step do. Without allocation there is nothing to
    count. Whole arrays are copied by loops there, as `a[:] = b` allocates.
    """
    return cast("Function", _compiled(function, {**LEAN_SETTINGS, "no_cfunc_wrapper": True}))


class DeviceLibrary(codegen.JITCodeLibrary):  # type: ignore[misc]
    """Intermediate code that waits for a kernel: neither optimised nor made machine code of.

    numba does both for every function and every copy of it: two fifths of a cold start.
    """

    def _optimize_final_module(self) -> None:
        """Leave that to the kernel into which the function is compiled."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class DeviceLowering(NativeLowering):  # type: ignore[misc]
    """Lowers a function to intermediate code and no further."""

    _name = "device_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower the function, and name what its callers call."""
        state.library = DeviceLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        # What identifies the code has to be a built-in function, each time another one.
        entry_point = list[Any]().append
        result = state["cr"]
        state.targetctx.insert_user_function(entry_point, result.fndesc, [state.library])
        state["cr"] = result._replace(cfunc=entry_point)
        return True


class DeviceCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """numba's compiler with another last pass."""

    def define_pipelines(self) -> list[Any]:
        """Return numba's passes, the lowering replaced."""
        passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state, "device")
        passes.passes = [
            (DeviceLowering if step is NativeLowering else step, what)
            for step, what in passes.passes
        ]
        passes.finalize()
        return [passes]


class Device:
    """A function compiled into its callers, without reference counts, as lean kernels are."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        settings = {**DEVICE_SETTINGS, "pipeline_class": DeviceCompiler}
        self._dispatcher = numba.njit(**settings)(function)  # its type keeps none
        self._numba_type_ = numba.types.Dispatcher(self._dispatcher)
        self._kernel: Callable[..., Any] | None = None

    def __call__(self, *args: Any) -> Any:
        """Call the function from Python, by a kernel of its own."""
        if self._kernel is None:
            self._kernel = lean_kernel(self.py_func)
        return self._kernel(*args)


def device(function: Function) -> Function:
    """Compile a function for compiled callers, into whose machine code it is inlined.

    A call would copy hundreds of words of named tuples onto the stack. What Python needs for one,
    to take the tuples apart, is compiled only if Python makes one.
    """
    return function if INTERPRETED else cast("Function", Device(function))


def inline(function: Function) -> Function:
    """Copy the source of a small function into its compiled callers.

    Every other one costs a pass of type inference and lowering, for a line of code as for a page.
    Copies of loops, or of what is called in many places, cost more than that.
    """
    return cast("Function", numba.njit(inline="always", **LEAN_SETTINGS)(function))


class Entry:
    """Calls a kernel whose arguments have the same types every time.

    numba finds the types of all arguments out anew in each call, which for named tuples of dozens
    of arrays takes ten times as long as handing them over. The first call goes that way; those
    after it use the machine code that it found. The caller answers for the types.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._dispatcher: Any = function
        self._direct: Callable[..., Any] | None = None

    def __reduce__(self) -> tuple[Callable[[str, str], Entry], tuple[str, str]]:
        """Pickle the function's name: the code is that of where the pickle is loaded."""
        return find_entry, (self._dispatcher.__module__, self._dispatcher.__name__)

    def __call__(self, *args: Any) -> Any:
        """Call the kernel."""
        if self._direct is not None:
            return self._direct(*args)
        result = self._dispatcher(*args)
        if hasattr(self._dispatcher, "overloads"):
            compiled_for = tuple(map(numba.typeof, args))
            self._direct = self._dispatcher.overloads[compiled_for].entry_point
        else:
            self._direct = self._dispatcher
        return result


class Target(NamedTuple):
    """A processor as LLVM sees it."""

    name: str
    features: str


def compiled_for() -> Target:
    """Return what code is compiled for: for equal targets it computes the same bits."""
    if INTERPRETED:
        return Target("interpreted", "")
    _, name, features = registry.cpu_target.target_context.codegen().magic_tuple()
    return Target(name, features)


def find_entry(module: str, name: str) -> Entry:
    """Return an entry to a kernel of a module."""
    return Entry(getattr(importlib.import_module(module), name))


def _compiled(function: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """Return what compiles a function when it is called, and keeps the machine code on disk."""
    if INTERPRETED:
        return _silenced(function)
    dispatcher = numba.njit(**settings)(function)
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # no folder can be written
        warn_of_no_cache()
    else:
        _seal(dispatcher._cache, function)
    return dispatcher


def _silenced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let Python run a function that overflows on purpose, as silently as machine code does."""

    @functools.wraps(function)
    def silent(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args)

    return silent


class CompilationListener(event.Listener):  # type: ignore[misc]
    """Calls a function when the first kernel is compiled, not when its code is read from disk."""

    def __init__(self, notice: Callable[[], None]) -> None:
        self._notice: Callable[[], None] | None = notice

    def on_start(self, event: Any) -> None:
        """Give notice, once."""
        if self._notice is not None:
            notice, self._notice = self._notice, None
            notice()

    def on_end(self, event: Any) -> None:
        """Do nothing: it takes a moment, and nobody waits for the word."""


@contextmanager
def noticed_compilation(notice: Callable[[], None]) -> Iterator[None]:
    """Call `notice` when something has to be compiled in the block for the first time."""
    with event.install_listener("numba:compile", CompilationListener(notice)):
        yield


@functools.cache
def warn_of_no_cache() -> None:
    """Warn, once in a process, that every process compiles anew."""
    warnings.warn(
        "machine code cannot be kept on disk, so that every process compiles it anew: set "
        f"NUMBA_CACHE_DIR (now {numba.config.CACHE_DIR or 'not set'}) to a folder that can be "
        "written",
        RuntimeWarning,
        stacklevel=2,
    )


def _seal(cache: Any, function: Callable[..., Any]) -> None:
    """Make the machine code on disk depend on every source file of the packages, and whole.

    numba looks only at the file of the function itself. Most functions have others compiled into
    them: without this, an edit of one file would leave the old code running from the cache.
    """
    package = function.__module__.partition(".")[0]
    folders = {Path(__file__).parents[1]}
    source = getattr(sys.modules.get(package), "__file__", None)
    if source is not None and Path(source).name == "__init__.py":
        folders.add(Path(source).parent)
    require(cache, "_cache_file", "_impl", "cache_path")
    require(cache._cache_file, "_source_stamp")
    stamp = (*cache._cache_file._source_stamp, *sorted(map(source_digest, folders)))
    cache._cache_file = SealedFiles(cache.cache_path, cache._impl.filename_base, stamp)


class SealedFiles(caching.IndexDataCacheFile):  # type: ignore[misc]
    """The files of a function's machine code, each ending in a digest of what comes before.

    numba dies of an emptied or cut file, and would run what a flipped bit makes of the code. Here
    a damaged file counts as absent, so that it is written anew, and a disk that takes nothing
    more costs a warning.
    """

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        with super()._open_for_write(filepath) as file:
            yield content
            file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())

    def _load_index(self) -> dict[Any, Any]:
        if not is_whole(Path(self._index_path)):
            return {}
        try:
            return dict(super()._load_index())
        except (AttributeError, ImportError):
            # It names a class that is no more: numba reads it before it looks at the stamp.
            return {}

    def _load_data(self, name: str) -> Any:
        path = Path(self._data_path(name))
        if not is_whole(path):
            raise FileNotFoundError(path)  # as numba has it where code is missing
        return super()._load_data(name)

    def save(self, key: Any, data: Any) -> None:
        """Write machine code if the disk takes it."""
        try:
            super().save(key, data)
        except OSError:
            warn_of_no_cache()


def is_whole(path: Path) -> bool:
    """Return whether a file can be read and ends in the digest of what comes before."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    size = hashlib.sha256().digest_size
    return hashlib.sha256(content[:-size]).digest() == content[-size:]


@functools.cache
def source_digest(folder: Path) -> str:
    """Return a digest of all Python files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
