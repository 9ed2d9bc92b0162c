"""Synthetic tasks of Li & Duan 2024, Definition 1: one ground truth and one signal per type."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Floats, Singles
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import (
    TASKS,
    NormalScratch,
    Streams,
    draw_normals,
    next_uniform,
    scratch_for,
)
from mec_moe_env.experts import inner
from mec_moe_env.offloading.config import OffloadingConfig

LEAK = 1e-3
"""Share of a coordinate within the rank that the one beyond it gets, times a normal number."""
FAINT_LEAK = 1e-5
"""The same where the number of the coordinate is that of the sample with the signal."""
SHORTEST = 1e-300
"""Square below which a vector has no direction."""


class SyntheticTables(NamedTuple):
    """The types of every sub-environment's episode, and how their tasks are drawn.

    A task of type n has ground truth w_n + jitter and features X (d, k) with one column β·v_n,
    β uniform (reconstructed), and k − 1 columns of noise; labels are Xᵀw. Of rank r < d, the
    coordinates from r on are those of the author's program (Li et al. 2025, arXiv 2406.16437).
    """

    rank: int
    """r."""
    truth_scale: float
    truths_on_sphere: bool
    clusters: int
    """K, types whose truth is not made from another's."""
    cluster_spread: float
    jitter: float
    parallel: bool
    """Whether signals are parallel to the truths."""
    signal_norm: float
    """0 is √d."""
    strength: tuple[float, float]
    """Lowest (never reached) and highest β."""
    noise_scale: float
    noise_on_sphere: bool
    models: Floats
    """Ground truths w_n, (n, N, d)."""
    signals: Floats
    """Feature signals v_n, (n, N, d)."""


def make_synthetic(config: OffloadingConfig, num_envs: int) -> SyntheticTables:
    """Allocate the types of `num_envs` sub-environments."""
    shape = (num_envs, config.num_types, config.feature_dim)
    low, high = map(float, config.signal_strength)
    return SyntheticTables(
        rank=config.rank,
        truth_scale=float(config.truth_scale),
        truths_on_sphere=config.truth_law == "sphere",
        clusters=config.truth_clusters or config.num_types,
        cluster_spread=float(config.cluster_spread),
        jitter=float(config.type_jitter),
        parallel=config.signal_direction == "parallel",
        signal_norm=float(config.signal_norm),
        strength=(low, high),
        noise_scale=float(config.noise_scale),
        noise_on_sphere=config.noise_law == "sphere",
        models=np.zeros(shape),
        signals=np.zeros(shape),
    )


def synthetic_scratch(config: OffloadingConfig) -> NormalScratch:
    """Return room for the normal numbers of an episode's types, or of a task."""
    d, k = config.feature_dim, config.samples_per_task
    return scratch_for(d * max(2 * config.num_types, k))


def synthetic_bound(config: OffloadingConfig) -> float:
    """Return a bound on |Σ_i X_i| per feature: the signal, and eight deviations of the noise."""
    noise = config.noise_scale * math.sqrt(config.samples_per_task - 1)
    signal = config.signal_norm or math.sqrt(config.feature_dim)
    return config.signal_strength[1] * signal + 8.0 * noise


def expected_truth(config: OffloadingConfig) -> float:
    """Return the mean of ‖w_n‖² over the types, what a rejected task is expected to cost."""
    r, N = config.rank, config.num_types
    own = config.truth_scale**2 * (1 if config.truth_law == "sphere" else r)
    offsets = np.arange(N) // (config.truth_clusters or N)
    return float(own + r * config.cluster_spread**2 * offsets.mean())


