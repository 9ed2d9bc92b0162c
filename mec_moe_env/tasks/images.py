"""Tasks made of labelled images: a type is a pair of classes, told apart by a linear model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import lean
from mec_moe_env.configuration import reject
from mec_moe_env.randomness import TASKS, Randomness
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.streams import Streams, next_uniform
from mec_moe_env.tasks.stream import Floats, Integers, Judge, TaskBatch

CLASS_PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
TRANSFORM_SEED = 2503


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


class ImagePairTasks:
    """Real images: k training images of the type's pair of classes, labels ±1.

    More types than the five pairs are the same pairs under fixed random orthogonal transforms of
    the pixels, as in permuted MNIST. The error of a model is its mean squared loss on the type's
    held-out images, a quadratic form in the model (our extension).
    """

    block = None

    def __init__(self, config: OffloadingConfig, images: LabelledImages) -> None:
        train = [_select(images.train, images.train_classes, n) for n in range(config.num_types)]
        heldout = [
            _select(images.heldout, images.heldout_classes, n) for n in range(config.num_types)
        ]
        fewest = min(len(labels) for _, labels in train)
        if config.samples_per_task > fewest:
            raise reject(
                "samples_per_task",
                config.samples_per_task,
                f"at most {fewest}, the training images of the smallest type",
            )
        self._bank = np.concatenate([features for features, _ in train])
        self._labels = np.concatenate([labels for _, labels in train])
        self._starts = np.cumsum([0] + [len(labels) for _, labels in train])
        self._judge, linear = _judge(heldout)
        self._linear = linear
        self._sum_bound = float(config.samples_per_task * np.abs(self._bank).max())

    @property
    def sum_bound(self) -> float:
        """The largest pixel times k."""
        return self._sum_bound

    @property
    def judge(self) -> Judge:
        """Held-out squared loss and accuracy of each type."""
        return self._judge

    def start(self, indices: Integers, randomness: Randomness) -> None:
        """Nothing is drawn: the images are what they are."""

    def draw(
        self,
        indices: Integers,
        rows: Integers,
        block: int,
        randomness: Randomness,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Draw k different training images of each task's type."""
        draw_images(
            randomness.streams,
            indices,
            rows,
            block,
            self._bank,
            self._labels,
            self._starts,
            self._linear,
            np.empty(out.labels.shape[-1], np.int64),
            types,
            *out,
        )


def _select(images: Floats, classes: NDArray[np.int64], task_type: int) -> tuple[Floats, Floats]:
    """Return the images of a type, (n, d), and their labels ±1, (n,)."""
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


def _judge(heldout: list[tuple[Floats, Floats]]) -> tuple[Judge, Floats]:
    """Return the second moments of the held-out images, and b of each type, (N, d)."""
    N, H, d = len(heldout), max(len(labels) for _, labels in heldout), heldout[0][0].shape[1]
    judge = Judge(np.empty((N, d, d)), np.zeros((N, H, d)), np.zeros((N, H)))
    linear = np.empty((N, d))
    for n, (features, labels) in enumerate(heldout):
        count = len(labels)
        judge.quadratic[n] = features.T @ features / count
        judge.heldout_features[n, :count] = features
        judge.heldout_labels[n, :count] = labels
        linear[n] = features.T @ labels / count
    return judge, linear


@lean
def draw_images(
    streams: Streams,
    indices: Integers,
    rows: Integers,
    block: int,
    bank: Floats,
    bank_labels: Floats,
    starts: Integers,
    type_linear: Floats,
    chosen: Integers,
    types: Integers,
    features: Floats,
    labels: Floats,
    linear: Floats,
    constant: Floats,
) -> None:
    """Draw tasks of the given types; `chosen`, (k,), is scratch."""
    for position in range(indices.shape[0]):
        index = indices[position]
        for b in range(rows[position], rows[position] + block):
            for u in range(types.shape[2]):
                n = types[index, b, u]
                choose(streams[index], starts[n], starts[n + 1], chosen)
                constant[index, b, u] = 1.0
                for f in range(features.shape[4]):
                    linear[index, b, u, f] = type_linear[n, f]
                for i in range(chosen.shape[0]):
                    labels[index, b, u, i] = bank_labels[chosen[i]]
                    for f in range(features.shape[4]):
                        features[index, b, u, i, f] = bank[chosen[i], f]


@lean
def choose(chances: Streams, first: int, end: int, chosen: Integers) -> None:
    """Write different integers of [first, end) to `chosen`: one that was drawn is drawn anew."""
    for i in range(chosen.shape[0]):
        fresh = False
        while not fresh:
            chosen[i] = first + int(next_uniform(chances, TASKS) * (end - first))
            fresh = True
            for j in range(i):
                fresh = fresh and chosen[j] != chosen[i]
