"""The first author's program written a second time, slowly, from its description alone.

Li et al. 2025 (arXiv 2406.16437), `fig2_forgetting_error.py`. All random numbers are given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mec_moe_env.core.buffers import Flags, Floats

D, R, K_SAMPLES, N, CLUSTERS = 10, 6, 6, 7, 3
SIGMA0, ETA, ALPHA = 0.4, 0.5, 0.5


def make_pool(normals: Floats) -> Floats:
    """Return the truths of all types, (N, d), from normal numbers, (N, r)."""
    truths = np.zeros((N, D))
    for n in range(N):
        if n < CLUSTERS:
            truths[n, :R] = SIGMA0 * normals[n] / np.linalg.norm(normals[n])
        else:
            truths[n] = truths[n - CLUSTERS]
            truths[n, :R] += SIGMA0 / 200 * normals[n]
    return truths


def make_task(truth: Floats, noise: Floats, leaks: Floats, column: int) -> tuple[Floats, Floats]:
    """Return X, (d, k), and y, (k,); `noise` is (k − 1, r), `leaks` (d − r,)."""
    X = np.zeros((D, K_SAMPLES))
    rows = iter(noise)
    for i in range(K_SAMPLES):
        if i == column:
            X[:, i] = 6 * truth / np.linalg.norm(truth)
        else:
            row = next(rows)
            X[:R, i] = 0.1 * row / np.linalg.norm(row)
    for i in range(D - R):
        X[R + i] = X[i] * leaks[i] * (1e-5 if i == column else 1e-3)
    return X, X.T @ truth


def as_observed(value: Any) -> Any:
    """Round as an observation does: the gate is chaotic, so that last digits decide in the end."""
    return np.float64(np.float32(value))


@dataclass
class Program:
    """M experts and their gate."""

    M: int
    models: Floats = field(init=False)
    theta: Floats = field(init=False)
    flags: Flags = field(init=False)
    truths: list[Floats] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)
    learned: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.models, self.theta = np.zeros((self.M, D)), np.zeros((self.M, D))
        self.flags = np.zeros(self.M, np.bool_)

    def play(self, truth: Floats, X: Floats, y: Floats, noise: Floats) -> None:
        """Route one task, train on it, and learn from that; `noise` is r, (M,)."""
        t, x = len(self.chosen), as_observed(X.sum(axis=1))
        h = self.theta @ x + noise
        m = int(np.argmax(h))
        pi = np.exp(h - h.max())
        pi /= pi.sum()
        w = self.models[m].copy()
        self.models[m] = w + X @ np.linalg.pinv(X.T @ X) @ (y - X.T @ w)
        if t >= self.M / ETA:
            for j in range(self.M):
                if j != m and abs(h[j] - h[m]) < SIGMA0**1.25:
                    self.flags[j] = True
        if not self.flags.all() or t < 80 + 3 * self.M:
            loss = as_observed(np.linalg.norm(self.models[m] - w)) + ALPHA * self.M / (t + 1)
            for j in range(self.M):
                self.theta[j] -= ETA * pi[m] * ((j == m) - pi[j]) * loss * x
        self.truths.append(truth)
        self.chosen.append(m)
        self.learned.append(self.error(t))

    def error(self, i: int) -> float:
        """Return how far the expert of task i is from its truth now."""
        return float(np.linalg.norm(self.models[self.chosen[i]] - self.truths[i]))

    @property
    def generalization_error(self) -> float:
        """Return G after the rounds so far."""
        t = len(self.chosen)
        return sum(self.error(i) for i in range(t)) / (t + 1)

    @property
    def forgetting(self) -> float:
        """Return F after the rounds so far."""
        t = len(self.chosen)
        return sum(abs(self.error(i) - self.learned[i]) for i in range(t - 1)) / t
