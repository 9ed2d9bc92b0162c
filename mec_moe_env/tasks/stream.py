"""What a task stream must offer, and the arrays that tasks are written to."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.compilation import lean
from mec_moe_env.randomness import TYPES, Randomness
from mec_moe_env.streams import Streams, next_uniform

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

    @property
    def block(self) -> int | None:
        """Slots to draw at once; None lets the simulator choose, the tasks being the same."""

    def start(self, indices: Integers, randomness: Randomness) -> None:
        """Begin an episode of the sub-environments `indices`."""

    def draw(
        self,
        indices: Integers,
        rows: Integers,
        block: int,
        randomness: Randomness,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Write tasks of the given types to `block` rows of each of the sub-environments `indices`.

        `rows`, (len(indices),), are the first of them; `types` has shape (n, B, U), and these
        three axes lead every array of `out`. Here X lies transposed, (n, B, U, k, d): a sample
        after the other.
        """


class StreamSource:
    """A task stream of the user's own, drawn for one sub-environment after the other.

    How many tasks the stream is asked for at once may change what it draws: always as many.
    """

    block = 32

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

    def start(self, indices: Integers, randomness: Randomness) -> None:
        """Let the stream draw what an episode keeps."""
        for index in indices.tolist():
            self._episodes[index] = self._stream.start_episode(randomness[index])

    def draw(
        self,
        indices: Integers,
        rows: Integers,
        block: int,
        randomness: Randomness,
        types: Integers,
        out: TaskBatch,
    ) -> None:
        """Let the stream draw block after block."""
        for index, row in zip(indices.tolist(), rows.tolist(), strict=True):
            wanted = types[index, row : row + block].reshape(-1)
            parts = (array[index, row : row + block] for array in out)
            flat = TaskBatch(*(part.reshape(len(wanted), *part.shape[2:]) for part in parts))
            flat = flat._replace(features=flat.features.transpose(0, 2, 1))
            self._stream.draw(randomness[index], self._episodes[index], wanted, flat)


@lean
def draw_types(
    streams: Streams,
    indices: Integers,
    rows: Integers,
    block: int,
    cumulative: Floats,
    persistence: float,
    last_type: Integers,
    types: Integers,
) -> None:
    """Write the types of the next tasks, a Markov chain.

    With probability `persistence` a task repeats the type before it, otherwise it is drawn from
    the frequencies: uniform and independent in Li & Duan 2024, bursts are our extension.

    Args:
        streams: by sub-environment and purpose; two uniforms per task are drawn.
        indices: sub-environments to draw for.
        rows: first row to write of each, (len(indices),).
        block: number of rows to write.
        cumulative: cumulative frequencies, shape (N,), the last one 1.
        persistence: probability of a repetition.
        last_type: type of the task before, −1 at the start of an episode, (n,), updated.
        types: written, (n, B, U).
    """
    for position in range(indices.shape[0]):
        i = indices[position]
        for b in range(rows[position], rows[position] + block):
            for u in range(types.shape[2]):
                repeats = next_uniform(streams[i], TYPES) < persistence
                level = next_uniform(streams[i], TYPES)
                n = last_type[i]
                if n < 0 or not repeats:
                    n = 0
                    while n < cumulative.shape[0] - 1 and level >= cumulative[n]:
                        n += 1
                types[i, b, u] = n
                last_type[i] = n
