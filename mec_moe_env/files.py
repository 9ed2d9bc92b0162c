"""Files that are either whole or not there, and archives that are whole or refused.

Everything that either package writes goes through here: to a temporary name first, which then
takes the place of the old. Nothing that is read is ever unpickled, and nothing larger than
`mec_moe_env/limits.py` allows is read at all.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.limits import (
    ARCHIVE_BYTES,
    ARCHIVE_MEMBERS,
    CSV_ROWS,
    JSON_DEPTH,
    TEXT_BYTES,
)

Arrays = dict[str, NDArray[Any]]


@contextmanager
def blaming(path: Path, fault: str) -> Iterator[None]:
    """Turn whatever goes wrong while bytes are unpacked into a ValueError that names the file.

    Which exceptions NumPy and the unpackers raise on damaged bytes is documented nowhere: beside
    their own, those of zlib, lzma, struct and the parsers of a header, or a lack of memory.

    Raises:
        ValueError: the block failed; path, fault and reason are named.
    """
    try:
        yield
    except Exception as error:
        raise ValueError(f"{path}: {fault} ({error})") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path` that becomes `path` when the block succeeds.

    Raises:
        OSError: the folder cannot be written, or the disk is full; the file is named.
    """
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.filename is None and error.errno is not None:
            # A write that finds the disk full knows no name.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file as UTF-8.

    Raises:
        OSError: the folder cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, document: Any, indent: int | None = 2) -> None:
    """Write a document as JSON, ending in a newline.

    Raises:
        OSError: the folder cannot be written.
        TypeError: the document holds what JSON cannot.
    """
    write_text(path, json.dumps(document, indent=indent) + "\n")


def expect_file(path: Path, what: str) -> None:
    """See that there is a file, before it is read.

    Raises:
        FileNotFoundError: there is none; path and what is expected are named.
        IsADirectoryError: it is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected {what}, found a folder")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected {what}, there is none")


def limited(path: Path, what: str, found: int, most: int) -> None:
    """Raise a ValueError that names the file if there is more of something than is read."""
    if found > most:
        raise ValueError(f"{path}: {found:,} {what} are not read: at most {most:,} are allowed")


def read_bytes(path: Path) -> bytes:
    """Read a file, unpacked if its name ends in .gz.

    Raises:
        OSError: the file is missing or cannot be opened.
        ValueError: it is damaged, or larger than allowed; the path is named.
    """
    limited(path, "bytes", path.stat().st_size, TEXT_BYTES)
    content = path.read_bytes()
    return _unpacked(path, content) if path.suffix == ".gz" else content


def _unpacked(path: Path, content: bytes) -> bytes:
    """Return what gzip has packed, one member after the other, and no more than is allowed."""
    parts, size = [], 0
    while content.rstrip(b"\0"):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        with blaming(path, "not a whole gzip file"):
            parts.append(member.decompress(content, TEXT_BYTES - size + 1))
        size += len(parts[-1])
        limited(path, "unpacked bytes", size, TEXT_BYTES)
        if not member.eof:
            raise ValueError(f"{path}: not a whole gzip file (truncated)")
        content = member.unused_data
    if not parts:
        raise ValueError(f"{path}: not a whole gzip file (empty)")
    return b"".join(parts)


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises:
        OSError: the file is missing or cannot be opened.
        ValueError: it is damaged, or larger or deeper than allowed; the path is named.
    """
    content = read_bytes(path)
    with blaming(path, "not a whole JSON file"):
        document = json.loads(content.decode("utf-8"))
    limited(path, "levels of nesting", depth_of(document), JSON_DEPTH)
    return document


