"""What a task stream must offer, and the arrays that tasks are written to."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import lean
from mec_moe_env.generators import Addresses, Generators, generator_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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


def check_judge(judge: Judge, num_types: int, feature_dim: int) -> None:
    """Check that compiled code can rely on the shapes of a stream's judge.

    Raises:
        ValueError: an array has another shape or is not float64; it is named.
    """
    N, d = num_types, feature_dim
    H = judge.heldout_labels.shape[-1]
    allowed: dict[str, list[tuple[int, ...]]] = {
        "quadratic": [(N, d, d), (N, 0, 0)],
        "heldout_features": [(N, H, d), (N, 0, 0)],
        "heldout_labels": [(N, H)],
    }
    for name, shapes in allowed.items():
        array = getattr(judge, name)
        if array.dtype != np.float64 or array.shape not in shapes:
            raise ValueError(
                f"judge.{name} has dtype {array.dtype} and shape {array.shape}: "
                f"it must be float64 of shape {' or '.join(map(str, shapes))}"
            )


class TaskSource(Protocol):
    """Tasks of many sub-environments at once: what the simulator draws from."""

    @property
    def sum_bound(self) -> float:
        """Bound on |Σ_i X_i| per feature, for the observation space."""

    @property
    def judge(self) -> Judge:
        """How models are judged."""

    def start(self, indices: Integers, generators: Generators) -> None:
        """Begin an episode of the sub-environments `indices`."""

    def draw(
        self,
        indices: Integers,
        generators: Generators,
        first_row: int,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Write tasks of the given types to rows first_row.. of the blocks of `indices`.

        `types` has shape (n, B, U), and these three axes lead every array of `out`.
        """


class StreamSource:
    """A task stream of the user's own, drawn for one sub-environment after the other."""

    def __init__(self, stream: TaskStream, num_envs: int) -> None:
        self._stream = stream
        self._episodes: list[Any] = [None] * num_envs

    @property
    def sum_bound(self) -> float:
        """The stream's."""
        return float(self._stream.sum_bound)

    @property
    def judge(self) -> Judge:
        """The stream's."""
        return self._stream.judge

    def start(self, indices: Integers, generators: Generators) -> None:
        """Let the stream draw what an episode keeps."""
        for index in indices.tolist():
            self._episodes[index] = self._stream.start_episode(generators[index])

    def draw(
        self,
        indices: Integers,
        generators: Generators,
        first_row: int,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Let the stream draw block after block."""
        for index in indices.tolist():
            wanted = types[index, first_row:].reshape(-1)
            parts = (array[index, first_row:] for array in out)
            flat = TaskBatch(*(part.reshape(len(wanted), *part.shape[2:]) for part in parts))
            self._stream.draw(generators[index], self._episodes[index], wanted, flat)


@lean
def draw_types(
    addresses: Addresses,
    indices: Integers,
    first_row: int,
    cumulative: Floats,
    persistence: float,
    last_type: Integers,
    types: Integers,
) -> None:
    """Write the types of the next tasks, a Markov chain.

    With probability `persistence` a task repeats the type before it, otherwise it is drawn from
    the frequencies: uniform and independent in Li & Duan 2024, bursts are our extension.

    Args:
        addresses: generators; two uniforms per task are drawn.
        indices: sub-environments to draw for.
        first_row: first row of the block to write.
        cumulative: cumulative frequencies, shape (N,), the last one 1.
        persistence: probability of a repetition.
        last_type: type of the task before, −1 at the start of an episode, (n,), updated.
        types: written, (n, B, U).
    """
    for position in range(indices.shape[0]):
        i = indices[position]
        rng = generator_of(addresses, i)
        for b in range(first_row, types.shape[1]):
            for u in range(types.shape[2]):
                repeats = rng.random() < persistence
                level = rng.random()
                n = last_type[i]
                if n < 0 or not repeats:
                    n = 0
                    while n < cumulative.shape[0] - 1 and level >= cumulative[n]:
                        n += 1
                types[i, b, u] = n
                last_type[i] = n
