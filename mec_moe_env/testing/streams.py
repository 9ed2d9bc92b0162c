"""Checks of a task stream: what it must be, draw, and leave alone."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.tasks.checks import TaskCheck, check_evaluator, check_sum_bound
from mec_moe_env.tasks.stream import TaskBatch, TaskStream, draw_tasks
from mec_moe_env.testing.conformance import (
    NOTHING_EXPECTED,
    Check,
    basic,
    bind,
    require,
    run_checks,
)
from mec_moe_env.testing.randomness import global_seed, global_state

EACH = 16
"""Tasks of each type in a draw."""


@dataclass(frozen=True)
class StreamCase:
    """A stream, and the sizes that it is asked for."""

    stream: Any
    config: OffloadingConfig

    @property
    def types(self) -> NDArray[np.int64]:
        """Some tasks of every type."""
        return np.arange(EACH * self.config.num_types, dtype=np.int64) % self.config.num_types

    def draws(self, stream: Any, seed: int, times: int = 2) -> list[TaskBatch]:
        """Return what the stream draws, one after the other, in the episode of a seed."""
        rng = np.random.default_rng(seed)
        episode = stream.start_episode(rng)
        shape = self.config.feature_dim, self.config.samples_per_task
        return [draw_tasks(stream, rng, episode, self.types, shape) for _ in range(times)]


@basic
def offers_the_protocol(case: StreamCase) -> None:
    """It is an object with all that `TaskStream` has, not a class."""
    require(not isinstance(case.stream, type), f"{case.stream!r} is a class: give an instance")
    missing = [
        name
        for name in ("sum_bound", "evaluator", "start_episode", "draw")
        if not hasattr(case.stream, name)
    ]
    require(isinstance(case.stream, TaskStream), f"it lacks {', '.join(missing)}")


@basic
def sum_bound_is_a_number(case: StreamCase) -> None:
    """`sum_bound` is a number in [1e-30, 1e30]."""
    check_sum_bound(case.stream.sum_bound)


@basic
def evaluator_fits(case: StreamCase) -> None:
    """The evaluator's arrays have the shapes of the scenario, and A is positive semidefinite."""
    config = case.config
    evaluator = check_evaluator(case.stream.evaluator, config.num_types, config.feature_dim)
    TaskCheck(case.stream, evaluator.quadratic)


@basic
def types_are_left_alone(case: StreamCase) -> None:
    """`draw` reads the types and writes none of them."""
    rng, config = np.random.default_rng(0), case.config
    count, d, k = len(case.types), config.feature_dim, config.samples_per_task
    episode = case.stream.start_episode(rng)
    shapes = (count, d, k), (count, k), (count, d), (count,)
    types = case.types
    case.stream.draw(rng, episode, types, TaskBatch(*(np.zeros(shape) for shape in shapes)))
    require(np.array_equal(types, case.types), "draw has changed the types that it was given")


def tasks_are_whole(case: StreamCase) -> None:
    """Every number is written and finite, and no model's error can be negative."""
    config = case.config
    evaluator = check_evaluator(case.stream.evaluator, config.num_types, config.feature_dim)
    check = TaskCheck(case.stream, evaluator.quadratic)
    for tasks in case.draws(case.stream, seed=0):
        check(case.types, tasks)


def sums_stay_within_the_bound(case: StreamCase) -> None:
    """No |Σ_i X_i| exceeds `sum_bound`: an observation would show it clipped."""
    bound = float(case.stream.sum_bound)
    for tasks in case.draws(case.stream, seed=1):
        largest = float(np.nan_to_num(np.abs(tasks.features.sum(axis=2))).max())
        require(largest <= bound, f"|sum of X| reaches {largest:.6g}, sum_bound is {bound:.6g}")


def the_generator_decides(case: StreamCase) -> None:
    """Equal generators give equal tasks; no other randomness is used."""
    with global_seed(1):
        first = case.draws(case.stream, seed=2)
    with global_seed(2):
        second = case.draws(case.stream, seed=2)
    require(
        _equal(first, second),
        "two episodes with equal generators differ: take all randomness from the one passed in",
    )


