"""A task stream as it should be, and deliberately broken ones, each of which a check must catch."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Floats
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.stream import Evaluator, TaskBatch, identity_evaluator

SIZES = OffloadingConfig()
N, D = SIZES.num_types, SIZES.feature_dim


class Honest:
    """Gaussian samples labelled by a truth per type; the broken ones change one thing."""

    sum_bound: Any = 30.0

    @property
    def evaluator(self) -> Any:
        """Squared distance to the task's own truth."""
        return identity_evaluator(N)

    def start_episode(self, rng: np.random.Generator) -> Any:
        """Draw a truth for each type, (N, d)."""
        return rng.normal(size=(N, D))

    def draw(
        self, rng: np.random.Generator, episode: Any, types: NDArray[np.int64], out: TaskBatch
    ) -> None:
        """Write one task for each type."""
        self.write(rng, episode[types], out)

    def write(self, rng: np.random.Generator, truths: Floats, out: TaskBatch) -> None:
        """Write tasks of these truths, (count, d)."""
        out.features[:] = rng.normal(size=out.features.shape)
        out.labels[:] = np.einsum("udk,ud->uk", out.features, truths)
        out.linear[:] = truths
        out.constant[:] = (truths**2).sum(axis=1)


class Unbounded(Honest):
    """Says that sums have no bound."""

    sum_bound = float("inf")


class Crooked(Honest):
    """Judges by a form that is not symmetric."""

    @property
    def evaluator(self) -> Evaluator:
        """Return A with one entry off the diagonal."""
        forms = np.tile(np.eye(D), (N, 1, 1))
        forms[:, 0, 1] = 0.5
        return identity_evaluator(N)._replace(quadratic=forms)


class Sorting(Honest):
    """Sorts the types that it was given, in place."""

    def draw(self, rng: Any, episode: Any, types: Any, out: TaskBatch) -> None:
        """Sort, then write."""
        types.sort()
        super().draw(rng, episode, types, out)


class Negligent(Honest):
    """Writes no labels."""

    def write(self, rng: Any, truths: Floats, out: TaskBatch) -> None:
        """Write all but the labels."""
        super().write(rng, truths, out._replace(labels=out.labels.copy()))


class Negative(Honest):
    """Has errors below zero: c is too small for b."""

    def write(self, rng: Any, truths: Floats, out: TaskBatch) -> None:
        """Write half of c."""
        super().write(rng, truths, out)
        out.constant[:] *= 0.5


class Loud(Honest):
    """Draws sums far beyond its bound."""

    sum_bound = 0.5


class Worldly(Honest):
    """Takes its noise from NumPy's global generator, which it leaves where it was."""

    def write(self, rng: Any, truths: Floats, out: TaskBatch) -> None:
        """Write with numbers that the generator does not decide."""
        state = np.random.get_state()  # noqa: NPY002
        shift = np.random.normal()  # noqa: NPY002
        np.random.set_state(state)  # noqa: NPY002
        super().write(rng, truths + 0.01 * shift, out)


class Seeding(Honest):
    """Seeds NumPy's global generator for everybody."""

    def start_episode(self, rng: Any) -> Any:
        """Seed, then draw."""
        np.random.seed(0)  # noqa: NPY002
        return super().start_episode(rng)


class Shared(Honest):
    """Keeps the truths of the present episode in itself, not in what `start_episode` returns."""

    def __init__(self) -> None:
        self._truths = np.zeros((N, D))

    def start_episode(self, rng: Any) -> Any:
        """Draw the truths and keep them."""
        self._truths = super().start_episode(rng)

    def draw(self, rng: Any, episode: Any, types: Any, out: TaskBatch) -> None:
        """Write tasks of whichever episode began last."""
        super().draw(rng, self._truths, types, out)


class Uncopied:
    """An episode whose copies start anew."""

    def __init__(self, truths: Floats) -> None:
        self.truths, self.met = truths, 0

    def __deepcopy__(self, memo: Any) -> Uncopied:
        return Uncopied(self.truths)


class Forgetful(Honest):
    """Truths grow with every draw, which a copy of the episode forgets."""

    def start_episode(self, rng: Any) -> Any:
        """Return what cannot be copied."""
        return Uncopied(super().start_episode(rng))

    def draw(self, rng: Any, episode: Any, types: Any, out: TaskBatch) -> None:
        """Write tasks of truths that grow."""
        episode.met += 1
        super().draw(rng, episode.met * episode.truths, types, out)


class Locked(Honest):
    """Holds a lock, which no pickle takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()


class Homesick(Honest):
    """Is pickled without the scale of its truths."""

    scale = 1.0

    def __init__(self) -> None:
        self.scale = 2.0

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def write(self, rng: Any, truths: Floats, out: TaskBatch) -> None:
        """Write tasks of scaled truths."""
        super().write(rng, self.scale * truths, out)


class BrokenStream(NamedTuple):
    """A specimen and the checks that must fail, no others."""

    stream: Any
    fails: tuple[str, ...]


def broken_streams() -> list[BrokenStream]:
    """Return a specimen for every check of a task stream."""
    # All that a stream has, but for `draw`.
    honest = Honest()
    mute = SimpleNamespace(
        sum_bound=1.0, evaluator=honest.evaluator, start_episode=honest.start_episode
    )
    return [
        BrokenStream(Honest, ("offers_the_protocol",)),
        BrokenStream(mute, ("offers_the_protocol",)),
        BrokenStream(Unbounded(), ("sum_bound_is_a_number",)),
        BrokenStream(Crooked(), ("evaluator_fits",)),
        BrokenStream(Sorting(), ("types_are_left_alone",)),
        BrokenStream(Negligent(), ("tasks_are_whole",)),
        BrokenStream(Negative(), ("tasks_are_whole",)),
        BrokenStream(Loud(), ("sums_stay_within_the_bound",)),
        BrokenStream(Worldly(), ("the_generator_decides",)),
        BrokenStream(Seeding(), ("global_randomness_is_left_alone",)),
        BrokenStream(Shared(), ("episodes_do_not_meet",)),
        BrokenStream(Forgetful(), ("episodes_can_be_copied",)),
        BrokenStream(Locked(), ("pickles",)),
        BrokenStream(Homesick(), ("pickles",)),
    ]