@device
def draw_truths(streams: Streams, tables: SyntheticTables, i: int, numbers: NormalScratch) -> None:
    """Draw the ground truths, N(0, σ0²·I) or of length σ0, and the signals of an episode."""
    N, d = tables.models.shape[1:]
    r = tables.rank
    draw_normals(streams, TASKS, numbers, 2 * N * r)
    normals = numbers.normals
    for n in range(N):
        write_truth(tables, i, n, normals[n * r : (n + 1) * r])
        for f in range(r):
            own = tables.models[i, n, f]
            tables.signals[i, n, f] = own if tables.parallel else normals[(N + n) * r + f]
        if not tables.parallel:
            orthogonalise(tables.signals[i], n, r)
        lengthen(tables.signals[i, n], r, d)
    for n in range(N if tables.signal_norm > 0.0 else 0):
        lengthen(tables.signals[i, n], r, tables.signal_norm * tables.signal_norm)


@device
def write_truth(tables: SyntheticTables, i: int, n: int, normals: Singles) -> None:
    """Write the ground truth of type n from normal numbers, (r,)."""
    truth, r, nearby = tables.models[i, n], tables.rank, n - tables.clusters
    scale = tables.cluster_spread if nearby >= 0 else tables.truth_scale
    for f in range(r):
        truth[f] = scale * normals[f]
    if nearby >= 0:
        for f in range(r):
            truth[f] += tables.models[i, nearby, f]
    elif tables.truths_on_sphere:
        lengthen(truth, r, tables.truth_scale * tables.truth_scale)


@device
def orthogonalise(signals: Floats, n: int, r: int) -> None:
    """Make signal n of (N, d) orthogonal to those before, of norm √d, while n < r."""
    d = signals.shape[1]
    for other in range(n if n < r else 0):
        overlap = 0.0
        for f in range(r):
            overlap += signals[n, f] * signals[other, f]
        for f in range(r):
            signals[n, f] -= overlap / d * signals[other, f]


@device
def lengthen(vector: Floats, r: int, wanted: float) -> None:
    """Give the first r coordinates of a vector the squared length `wanted`, if they are not 0."""
    squared = SHORTEST
    for f in range(r):
        squared += vector[f] * vector[f]
    scale = math.sqrt(wanted / squared)
    for f in range(r):
        vector[f] *= scale


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
    r = tables.rank
    draw_normals(streams, TASKS, numbers, r * (k - 1) + d - r)
    low, high = tables.strength
    strength = high - (high - low) * next_uniform(streams, TASKS)
    squared = 0.0
    for f in range(r):
        truth[f] = tables.models[i, n, f] + tables.jitter * (
            2.0 * next_uniform(streams, TASKS) - 1.0
        )
        squared += truth[f] * truth[f]
    for f in range(r, d):
        truth[f] = 0.0
    # Where the signal stands among the samples matters to the coordinates beyond the rank alone.
    place = int(next_uniform(streams, TASKS) * k) if r < d else 0
    for f in range(r):
        features[place, f] = strength * tables.signals[i, n, f]
    write_noise(tables, numbers.normals, place, features)
    write_leaks(numbers.normals[r * (k - 1) :], r, place, features)
    for sample in range(k):
        labels[sample] = inner(features[sample], truth)
    return squared


@device
def write_noise(tables: SyntheticTables, normals: Singles, place: int, features: Floats) -> None:
    """Write the samples without the signal, which is at `place`, from r·(k − 1) normal numbers."""
    r, column = tables.rank, 0
    for sample in range(features.shape[0]):
        if sample != place:
            for f in range(r):
                features[sample, f] = tables.noise_scale * normals[column * r + f]
            if tables.noise_on_sphere:
                lengthen(features[sample], r, tables.noise_scale * tables.noise_scale)
            column += 1


@device
def write_leaks(normals: Singles, r: int, place: int, features: Floats) -> None:
    """Write the coordinates beyond the rank, each a small multiple of another.

    Coordinate r + i is coordinate i times a normal number, (d − r,), times `LEAK`: numerically the
    samples have rank r (the first author's program, Li et al. 2025, arXiv 2406.16437).
    """
    for i in range(features.shape[1] - r):
        leak = (FAINT_LEAK if i == place else LEAK) * normals[i]
        for sample in range(features.shape[0]):
            features[sample, r + i] = leak * features[sample, i]
