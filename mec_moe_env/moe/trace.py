"""Gate traces: recorded gate scores of any mixture-of-experts model, to be replayed.

A trace is an .npz file, format version 1, with three arrays:

| array | type | shape | meaning |
|---|---|---|---|
| `version` | int64 | () | 1 |
| `gate` | float32 | (B, L, T, K) | scores of K experts for T tokens in L layers of B batches |
| `model` | str | () | the model's name; optional, empty if absent |

Scores are what a softmax gate gives: not negative, and over the K experts they sum to 1 to within
1e-3. A batch is what one episode replays: its token t keeps its place through all layers. Further
arrays are ignored. The file holds no pickles: NumPy opens it with `allow_pickle=False`. Any
program that writes these arrays writes a trace. (Our extension.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mec_moe_env.files import read_arrays, write_arrays

VERSION = 1
SUM_TOLERANCE = 1e-3


class GateTrace(NamedTuple):
    """Recorded gate scores."""

    gate: NDArray[np.float32]
    """(B, L, T, K): batches, layers, tokens, experts."""
    model: str
    """Name of the model they come from; may be empty."""


def load_gate_trace(path: str | Path) -> GateTrace:
    """Read and check a trace; the format is described at the top of this module.

    Args:
        path: where it lies; `~` is the home folder.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
        ValueError: the file is damaged, pickled, of another version, or its scores are not what
            a softmax gives; path, array and what was expected are named.
    """
    path = Path(path).expanduser()
    version = read_arrays(path, ["version"])["version"]
    if version.shape != () or version.dtype.kind not in "iu" or version != VERSION:
        raise ValueError(f"{path}: array 'version' is {version!s}, expected {VERSION}")
    arrays = read_arrays(path, ["gate"], optional=["model"])
    gate = arrays["gate"]
    if gate.dtype != np.float32:
        raise ValueError(f"{path}: array 'gate' is {gate.dtype}, expected float32")
    _check_scores(gate, str(path))
    return GateTrace(gate, _model_name(arrays.get("model"), str(path)))


def save_gate_trace(path: str | Path, gate: ArrayLike, model: str = "") -> None:
    """Check scores and write them as a trace, to a temporary file that is then renamed.

    Args:
        path: where to, `~` is the home folder; by custom it ends in .npz.
        gate: (B, L, T, K), stored as float32.
        model: name of the model they come from.

    Raises:
        ValueError: the scores are not what a softmax gives.
        OSError: the folder cannot be written.
    """
    scores = np.asarray(gate, np.float32)
    _check_scores(scores, "gate trace")
    arrays = {"version": np.array(VERSION), "gate": scores, "model": np.array(model, np.str_)}
    write_arrays(Path(path).expanduser(), arrays)


def _model_name(model: NDArray[Any] | None, source: str) -> str:
    if model is None:
        return ""
    if model.shape != () or model.dtype.kind != "U":
        raise ValueError(
            f"{source}: array 'model' is {model.dtype} {model.shape}, expected one string"
        )
    return str(model)


def _check_scores(gate: NDArray[Any], source: str) -> None:
    """Refuse what no softmax gate gives, naming the first bad place."""
    if gate.ndim != 4 or 0 in gate.shape:
        raise ValueError(
            f"{source}: array 'gate' has shape {gate.shape}, "
            "expected (batches, layers, tokens, experts), none of them 0"
        )
    # Written so that NaN fails too.
    bad = ~((gate >= 0.0) & np.isfinite(gate))
    if bad.any():
        place = _first(bad)
        raise ValueError(
            f"{source}: array 'gate' holds {gate[place]} at {place}, expected scores in [0, 1]"
        )
    sums = gate.sum(axis=-1, dtype=np.float64)
    bad = np.abs(sums - 1.0) > SUM_TOLERANCE
    if bad.any():
        place = _first(bad)
        raise ValueError(
            f"{source}: array 'gate' sums to {sums[place]:.6g} over the experts at {place} "
            f"(batch, layer, token), expected 1 to within {SUM_TOLERANCE}"
        )


def _first(bad: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the index of the first True, as plain integers for messages."""
    return tuple(int(index) for index in np.unravel_index(int(bad.argmax()), bad.shape))
