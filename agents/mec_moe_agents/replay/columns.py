"""Arrays as short JSON that a browser reads without help: runs of equal values, base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PLAIN, BY_STEP, BY_SERIES = "plain", "step", "series"
"""All values; runs of equal ones in the array's own order; runs along the first axis, the steps."""
WHOLE = ("u1", "i1", "u2", "i2", "u4", "i4")
"""Integers that JavaScript has typed arrays for; its one kind of reals here is f4."""


def encode(array: Array) -> dict[str, Any]:
    """Return an array as a document, in whichever of three orders takes the least room.

    What a server has learned changes now and then: along the steps its runs are long. Booleans
    and integers become the smallest integers that hold them, reals float32.

    Raises:
        ValueError: an integer needs more than 32 bits.
    """
    narrow = _narrowed(array)
    candidates = (
        _document(PLAIN, narrow, narrow.reshape(-1)),
        _document(BY_STEP, narrow, *_runs(narrow.reshape(-1))),
        _document(BY_SERIES, narrow, *_runs(np.moveaxis(narrow, 0, -1).reshape(-1))),
    )
    return min(candidates, key=_size)


def decode(document: Mapping[str, Any]) -> Array:
    """Return the array that a document holds, as the page does."""
    values, shape = _read(document["values"], document["kind"]), tuple(document["shape"])
    if document["order"] == PLAIN:
        return values.reshape(shape)
    flat = np.repeat(values, _read(document["runs"], document["run_kind"]))
    if document["order"] == BY_STEP:
        return flat.reshape(shape)
    return np.moveaxis(flat.reshape(*shape[1:], shape[0]), -1, 0)


def quantize(array: Array, largest: float, levels: int) -> Array:
    """Return numbers from 0 to `largest` as whole multiples of a `levels`-th of it."""
    return np.rint(np.clip(array, 0.0, largest) * (levels / largest)).astype(np.int64)


def _narrowed(array: Array) -> Array:
    if array.dtype.kind == "f":
        return array.astype("<f4")
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for kind in WHOLE:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return array.astype(f"<{kind}")
    raise ValueError(f"integers from {low} to {high} need more than 32 bits")


def _runs(values: Array) -> tuple[Array, Array]:
    """Return the value of each run of equal values, and its length."""
    begins = np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])
    return values[begins], _narrowed(np.diff(np.append(begins, len(values))))


def _document(
    order: str, array: Array, values: Array, lengths: Array | None = None
) -> dict[str, Any]:
    document = {"order": order, "shape": list(array.shape)}
    document |= {"kind": _kind(values), "values": _text(values)}
    if lengths is not None:
        document |= {"run_kind": _kind(lengths), "runs": _text(lengths)}
    return document


def _kind(values: Array) -> str:
    return values.dtype.str[1:]


def _text(values: Array) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def _read(text: str, kind: str) -> Array:
    return np.frombuffer(base64.b64decode(text), f"<{kind}")


def _size(document: Mapping[str, Any]) -> int:
    return len(document["values"]) + len(document.get("runs", ""))
