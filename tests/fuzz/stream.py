"""A task stream as a user may write it: random tasks, forms and held-out samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.tasks import Evaluator, TaskBatch, identity_evaluator

HELDOUT = 7


class RandomTasks:
    """Tasks on random truths; judged by the distance to them or, `judged`, by held-out samples."""

    sum_bound = 20.0

    def __init__(self, seed: int, types: int, features: int, judged: bool) -> None:
        self._seed, self._types, self._features = seed, types, features
        self.evaluator = self._make_evaluator() if judged else identity_evaluator(types)

    def __repr__(self) -> str:
        judged = self.evaluator.heldout_labels.shape[1] > 0
        return f"RandomTasks({self._seed}, {self._types}, {self._features}, {judged})"

    def _make_evaluator(self) -> Evaluator:
        """Draw held-out samples of each type; A is the mean of x·xᵀ over them."""
        rng = np.random.default_rng(self._seed)
        samples = rng.standard_normal((self._types, HELDOUT, self._features))
        labels = np.where(rng.random((self._types, HELDOUT)) < 0.5, -1.0, 1.0)
        labels[:, rng.integers(1, HELDOUT + 1) :] = 0.0
        real = np.count_nonzero(labels, axis=1)[:, np.newaxis, np.newaxis]
        known = samples * (labels != 0.0)[..., np.newaxis]
        return Evaluator(known.transpose(0, 2, 1) @ known / real, known, labels)

    def start_episode(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the ground truths of the types, (N, d)."""
        return rng.standard_normal((self._types, self._features))

    def draw(
        self, rng: np.random.Generator, episode: Any, types: NDArray[np.int64], out: TaskBatch
    ) -> None:
        """Write samples labelled by the truth, and by what a model's error on them is judged."""
        truths = episode[types]
        out.features[:] = rng.standard_normal(out.features.shape)
        out.labels[:] = np.einsum("udk,ud->uk", out.features, truths)
        form = self.evaluator
        if form.quadratic.size == 0:
            out.linear[:], out.constant[:] = truths, (truths**2).sum(axis=1)
            return
        for row, n in enumerate(types):
            real = form.heldout_labels[n] != 0.0
            samples, labels = form.heldout_features[n, real], form.heldout_labels[n, real]
            out.linear[row] = samples.T @ labels / len(labels)
            out.constant[row] = 1.0
