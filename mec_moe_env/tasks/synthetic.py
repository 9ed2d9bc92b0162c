"""Synthetic tasks of Li & Duan 2024, Definition 1: one ground truth and one signal per type."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import TASKS, NormalScratch, Streams, draw_normals, next_uniform
from mec_moe_env.experts import inner
from mec_moe_env.offloading.config import OffloadingConfig


class SyntheticTables(NamedTuple):
    """The types of every sub-environment's episode.

    A task of type n has ground truth w_n + jitter and features X (d, k) with one column β·v_n,
    β ~ U(0.5, 1] (reconstructed), and k − 1 columns N(0, σ_t²·I); labels are Xᵀw.
    """

    truth_scale: float
    jitter: float
    noise_scale: float
    models: Floats
    """Ground truths w_n, (n, N, d)."""
    signals: Floats
    """Feature signals v_n, (n, N, d), norm √d; orthogonal while there are dimensions."""


def make_synthetic(config: OffloadingConfig, num_envs: int) -> SyntheticTables:
    """Allocate the types of `num_envs` sub-environments."""
    shape = (num_envs, config.num_types, config.feature_dim)
    return SyntheticTables(
        truth_scale=float(config.truth_scale),
        jitter=float(config.type_jitter),
        noise_scale=float(config.noise_scale),
        models=np.empty(shape),
        signals=np.empty(shape),
    )


def synthetic_bound(config: OffloadingConfig) -> float:
    """Return a bound on |Σ_i X_i| per feature: the signal, and eight deviations of the noise."""
    noise = config.noise_scale * math.sqrt(config.samples_per_task - 1)
    return math.sqrt(config.feature_dim) + 8.0 * noise


@device
def draw_truths(streams: Streams, tables: SyntheticTables, i: int, numbers: NormalScratch) -> None:
    """Draw the ground truths N(0, σ0²·I) and the feature signals of an episode."""
    N, d = tables.models.shape[1:]
    draw_normals(streams, TASKS, numbers, 2 * N * d)
    normals = numbers.normals
    for n in range(N):
        for f in range(d):
            tables.models[i, n, f] = tables.truth_scale * normals[n * d + f]
            tables.signals[i, n, f] = normals[(N + n) * d + f]
        orthogonalise(tables.signals[i], n)


@device
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


@device
def draw_synthetic_task(
    streams: Streams,
    tables: SyntheticTables,
    i: int,
    n: int,
    numbers: NormalScratch,
    features: Floats,
    labels: Floats,
    truth: Floats,
) -> float:
    """Write a task of type n in sub-environment i; return the zero model's error ‖w‖².

    `features` is Xᵀ, (k, d), `labels` y, (k,), `truth` the task's own ground truth w, (d,).
    """
    k, d = features.shape
    draw_normals(streams, TASKS, numbers, d * (k - 1))
    strength = 1.0 - 0.5 * next_uniform(streams, TASKS)
    squared = 0.0
    for f in range(d):
        truth[f] = tables.models[i, n, f] + tables.jitter * (
            2.0 * next_uniform(streams, TASKS) - 1.0
        )
        squared += truth[f] * truth[f]
        features[0, f] = strength * tables.signals[i, n, f]
    noisy = features.reshape(features.size)[d:]
    for index in range(d * (k - 1)):
        noisy[index] = tables.noise_scale * numbers.normals[index]
    for sample in range(k):
        labels[sample] = inner(features[sample], truth)
    return squared
