"""Archives of arrays (.npz) that are either whole or refused; nothing is ever unpickled."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

# What NumPy and zipfile raise on damaged bytes: a broken directory or checksum, a cut stream,
# an impossible compression method, a header that asks for the moon, or a pickle.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    MemoryError,
    OverflowError,
)


def read_arrays(path: Path, names: Collection[str]) -> Arrays:
    """Read the arrays `names` of an .npz file; further arrays in it are ignored.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, holds pickles or lacks an array; path and array are named.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected an .npz file with {', '.join(names)}")
    # np.load would take a lone .npy array too, and a pickle for one that it must not open.
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: expected an .npz file, found none or a truncated one")
    try:
        archive = np.load(path, allow_pickle=False)
    except DAMAGE as error:
        raise ValueError(f"{path}: not a whole .npz file ({error})") from error
    with archive:
        missing = [name for name in names if name not in archive]
        if missing:
            raise ValueError(
                f"{path}: expected the arrays {', '.join(names)}, missing {', '.join(missing)}"
            )
        return {name: _read(path, archive, name) for name in names}


def _read(path: Path, archive: Any, name: str) -> NDArray[Any]:
    try:
        array = archive[name]
    except DAMAGE as error:
        raise ValueError(f"{path}: array {name!r} is damaged or pickled ({error})") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: {name!r} is not an array in NumPy's .npy format")
    return array


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an .npz file under a temporary name and rename it when it is whole.

    Raises:
        OSError: the folder cannot be written.
    """
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(arrays))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
