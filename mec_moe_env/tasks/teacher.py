"""Tasks whose truth no linear model finds: each type has a fixed random network for a teacher."""

from __future__ import annotations

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.images import ImageTables, Labelled, make_sample_tasks
from mec_moe_env.tasks.stream import Evaluator

TEACHER_SEED = 6437
TRAIN_SAMPLES, HELDOUT_SAMPLES = 2000, 400
"""Of each type."""
SIGNAL_NORM = 2.0


def make_teacher_tasks(config: OffloadingConfig) -> tuple[ImageTables, Evaluator]:
    """Make tasks of k samples x = v_n + z, z ~ N(0, I), labelled by the type's teacher.

    y is +1 where |aᵀz| − |bᵀz| exceeds its median, else −1 (our extension): a network with one
    hidden layer, relu(aᵀz) + relu(−aᵀz) − relu(bᵀz) − relu(−bᵀz), a and b random, orthogonal and
    of length 1. As the teacher is even in z, no linear model does better than to guess. v_n is the
    type's feature signal, as in Definition 1 of Li & Duan 2024: of norm 2, orthogonal to the
    others' while N ≤ d. Truths and samples are the same in all episodes, as images are.

    Raises:
        ValueError: a task needs more samples than a type has.
    """
    types = [draw_type(config.feature_dim, n) for n in range(config.num_types)]
    train = [(features[:TRAIN_SAMPLES], labels[:TRAIN_SAMPLES]) for features, labels in types]
    heldout = [(features[TRAIN_SAMPLES:], labels[TRAIN_SAMPLES:]) for features, labels in types]
    return make_sample_tasks(config, train, heldout)


def draw_type(d: int, n: int) -> Labelled:
    """Return all samples of type n and their labels."""
    rng = np.random.default_rng((TEACHER_SEED, d, n))
    noise = rng.standard_normal((TRAIN_SAMPLES + HELDOUT_SAMPLES, d))
    units = np.abs(noise @ orthogonal(rng, d)[:, :2])
    score = units[:, 0] - units[:, -1]
    labels = np.where(score > np.median(score), 1.0, -1.0)
    # d types share a basis.
    signals = orthogonal(np.random.default_rng((TEACHER_SEED, d, n // d, 1)), d)
    return noise + SIGNAL_NORM * signals[n % d], labels


def orthogonal(rng: np.random.Generator, d: int) -> Floats:
    """Return a random orthogonal matrix, (d, d)."""
    matrix: Floats = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return matrix
