"""Tasks made of labelled images: a type is a pair of classes, told apart by a linear model."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import TASKS, Streams, next_uniform
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.stream import Evaluator

PIXELS = 64
"""Of a handwritten digit of scikit-learn's."""
LARGEST_PIXEL = 16.0
TRAIN_SHARE = 0.7
SPLIT_SEED = 0
CLASS_PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
TRANSFORM_SEED = 2503

Labelled = tuple[Floats, Floats]
"""Samples, (n, d), and their labels ±1, (n,)."""


class LabelledImages(NamedTuple):
    """Centred images and their classes, split into training and held-out parts."""

    train: Floats
    """(n, d)."""
    train_classes: NDArray[np.int64]
    """(n,)."""
    heldout: Floats
    """(h, d)."""
    heldout_classes: NDArray[np.int64]
    """(h,)."""


def load_digits_split() -> LabelledImages:
    """Return the 1,797 digits, pixels in [0, 1] and centred on the training mean.

    Raises:
        ImportError: scikit-learn, the extra `digits`, is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "the digits need scikit-learn: pip install 'mec-moe-env[digits]'"
        ) from error
    pixels, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(classes))
    train, heldout = np.split(order, [int(TRAIN_SHARE * len(order))])
    images = pixels / LARGEST_PIXEL
    images -= images[train].mean(axis=0)
    classes = classes.astype(np.int64)
    return LabelledImages(images[train], classes[train], images[heldout], classes[heldout])


class ImageTables(NamedTuple):
    """Training images by type, the same in all sub-environments."""

    bank: Floats
    """Images of one type after the other, (b, d)."""
    labels: Floats
    """Their labels ±1, (b,)."""
    starts: Integers
    """Where each type begins in the bank, and where the last one ends, (N + 1,)."""
    linear: Floats
    """b of each type, (N, d)."""
    constant: float
    """c of all types, the zero model's loss."""


def make_image_tasks(
    config: OffloadingConfig, images: LabelledImages
) -> tuple[ImageTables, Evaluator]:
    """Make tasks of k training images of the type's pair of classes, labels ±1.

    More types than the five pairs are the same pairs under fixed random orthogonal transforms of
    the pixels, as in permuted MNIST.

    Raises:
        ValueError: a type has fewer training images than a task needs.
    """
    return make_sample_tasks(
        config,
        [_select(images.train, images.train_classes, n) for n in range(config.num_types)],
        [_select(images.heldout, images.heldout_classes, n) for n in range(config.num_types)],
    )


def make_sample_tasks(
    config: OffloadingConfig, train: list[Labelled], heldout: list[Labelled]
) -> tuple[ImageTables, Evaluator]:
    """Make tasks of k of the type's training samples; each type has some, and held-out ones.

    The error of a linear model is its mean squared loss on the type's held-out samples, a
    quadratic form in the model (our extension).

    Raises:
        ValueError: a type has fewer training samples than a task needs.
    """
    fewest = min(len(labels) for _, labels in train)
    if config.samples_per_task > fewest:
        raise reject(
            "samples_per_task",
            config.samples_per_task,
            f"at most {fewest}, the training samples of the smallest type",
        )
    evaluator, linear = _evaluator(heldout)
    tables = ImageTables(
        bank=np.concatenate([features for features, _ in train]),
        labels=np.concatenate([labels for _, labels in train]),
        starts=np.cumsum([0] + [len(labels) for _, labels in train]),
        linear=linear,
        constant=zero_loss(config),
    )
    return tables, evaluator


def zero_loss(config: OffloadingConfig) -> float:
    """Return the loss of the zero model on labels ±1, by which experts are judged."""
    logistic = config.experts == "mlp" and config.expert_loss == "logistic"
    return math.log(2.0) if logistic else 1.0


def image_bound(config: OffloadingConfig, tables: ImageTables) -> float:
    """Return a bound on |Σ_i X_i| per feature: the largest pixel times k."""
    return float(config.samples_per_task * np.abs(tables.bank).max())


def _select(images: Floats, classes: NDArray[np.int64], task_type: int) -> Labelled:
    """Return the images of a type and their labels."""
    negative, positive = CLASS_PAIRS[task_type % len(CLASS_PAIRS)]
    chosen = (classes == negative) | (classes == positive)
    labels = np.where(classes[chosen] == positive, 1.0, -1.0)
    features = images[chosen]
    transform = task_type // len(CLASS_PAIRS)
    if transform > 0:
        rng = np.random.default_rng((TRANSFORM_SEED, transform))
        d = images.shape[1]
        features = features @ np.linalg.qr(rng.standard_normal((d, d)))[0]
    return features, labels


def _evaluator(heldout: list[Labelled]) -> tuple[Evaluator, Floats]:
    """Return the second moments of the held-out images, and b of each type, (N, d)."""
    N, H, d = len(heldout), max(len(labels) for _, labels in heldout), heldout[0][0].shape[1]
    evaluator = Evaluator(np.empty((N, d, d)), np.zeros((N, H, d)), np.zeros((N, H)))
    linear = np.empty((N, d))
    for n, (features, labels) in enumerate(heldout):
        count = len(labels)
        evaluator.quadratic[n] = features.T @ features / count
        evaluator.heldout_features[n, :count] = features
        evaluator.heldout_labels[n, :count] = labels
        linear[n] = features.T @ labels / count
    return evaluator, linear


@device
def draw_image_task(
    streams: Streams,
    tables: ImageTables,
    n: int,
    chosen: Integers,
    features: Floats,
    labels: Floats,
    linear: Floats,
) -> None:
    """Write a task of type n: k different training images; `chosen`, (k,), is scratch.

    `features` is Xᵀ, (k, d), `labels` (k,), `linear` (d,).
    """
    choose(streams, tables.starts[n], tables.starts[n + 1], chosen)
    for f in range(linear.shape[0]):
        linear[f] = tables.linear[n, f]
    for sample in range(chosen.shape[0]):
        labels[sample] = tables.labels[chosen[sample]]
        for f in range(linear.shape[0]):
            features[sample, f] = tables.bank[chosen[sample], f]


@device
def choose(streams: Streams, first: int, end: int, chosen: Integers) -> None:
    """Write different integers of [first, end) to `chosen`: one that was drawn is drawn anew."""
    for i in range(chosen.shape[0]):
        fresh = False
        while not fresh:
            chosen[i] = first + int(next_uniform(streams, TASKS) * (end - first))
            fresh = True
            for j in range(i):
                fresh = fresh and chosen[j] != chosen[i]
