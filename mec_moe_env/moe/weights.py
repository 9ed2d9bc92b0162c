"""The weights of a small mixture-of-experts classifier, and the file they are kept in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.files import read_arrays, write_arrays

Floats = NDArray[np.float64]

DIGITS_MOE = Path(__file__).with_name("digits_moe.npz")


class MoEWeights(NamedTuple):
    """Weights of L residual layers of K experts over hidden states of size h.

    P input pixels, f hidden units in each expert, C classes. Matrices are stored (inputs,
    outputs), so that the inner loop of a product runs over adjacent outputs. Stored as float32,
    computed with as float64.
    """

    embed_matrix: Floats
    """(P, h)."""
    embed_bias: Floats
    """(h,)."""
    norm_scale: Floats
    """(L, h), what gate and experts of a layer multiply the normalised hidden state by."""
    gate_matrix: Floats
    """(L, h, K)."""
    up_matrix: Floats
    """(L, K, h, f)."""
    up_bias: Floats
    """(L, K, f)."""
    down_matrix: Floats
    """(L, K, f, h)."""
    down_bias: Floats
    """(L, K, h)."""
    head_scale: Floats
    """(h,), as `norm_scale`, before the classifier."""
    head_matrix: Floats
    """(h, C)."""
    head_bias: Floats
    """(C,)."""


# One letter an axis, as in the docstrings of `MoEWeights`.
AXES = {
    "embed_matrix": "Ph",
    "embed_bias": "h",
    "norm_scale": "Lh",
    "gate_matrix": "LhK",
    "up_matrix": "LKhf",
    "up_bias": "LKf",
    "down_matrix": "LKfh",
    "down_bias": "LKh",
    "head_scale": "h",
    "head_matrix": "hC",
    "head_bias": "C",
}


def load_digits_moe() -> MoEWeights:
    """Return the shipped classifier of 8×8 digits: K = 8 experts in each layer (our extension).

    Its input is the images of `mec_moe_env.tasks.images.load_digits_split`; it was trained on the
    training part alone, by `examples/train_digits_moe.py`.

    Raises:
        FileNotFoundError: the file is missing from the installation.
        ValueError: the file is damaged.
    """
    return load_moe(DIGITS_MOE)


def load_moe(path: str | Path) -> MoEWeights:
    """Read weights that `save_moe` wrote; `~` in the path is the home folder.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or the arrays do not fit together; path, array and what
            was expected are named.
    """
    path = Path(path).expanduser()
    arrays = read_arrays(path, MoEWeights._fields)
    _check(arrays, str(path))
    return MoEWeights(**{name: array.astype(np.float64) for name, array in arrays.items()})


def save_moe(path: str | Path, weights: MoEWeights) -> None:
    """Write weights as float32, to a temporary file that is then renamed.

    Raises:
        ValueError: the arrays do not fit together or are not finite; the array is named.
        OSError: the folder cannot be written.
    """
    arrays = {name: np.asarray(array, np.float32) for name, array in weights._asdict().items()}
    _check(arrays, "weights")
    write_arrays(Path(path).expanduser(), arrays)


def _check(arrays: dict[str, NDArray[Any]], source: str) -> None:
    """Refuse arrays of the wrong type, of shapes that do not match, or not finite."""
    sizes: dict[str, int] = {}
    for name, axes in AXES.items():
        array = arrays[name]
        if array.dtype != np.float32:
            raise ValueError(f"{source}: array {name!r} is {array.dtype}, expected float32")
        known = [sizes.get(axis, axis) for axis in axes]
        fits = array.ndim == len(axes) and all(
            size > 0 and sizes.setdefault(axis, size) == size
            for axis, size in zip(axes, array.shape, strict=True)
        )
        if not fits:
            expected = ", ".join(str(size) for size in known)
            raise ValueError(
                f"{source}: array {name!r} has shape {array.shape}, expected ({expected})"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{source}: array {name!r} holds NaN or infinity, expected finite")
