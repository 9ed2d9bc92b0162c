"""The only place with numba's settings, and with what is not documented of numba.

Three kinds of functions are compiled. A `kernel` is called from Python. A `device` function is
called from kernels and compiled into them. An `inline` function is so small that its source is
copied into its callers before they are compiled at all.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import numba
from numba.core import caching, codegen, compiler, options, registry
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

SETTINGS: dict[str, Any] = {"cache": True, "error_model": "numpy", "nogil": True}
LEAN_SETTINGS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False}
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
require(caching.IndexDataCacheFile, "_load_index")
require(compiler.CompileResult, "entry_point")
require(compiler.Flags, "no_compile")
require(compiler.DefaultPassBuilder, "define_nopython_pipeline")
require(codegen.JITCodeLibrary, "_optimize_final_module", "_finalize_final_module")
require(codegen.JITCodeLibrary, "_finalize_dynamic_globals")
require(codegen.JITCPUCodegen, "magic_tuple")


def kernel(function: Function) -> Function:
    """Compile a function that Python calls, keeping its Python type.

    `error_model="numpy"` turns division by zero into inf as NumPy does and lets loops
    vectorise; `nogil` lets threads run sub-environments side by side; `cache` keeps the
    machine code on disk, so that only the first process pays for compilation.
    """
    return cast("Function", _stamped(numba.njit(**SETTINGS)(function)))


def lean_kernel(function: Function) -> Function:
    """Compile a kernel that neither allocates nor returns arrays, without reference counts.

    Handing arrays from function to function counts references on every one of them, atomically:
    ten times the cost of what most functions of a step do. Without allocation there is nothing to
    count. Whole arrays are copied by loops there, as `a[:] = b` allocates.
    """
    settings = {**SETTINGS, **LEAN_SETTINGS, "no_cfunc_wrapper": True}
    return cast("Function", _stamped(numba.njit(**settings)(function)))


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
        function = self._dispatcher.py_func
        return find_entry, (function.__module__, function.__name__)

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


def _stamped(dispatcher: Any) -> Any:
    """Make the machine code on disk depend on every source file of the packages.

    numba looks only at the file of the function itself. Most functions have others compiled into
    them: without this, an edit of one file would leave the old code running from the cache.
    """
    if INTERPRETED:
        return dispatcher
    package = dispatcher.py_func.__module__.partition(".")[0]
    folders = {Path(__file__).parents[1]}
    source = getattr(sys.modules.get(package), "__file__", None)
    if source is not None and Path(source).name == "__init__.py":
        folders.add(Path(source).parent)
    require(dispatcher, "_cache")
    require(dispatcher._cache, "_cache_file")
    index = dispatcher._cache._cache_file
    require(index, "_source_stamp")
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