def depth_of(document: Any) -> int:
    """Return how many lists and objects stand around a document's innermost value."""
    depth, level = 0, [document]
    while True:
        level = [one for one in level if isinstance(one, list | dict) and one]
        if not level:
            return depth
        depth += 1
        level = [
            value
            for holder in level
            for value in (holder.values() if isinstance(holder, dict) else holder)
        ]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read the rows of a CSV file under its header.

    Raises:
        OSError: the file is missing or cannot be opened.
        ValueError: it is damaged, or larger than allowed; the path is named.
    """
    limited(path, "bytes", path.stat().st_size, TEXT_BYTES)
    with blaming(path, "not a whole CSV file"), path.open(newline="", encoding="utf-8") as stream:
        rows = list(itertools.islice(csv.DictReader(stream), CSV_ROWS + 1))
    limited(path, "rows", len(rows), CSV_ROWS)
    return rows


def write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as CSV under a header of the first row's keys, which all rows share.

    Raises:
        OSError: the folder cannot be written.
        ValueError: there is no row, or one has another key.
    """
    table = list(rows)
    if not table:
        raise ValueError(f"{path}: no rows to write")
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]))
        writer.writeheader()
        writer.writerows(table)


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], *, compressed: bool = False
) -> None:
    """Write an .npz file.

    Raises:
        OSError: the folder cannot be written.
        ValueError: an array has objects, which only a pickle could hold.
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"{path}: {name} has objects; it must be numbers or text")
    save = np.savez_compressed if compressed else np.savez
    written: dict[str, Any] = dict(arrays)
    with replacing(path) as temporary, temporary.open("wb") as file:
        # NumPy before 2.2 would take `allow_pickle=False` for one more array.
        save(file, **written)


def read_arrays(
    path: Path, names: Collection[str] | None = None, optional: Collection[str] = ()
) -> Arrays:
    """Read the arrays `names` of an .npz file, all of them if None; others are ignored.

    Those that are `optional` are read too where they are there.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: the file cannot be opened, or is a folder.
        ValueError: the file is damaged, too large, holds pickles or lacks an array; path and array
            are named.
    """
    wanted = f" with {', '.join(names)}" if names else ""
    expect_file(path, f"an .npz file{wanted}")
    with path.open("rb") as stream:
        # np.load would take a lone .npy array too, and a pickle for one that it must not open.
        if not zipfile.is_zipfile(stream):
            raise ValueError(f"{path}: expected an .npz file, found none or a truncated one")
        stream.seek(0)
        with blaming(path, "not a whole .npz file"):
            archive = np.load(stream, allow_pickle=False)
        members = archive.zip.infolist()
        limited(path, "arrays", len(members), ARCHIVE_MEMBERS)
        limited(path, "bytes of arrays", sum(each.file_size for each in members), ARCHIVE_BYTES)
        wanted_names = list(archive) if names is None else names
        missing = [name for name in wanted_names if name not in archive]
        if missing:
            raise ValueError(
                f"{path}: expected the arrays {', '.join(wanted_names)}, "
                f"missing {', '.join(missing)}"
            )
        present = [name for name in optional if name in archive]
        return {name: _read(path, archive, name) for name in (*wanted_names, *present)}


def _read(path: Path, archive: Any, name: str) -> NDArray[Any]:
    with blaming(path, f"array {name!r} is damaged or pickled"):
        array = archive[name]
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: {name!r} is not an array in NumPy's .npy format")
    return array


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a new empty folder that takes the place of `folder` when the block succeeds.

    At any moment the old one or the new one is complete; a process killed in between leaves what
    `recover_folder` puts in order.

    Raises:
        OSError: the parent folder cannot be written.
    """
    recover_folder(folder)
    fresh, old = _fresh(folder), _old(folder)
    fresh.mkdir(parents=True)
    try:
        yield fresh
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Bring `folder` back to the last complete state after a process was killed.

    Raises:
        OSError: the parent folder cannot be written.
    """
    fresh, old = _fresh(folder), _old(folder)
    if not folder.exists() and old.exists():
        # The old one steps aside only once the new one is complete.
        os.replace(fresh if fresh.exists() else old, folder)
    for leftover in (fresh, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _fresh(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.tmp")


def _old(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.old")
