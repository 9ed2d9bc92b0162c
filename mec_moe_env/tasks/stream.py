"""What a task stream must offer, and the arrays that tasks are written to."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import compiled

Floats = NDArray[np.float64]


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


class Judge(NamedTuple):
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
    def judge(self) -> Judge:
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


def identity_judge(num_types: int) -> Judge:
    """Judge models by their squared distance to the task's own ground truth (Li & Duan 2024)."""
    return Judge(np.empty((num_types, 0, 0)), np.empty((num_types, 0, 0)), np.empty((num_types, 0)))


@compiled
def draw_types(
    rng: np.random.Generator,
    cumulative: Floats,
    persistence: float,
    previous: int,
    out: NDArray[np.int64],
) -> int:
    """Write the types of the next tasks, a Markov chain, and return the last.

    With probability `persistence` a task repeats the type before it, otherwise it is drawn from
    the frequencies: uniform and independent in Li & Duan 2024, bursts are our extension.

    Args:
        rng: random generator; two uniforms per task.
        cumulative: cumulative frequencies, shape (N,), the last one 1.
        persistence: probability of a repetition.
        previous: type of the task before, −1 at the start of an episode.
        out: written, shape (count,).
    """
    for u in range(out.shape[0]):
        repeats = rng.random() < persistence
        level = rng.random()
        if previous < 0 or not repeats:
            previous = 0
            while previous < cumulative.shape[0] - 1 and level >= cumulative[previous]:
                previous += 1
        out[u] = previous
    return previous
