"""One place where numba's settings are chosen, and where its lack of types stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

SETTINGS: dict[str, Any] = {"cache": True, "error_model": "numpy", "nogil": True}
LEAN_SETTINGS: dict[str, Any] = {**SETTINGS, "_nrt": False}

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile `function` with numba, keeping its Python type.

    `error_model="numpy"` turns division by zero into inf as NumPy does and lets loops
    vectorise; `nogil` lets threads run sub-environments side by side; `cache` keeps the
    machine code on disk, so that only the first process pays for compilation.
    """
    return cast("Function", numba.njit(**SETTINGS)(function))


def lean(function: Function) -> Function:
    """Compile a `function` that neither allocates nor returns arrays, without reference counts.

    Handing a state of twenty arrays from function to function counts references on every one of
    them, atomically: ten times the cost of what most functions of a step do. Without allocation
    there is nothing to count. Whole arrays are copied by loops here, as `a[:] = b` allocates.
    """
    return cast("Function", numba.njit(**LEAN_SETTINGS)(function))