def global_randomness_is_left_alone(case: StreamCase) -> None:
    """It neither seeds nor moves the global generators of NumPy and Python."""
    with global_seed(3):
        before = global_state()
        case.draws(case.stream, seed=3)
        require(before == global_state(), "drawing has changed a global generator")


def episodes_do_not_meet(case: StreamCase) -> None:
    """What other episodes draw in between changes nothing: an episode's state is its own."""
    alone = case.draws(case.stream, seed=4)
    rng = np.random.default_rng(4)
    episode = case.stream.start_episode(rng)
    shape = case.config.feature_dim, case.config.samples_per_task
    between = []
    for _ in alone:
        between.append(draw_tasks(case.stream, rng, episode, case.types, shape))
        case.draws(case.stream, seed=5, times=1)
    require(
        _equal(alone, between),
        "an episode draws otherwise when another one is played beside it: keep what belongs to "
        "an episode in what start_episode returns, not in the stream",
    )


def episodes_can_be_copied(case: StreamCase) -> None:
    """A deep copy of an episode under way goes on as the episode does: `foresight` needs it."""
    rng = np.random.default_rng(6)
    shape = case.config.feature_dim, case.config.samples_per_task
    episode = case.stream.start_episode(rng)
    draw_tasks(case.stream, rng, episode, case.types, shape)
    other_rng, other = copy.deepcopy((rng, episode))
    ahead = draw_tasks(case.stream, other_rng, other, case.types, shape)
    now = draw_tasks(case.stream, rng, episode, case.types, shape)
    require(_equal([ahead], [now]), "a copy of an episode draws otherwise than the episode")


def pickles(case: StreamCase) -> None:
    """It goes through pickle, as to a worker, and draws the same there."""
    there = pickle.loads(pickle.dumps(case.stream))
    here = case.draws(case.stream, seed=7)
    require(_equal(here, case.draws(there, seed=7)), "an unpickled stream draws otherwise")


STREAM_CHECKS = (
    offers_the_protocol,
    sum_bound_is_a_number,
    evaluator_fits,
    types_are_left_alone,
    tasks_are_whole,
    sums_stay_within_the_bound,
    the_generator_decides,
    global_randomness_is_left_alone,
    episodes_do_not_meet,
    episodes_can_be_copied,
    pickles,
)


def task_stream_checks(stream: Any, config: OffloadingConfig | None = None) -> list[Check]:
    """Return the checks of a stream, not yet run.

    Args:
        stream: a `mec_moe_env.tasks.TaskStream`.
        config: the scenario that it is for: number of types, features and samples. The default one
            if left out.
    """
    return bind(STREAM_CHECKS, StreamCase(stream, config or OffloadingConfig()))


def check_task_stream(
    stream: Any,
    config: OffloadingConfig | None = None,
    *,
    expected_failures: Mapping[str, str] = NOTHING_EXPECTED,
) -> list[str]:
    """Check a task stream of one's own; return the names of the checks that passed.

    Args:
        stream: a `mec_moe_env.tasks.TaskStream`.
        config: the scenario that it is for; the default one if left out.
        expected_failures: by name of a check, why it may fail.

    Example:
        >>> from mec_moe_env.testing import check_task_stream
        >>> from mec_moe_env.testing.broken_streams import Honest
        >>> len(check_task_stream(Honest()))
        11

    Raises:
        ConformanceError: a check failed that should not, or the reverse; each is named.
        ValueError: there is no check of an expected failure's name.
    """
    return run_checks(stream, task_stream_checks(stream, config), expected_failures)


def _equal(here: list[TaskBatch], there: list[TaskBatch]) -> bool:
    return all(
        np.array_equal(one, other, equal_nan=True)
        for mine, others in zip(here, there, strict=True)
        for one, other in zip(mine, others, strict=True)
    )
