"""Where the tasks of a scenario come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Integers
from mec_moe_env.core.rng import Randomness
from mec_moe_env.core.simulator import RESET, STEP, Orders
from mec_moe_env.offloading.arrivals import Given, Process, draw_types
from mec_moe_env.offloading.config import TASK_STREAMS, OffloadingConfig
from mec_moe_env.offloading.state import empty_exogenous
from mec_moe_env.offloading.toy import ToySlots
from mec_moe_env.tasks.images import (
    PIXELS,
    ImageTables,
    LabelledImages,
    image_bound,
    load_digits_split,
    make_image_tasks,
)
from mec_moe_env.tasks.mnist import load_mnist
from mec_moe_env.tasks.stream import (
    Evaluator,
    TaskBatch,
    TaskStream,
    check_evaluator,
    identity_evaluator,
)
from mec_moe_env.tasks.synthetic import SyntheticTables, make_synthetic, synthetic_bound

AHEAD = 32
"""Slots for which a stream is asked at once. It may change what a stream draws: always as many."""

Prepare = Callable[[Orders, Randomness, Process], None]


def nothing(orders: Orders, randomness: Randomness, process: Process) -> None:
    """Leave everything to compiled code."""


@dataclass(frozen=True)
class TaskSource:
    """What draws the tasks: one of three tables, and how models are judged."""

    evaluator: Evaluator
    sum_bound: float
    """Bound on |Σ_i X_i| per feature, for the observation space."""
    synthetic: SyntheticTables | None = None
    images: ImageTables | None = None
    given: Given | None = None
    prepare: Prepare = nothing
    """Writes what is given, before the compiled call with these orders."""


def make_source(config: OffloadingConfig, num_envs: int) -> TaskSource:
    """Build the tasks that a config names, or those of the stream that it carries.

    Raises:
        ValueError: `tasks` is neither a name nor a TaskStream, or does not fit the config.
        FileNotFoundError: the data are missing.
        ImportError: the data need an extra that is not installed.
    """
    if config.tasks == "synthetic":
        tables = make_synthetic(config, num_envs)
        evaluator = identity_evaluator(config.num_types)
        return TaskSource(evaluator, synthetic_bound(config), synthetic=tables)
    if config.tasks == "digits":
        if config.feature_dim != PIXELS:
            raise reject("feature_dim", config.feature_dim, f"{PIXELS}, the pixels of a digit")
        return _image_source(config, load_digits_split())
    if config.tasks == "mnist":
        return _image_source(config, load_mnist(config))
    if config.tasks == "toy":
        toy = ToySlots(config, num_envs)
        return TaskSource(toy.evaluator, toy.sum_bound, given=toy.given, prepare=toy.prepare)
    if isinstance(config.tasks, type) or not isinstance(config.tasks, TaskStream):
        raise reject("tasks", config.tasks, f"one of {TASK_STREAMS} or a TaskStream")
    check_evaluator(config.tasks.evaluator, config.num_types, config.feature_dim)
    stream = StreamTasks(config, num_envs)
    return TaskSource(
        config.tasks.evaluator,
        float(config.tasks.sum_bound),
        given=stream.given,
        prepare=stream.prepare,
    )


def _image_source(config: OffloadingConfig, images: LabelledImages) -> TaskSource:
    tables, evaluator = make_image_tasks(config, images)
    return TaskSource(evaluator, image_bound(config, tables), images=tables)


class StreamTasks:
    """A task stream of the user's own, drawn for one sub-environment after the other."""

    def __init__(self, config: OffloadingConfig, num_envs: int) -> None:
        n, U, d, k = num_envs, config.num_tasks, config.feature_dim, config.samples_per_task
        self._stream: TaskStream = config.tasks
        self._episodes: list[Any] = [None] * n
        self._position = np.zeros(n, np.int64)
        self._types = np.zeros((n, AHEAD, U), np.int64)
        self._tasks = TaskBatch(
            features=np.zeros((n, AHEAD, U, k, d)),
            labels=np.zeros((n, AHEAD, U, k)),
            linear=np.zeros((n, AHEAD, U, d)),
            constant=np.zeros((n, AHEAD, U)),
        )
        self.given = Given(empty_exogenous(config.override(num_subcarriers=1), n), whole=False)

    def prepare(self, orders: Orders, randomness: Randomness, process: Process) -> None:
        """Let the stream write what is due under these orders, and lay out the next slot."""
        starting = np.flatnonzero(orders == RESET)
        process.memory["last_type"][starting] = -1
        for index in starting.tolist():
            self._episodes[index] = self._stream.start_episode(randomness[index])
        self._position[starting] = 0
        stepping = np.flatnonzero(orders == STEP)
        self._position[stepping] = (self._position[stepping] + 1) % AHEAD
        moving = np.flatnonzero(orders >= STEP)
        due = moving[self._position[moving] == 0]
        if len(due) > 0:
            self._draw(due, randomness, process)
        self._lay_out(moving)

    def _draw(self, due: Integers, randomness: Randomness, process: Process) -> None:
        types = np.empty((len(due), *self._types.shape[1:]), np.int64)
        draw_types(process, randomness.streams, due, types)
        self._types[due] = types
        for index in due.tolist():
            wanted = self._types[index].reshape(-1)
            parts = (array[index] for array in self._tasks)
            flat = TaskBatch(*(part.reshape(len(wanted), *part.shape[2:]) for part in parts))
            # A stream writes X with a column for each sample; a row for each lies in memory.
            flat = flat._replace(features=flat.features.transpose(0, 2, 1))
            self._stream.draw(randomness[index], self._episodes[index], wanted, flat)

    def _lay_out(self, moving: Integers) -> None:
        slot, now = self.given.slot, (moving, self._position[moving])
        slot.tasks["type"][moving] = self._types[now]
        slot.tasks["constant"][moving] = self._tasks.constant[now]
        slot.features[moving] = self._tasks.features[now]
        slot.labels[moving] = self._tasks.labels[now]
        slot.linear[moving] = self._tasks.linear[now]
