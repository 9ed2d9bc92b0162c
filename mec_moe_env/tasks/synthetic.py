"""Synthetic tasks of Li & Duan 2024, Definition 1."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_env.compilation import lean
from mec_moe_env.generators import Addresses, Generators, generator_of
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.tasks.stream import Floats, Integers, Judge, TaskBatch, identity_judge


class Truths(NamedTuple):
    """What the types of each sub-environment's episode are."""

    models: Floats
    """Ground truths w_n, (n, N, d)."""
    signals: Floats
    """Feature signals v_n, (n, N, d), norm √d; orthogonal while there are dimensions."""


class SyntheticTasks:
    """Linear tasks with one ground truth and one feature signal per type.

    A task of type n has ground truth w_n + jitter and features X (d, k) with one column β·v_n,
    β ~ U(0.5, 1] (reconstructed), and k − 1 columns N(0, σ_t²·I); labels are Xᵀw.
    """

    def __init__(self, config: OffloadingConfig, num_envs: int) -> None:
        self._config = config
        shape = (num_envs, config.num_types, config.feature_dim)
        self.truths = Truths(np.empty(shape), np.empty(shape))

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

    def start(self, indices: Integers, generators: Generators) -> None:
        """Draw the ground truths N(0, σ0²·I) and the feature signals."""
        draw_truths(generators.addresses, indices, float(self._config.truth_scale), *self.truths)

    def draw(
        self,
        indices: Integers,
        generators: Generators,
        first_row: int,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Draw tasks of the given types."""
        jitter, noise = float(self._config.type_jitter), float(self._config.noise_scale)
        addresses = generators.addresses
        draw_tasks(addresses, indices, first_row, jitter, noise, *self.truths, types, *out)


@lean
def draw_truths(
    addresses: Addresses, indices: Integers, scale: float, models: Floats, signals: Floats
) -> None:
    """Draw ground truths and signals of new episodes, both (n, N, d)."""
    for position in range(indices.shape[0]):
        i = indices[position]
        rng = generator_of(addresses, i)
        for n in range(models.shape[1]):
            for f in range(models.shape[2]):
                models[i, n, f] = scale * rng.standard_normal()
                signals[i, n, f] = rng.standard_normal()
            orthogonalise(signals[i], n)


@lean
def orthogonalise(signals: Floats, n: int) -> None:
    """Make signal n of (N, d) orthogonal to those before, while n < d, and of norm √d."""
    d = signals.shape[1]
    for other in range(n if n < d else 0):
        overlap = 0.0
        for f in range(d):
            overlap += signals[n, f] * signals[other, f]
        for f in range(d):
            signals[n, f] -= overlap / d * signals[other, f]
    squared = 0.0
    for f in range(d):
        squared += signals[n, f] * signals[n, f]
    for f in range(d):
        signals[n, f] *= math.sqrt(d / squared)


@lean
def draw_tasks(
    addresses: Addresses,
    indices: Integers,
    first_row: int,
    jitter: float,
    noise_scale: float,
    models: Floats,
    signals: Floats,
    types: Integers,
    features: Floats,
    labels: Floats,
    linear: Floats,
    constant: Floats,
) -> None:
    """Draw tasks of the given types; `linear` receives each task's own ground truth."""
    for position in range(indices.shape[0]):
        i = indices[position]
        rng = generator_of(addresses, i)
        for b in range(first_row, types.shape[1]):
            for u in range(types.shape[2]):
                n = types[i, b, u]
                constant[i, b, u] = draw_task(
                    rng,
                    jitter,
                    noise_scale,
                    models[i, n],
                    signals[i, n],
                    features[i, b, u],
                    labels[i, b, u],
                    linear[i, b, u],
                )


@lean
def draw_task(
    rng: np.random.Generator,
    jitter: float,
    noise_scale: float,
    model: Floats,
    signal: Floats,
    features: Floats,
    labels: Floats,
    truth: Floats,
) -> float:
    """Draw one task of a type with ground truth `model`; return the zero model's error ‖w‖²."""
    d, k = features.shape
    strength = 1.0 - 0.5 * rng.random()
    squared = 0.0
    for i in range(k):
        labels[i] = 0.0
    for f in range(d):
        truth[f] = model[f] + jitter * (2.0 * rng.random() - 1.0)
        squared += truth[f] * truth[f]
        features[f, 0] = strength * signal[f]
        for i in range(1, k):
            features[f, i] = noise_scale * rng.standard_normal()
        for i in range(k):
            labels[i] += features[f, i] * truth[f]
    return squared
