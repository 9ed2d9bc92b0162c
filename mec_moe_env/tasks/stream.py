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
    """c, (count,): the error of the zero model; no model's error may be negative."""


class Evaluator(NamedTuple):
    """How errors are measured, by type; shared by all sub-environments."""

    quadratic: Floats
    """A of each type, (N, d, d), symmetric positive semidefinite; (N, 0, 0) is the identity."""
    heldout_features: Floats
    """Held-out samples of each type, (N, H, d); H = 0 without real data."""
    heldout_labels: Floats
    """Their labels ±1, (N, H), at least one of each type; 0 pads types with fewer samples."""


@runtime_checkable
class TaskStream(Protocol):
    """Where tasks come from. Pass an own implementation as `OffloadingConfig(tasks=...)`.

    A stream is shared by all sub-environments, so it must not change after construction: what
    belongs to one episode is returned by `start_episode` and handed back to `draw`. All
    randomness comes from the generators passed in.

    An episode has a generator of its own, for `start_episode` and every `draw`, which its seed
    alone decides: how far the episode is played changes nothing about the next one.

    Numbers are finite and at most 1e30 in size. The evaluator and the bound are read and checked
    once, by whoever builds an environment, and what `draw` has written is checked every time:
    a ValueError names the array, the task and what is allowed.
    """

    @property
    def sum_bound(self) -> float:
        """Bound on |Σ_i X_i| per feature, in [1e-30, 1e30]; what is shown is clipped to it."""

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
        """Write one task for each entry of `types`, shape (count,), to all arrays of `out`."""


def draw_tasks(
    stream: TaskStream,
    rng: np.random.Generator,
    episode: Any,
    types: NDArray[np.int64],
    shape: tuple[int, int],
) -> TaskBatch:
    """Let a stream write tasks of these types, (count,); unchecked.

    Args:
        stream: what draws.
        rng: the episode's generator.
        episode: what `start_episode` returned.
        types: (count,).
        shape: (d, k) of a task's features.
    """
    d, k = shape
    # Of NaN, so that what is left unwritten is noticed.
    shapes = (k, d), (k,), (d,), ()
    blank = TaskBatch(*(np.full((len(types), *each), np.nan) for each in shapes))
    # A stream writes X with a column for each sample; a row for each lies in memory.
    stream.draw(rng, episode, types.copy(), blank._replace(features=_columns(blank)))
    # A copy, as that of the types: whatever a stream does with its arrays later harms nobody.
    drawn = TaskBatch(*(array.copy() for array in blank))
    return drawn._replace(features=_columns(drawn))


def _columns(tasks: TaskBatch) -> Floats:
    """View Xᵀ as X, (count, d, k)."""
    return tasks.features.transpose(0, 2, 1)


def identity_evaluator(num_types: int) -> Evaluator:
    """Measure models by their squared distance to the task's own truth (Li & Duan 2024)."""
    return Evaluator(
        np.empty((num_types, 0, 0)), np.empty((num_types, 0, 0)), np.empty((num_types, 0))
    )
