"""Synthetic tasks of Li & Duan 2024, Definition 1."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_env.compilation import lean
from mec_moe_env.experts import inner
from mec_moe_env.randomness import TASKS, Randomness
from mec_moe_env.scenarios import OffloadingConfig
from mec_moe_env.streams import Singles, Streams, next_uniform, scratch_for, write_normals
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

    block = None

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

    def start(self, indices: Integers, randomness: Randomness) -> None:
        """Draw the ground truths N(0, σ0²·I) and the feature signals."""
        numbers = scratch_for(2 * self._config.num_types * self._config.feature_dim)
        scale = float(self._config.truth_scale)
        draw_truths(randomness.streams, indices, scale, *numbers, *self.truths)

    def draw(
        self,
        indices: Integers,
        rows: Integers,
        block: int,
        randomness: Randomness,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Draw tasks of the given types."""
        config = self._config
        numbers = scratch_for(config.feature_dim * (config.samples_per_task - 1))
        draw_tasks(
            randomness.streams,
            indices,
            rows,
            block,
            float(config.type_jitter),
            float(config.noise_scale),
            *numbers,
            *self.truths,
            types,
            *out,
        )


@lean
def draw_truths(
    streams: Streams,
    indices: Integers,
    scale: float,
    normals: Singles,
    radii: Singles,
    models: Floats,
    signals: Floats,
) -> None:
    """Draw ground truths and signals of new episodes, both (n, N, d); the singles are scratch."""
    N, d = models.shape[1:]
    for position in range(indices.shape[0]):
        i = indices[position]
        write_normals(streams[i], TASKS, radii, normals)
        for n in range(N):
            for f in range(d):
                models[i, n, f] = scale * normals[n * d + f]
                signals[i, n, f] = normals[(N + n) * d + f]
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
    streams: Streams,
    indices: Integers,
    rows: Integers,
    block: int,
    jitter: float,
    noise_scale: float,
    normals: Singles,
    radii: Singles,
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
        for b in range(rows[position], rows[position] + block):
            for u in range(types.shape[2]):
                n = types[i, b, u]
                write_normals(streams[i], TASKS, radii, normals)
                constant[i, b, u] = draw_task(
                    streams[i],
                    jitter,
                    noise_scale,
                    normals,
                    models[i, n],
                    signals[i, n],
                    features[i, b, u],
                    labels[i, b, u],
                    linear[i, b, u],
                )


@lean
def draw_task(
    chances: Streams,
    jitter: float,
    noise_scale: float,
    normals: Singles,
    model: Floats,
    signal: Floats,
    features: Floats,
    labels: Floats,
    truth: Floats,
) -> float:
    """Draw one task of a type with ground truth `model`; return the zero model's error ‖w‖².

    `normals`, at least (k − 1)·d, are the noise; `features` is Xᵀ, (k, d).
    """
    k, d = features.shape
    strength = 1.0 - 0.5 * next_uniform(chances, TASKS)
    squared = 0.0
    for f in range(d):
        truth[f] = model[f] + jitter * (2.0 * next_uniform(chances, TASKS) - 1.0)
        squared += truth[f] * truth[f]
        features[0, f] = strength * signal[f]
    for i in range(1, k):
        for f in range(d):
            features[i, f] = noise_scale * normals[(i - 1) * d + f]
    for i in range(k):
        labels[i] = inner(features[i], truth)
    return squared
