"""What a task stream must offer, and the arrays that tasks are written to."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Floats


class TaskBatch(NamedTuple):
    """Tasks to be written by a stream; `count` tasks with k samples of d features."""

    features: Floats
    """X, (count, d, k)."""
    labels: Floats
    """y, (count, k)."""
    linear: Floats
    """b, (count, d): with A of the type, the error of a model w is wᵀAw − 2 bᵀw + c."""
    constant: Floats
    """c, (count,): the error of the zero model."""


class Evaluator(NamedTuple):
    """How errors are measured, by type; shared by all sub-environments."""

    quadratic: Floats
    """A of each type, (N, d, d); (N, 0, 0) stands for the identity."""
    heldout_features: Floats
    """Held-out samples of each type, (N, H, d); H = 0 without real data."""
    heldout_labels: Floats
    """Their labels ±1, (N, H); 0 pads types with fewer samples."""


@runtime_checkable
class TaskStream(Protocol):
    """Where tasks come from. Pass an own implementation as `OffloadingConfig(tasks=...)`.

    A stream is shared by all sub-environments, so it must not change after construction: what
    belongs to one episode is returned by `start_episode` and handed back to `draw`. All
    randomness comes from the generators passed in.
    """

    @property
    def sum_bound(self) -> float:
        """Bound on |Σ_i X_i| per feature, for the observation space."""

    @property
    def evaluator(self) -> Evaluator:
        """How models are judged."""

    def start_episode(self, rng: np.random.Generator) -> Any:
        """Draw what stays fixed over an episode, such as the ground truths."""

    def draw(
        self,
        rng: np.random.Generator,
        episode: Any,
        types: NDArray[np.int64],
        out: TaskBatch,
    ) -> None:
        """Write one task for each entry of `types`, shape (count,), to `out`."""


def identity_evaluator(num_types: int) -> Evaluator:
    """Measure models by their squared distance to the task's own truth (Li & Duan 2024)."""
    return Evaluator(
        np.empty((num_types, 0, 0)), np.empty((num_types, 0, 0)), np.empty((num_types, 0))
    )


def check_evaluator(evaluator: Evaluator, num_types: int, feature_dim: int) -> None:
    """Check that compiled code can rely on the shapes of a stream's evaluator.

    Raises:
        ValueError: an array has another shape or is not float64; it is named.
    """
    N, d = num_types, feature_dim
    H = evaluator.heldout_labels.shape[-1]
    allowed: dict[str, list[tuple[int, ...]]] = {
        "quadratic": [(N, d, d), (N, 0, 0)],
        "heldout_features": [(N, H, d), (N, 0, 0)],
        "heldout_labels": [(N, H)],
    }
    for name, shapes in allowed.items():
        array = getattr(evaluator, name)
        if array.dtype != np.float64 or array.shape not in shapes:
            raise ValueError(
                f"evaluator.{name} has dtype {array.dtype} and shape {array.shape}: "
                f"it must be float64 of shape {' or '.join(map(str, shapes))}"
            )
