"""Tasks whose truth is not linear: a type is a fixed random network with one hidden layer."""

from __future__ import annotations

import numpy as np

from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.images import ImageTables, Labelled, make_sample_tasks
from mec_moe_env.tasks.stream import Evaluator

TEACHER_SEED = 6437
TRAIN_SAMPLES, HELDOUT_SAMPLES = 2000, 400
"""Of each type."""
HIDDEN = 4
"""Units of a teacher."""
SIGNAL_NORM = 2.0


def make_teacher_tasks(config: OffloadingConfig) -> tuple[ImageTables, Evaluator]:
    """Make tasks of k samples x = v_n + z, z ~ N(0, I), labelled by the type's teacher.

    y is +1 where Σ_j ±relu(b_jᵀz), half of the four units with either sign, b_j ~ N(0, I), exceeds
    its median, else −1 (our extension). v_n is the type's feature signal, as in Definition 1 of
    Li & Duan 2024: of norm 2, orthogonal to the others' while N ≤ d. Truths and samples are the
    same in all episodes, as images are.

    Raises:
        ValueError: a task needs more samples than a type has.
    """
    types = [_draw_type(config.feature_dim, n) for n in range(config.num_types)]
    train = [(features[:TRAIN_SAMPLES], labels[:TRAIN_SAMPLES]) for features, labels in types]
    heldout = [(features[TRAIN_SAMPLES:], labels[TRAIN_SAMPLES:]) for features, labels in types]
    return make_sample_tasks(config, train, heldout)


def _draw_type(d: int, n: int) -> Labelled:
    rng = np.random.default_rng((TEACHER_SEED, d, n))
    noise = rng.standard_normal((TRAIN_SAMPLES + HELDOUT_SAMPLES, d))
    hidden = np.maximum(noise @ rng.standard_normal((d, HIDDEN)), 0.0)
    score = hidden @ np.tile([1.0, -1.0], HIDDEN // 2)
    labels = np.where(score > np.median(score), 1.0, -1.0)
    return noise + SIGNAL_NORM * _direction(d, n), labels


def _direction(d: int, n: int) -> np.ndarray:
    """Return the direction of type n's signal, (d,): one of a random orthogonal basis for every d."""
    rng = np.random.default_rng((TEACHER_SEED, d, n // d, 0))
    return np.asarray(np.linalg.qr(rng.standard_normal((d, d)))[0][n % d])
