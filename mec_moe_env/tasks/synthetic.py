"""Synthetic tasks of Li & Duan 2024, Definition 1."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import compiled
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.tasks.stream import Floats, Judge, TaskBatch, identity_judge


class Truths(NamedTuple):
    """What an episode's types are."""

    models: Floats
    """Ground truths w_n, (N, d)."""
    signals: Floats
    """Feature signals v_n, (N, d), norm √d; orthogonal while n < d."""


class SyntheticTasks:
    """Linear tasks with one ground truth and one feature signal per type.

    A task of type n has ground truth w_n + jitter and features X (d, k) with one column β·v_n,
    β ~ U(0.5, 1] (reconstructed), and k − 1 columns N(0, σ_t²·I); labels are Xᵀw.
    """

    def __init__(self, config: OffloadingConfig) -> None:
        self._config = config

    @property
    def sum_bound(self) -> float:
        """Signal plus eight standard deviations of the summed noise."""
        config = self._config
        noise = config.noise_scale * math.sqrt(config.samples_per_task - 1)
        return math.sqrt(config.feature_dim) + 8.0 * noise

    @property
    def judge(self) -> Judge:
        """Squared distance to the task's ground truth."""
        return identity_judge(self._config.num_types)

    def start_episode(self, rng: np.random.Generator) -> Truths:
        """Draw the ground truths N(0, σ0²·I) and the feature signals."""
        shape = (self._config.num_types, self._config.feature_dim)
        truths = Truths(np.empty(shape), np.empty(shape))
        draw_truths(rng, self._config.truth_scale, truths.models, truths.signals)
        return truths

    def draw(
        self,
        rng: np.random.Generator,
        episode: Truths,
        types: NDArray[np.int64],
        out: TaskBatch,
    ) -> None:
        """Write one task per entry of `types`."""
        draw_tasks(rng, self._config.type_jitter, self._config.noise_scale, *episode, types, *out)


@compiled
def draw_truths(rng: np.random.Generator, scale: float, models: Floats, signals: Floats) -> None:
    """Draw ground truths and signals, orthogonalised as far as there are dimensions."""
    N, d = models.shape
    for n in range(N):
        for f in range(d):
            models[n, f] = scale * rng.standard_normal()
            signals[n, f] = rng.standard_normal()
        for other in range(n if n < d else 0):
            overlap = 0.0
            for f in range(d):
                overlap += signals[n, f] * signals[other, f]
            for f in range(d):
                signals[n, f] -= overlap / d * signals[other, f]
        norm = 0.0
        for f in range(d):
            norm += signals[n, f] * signals[n, f]
        for f in range(d):
            signals[n, f] *= math.sqrt(d / norm)


@compiled
def draw_tasks(
    rng: np.random.Generator,
    jitter: float,
    noise_scale: float,
    models: Floats,
    signals: Floats,
    types: NDArray[np.int64],
    features: Floats,
    labels: Floats,
    linear: Floats,
    constant: Floats,
) -> None:
    """Draw tasks of the given types; `linear` receives each task's own ground truth."""
    count, d, k = features.shape
    for u in range(count):
        n = types[u]
        strength = 1.0 - 0.5 * rng.random()
        constant[u] = 0.0
        labels[u, :] = 0.0
        for f in range(d):
            truth = models[n, f] + jitter * (2.0 * rng.random() - 1.0)
            linear[u, f] = truth
            constant[u] += truth * truth
            features[u, f, 0] = strength * signals[n, f]
            for i in range(1, k):
                features[u, f, i] = noise_scale * rng.standard_normal()
            for i in range(k):
                labels[u, i] += features[u, f, i] * truth
