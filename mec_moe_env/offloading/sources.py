"""Where the tasks of a scenario come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mec_moe_env.config import reject
from mec_moe_env.core.buffers import Integers
from mec_moe_env.core.rng import TASKS, Randomness
from mec_moe_env.core.simulator import RESET, STEP, Orders
from mec_moe_env.offloading.arrivals import Given, Process, begin_records, draw_types
from mec_moe_env.offloading.config import TASK_STREAMS, OffloadingConfig
from mec_moe_env.offloading.state import NOBODY, empty_exogenous
from mec_moe_env.offloading.toy import ToySlots
from mec_moe_env.tasks.arrays import ArrayTasks
from mec_moe_env.tasks.checks import TaskCheck, check_evaluator, check_sum_bound
from mec_moe_env.tasks.images import (
    PIXELS,
    ImageTables,
    LabelledImages,
    image_bound,
    load_digits_split,
    make_image_tasks,
)
from mec_moe_env.tasks.mnist import load_mnist, load_mnist_5k
from mec_moe_env.tasks.stream import (
    Evaluator,
    TaskBatch,
    TaskStream,
    draw_tasks,
    identity_evaluator,
)
from mec_moe_env.tasks.synthetic import SyntheticTables, make_synthetic, synthetic_bound
from mec_moe_env.tasks.teacher import make_teacher_tasks
from mec_moe_env.worlds.world import refuse_world

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
    if config.tasks == "mnist-5k":
        return _image_source(config, load_mnist_5k(config.feature_dim))
    if config.tasks == "teacher":
        return _sample_source(config, *make_teacher_tasks(config))
    if config.tasks == "toy":
        refuse_world(config, "tasks", config.tasks)
        toy = ToySlots(config, num_envs)
        return TaskSource(toy.evaluator, toy.sum_bound, given=toy.given, prepare=toy.prepare)
    if isinstance(config.tasks, ArrayTasks):
        return _sample_source(config, *config.tasks.tables(config))
    if isinstance(config.tasks, type) or not isinstance(config.tasks, TaskStream):
        raise reject("tasks", config.tasks, f"one of {TASK_STREAMS} or a TaskStream")
    bound = check_sum_bound(config.tasks.sum_bound)
    evaluator = check_evaluator(config.tasks.evaluator, config.num_types, config.feature_dim)
    stream = StreamTasks(config, evaluator, num_envs)
    return TaskSource(evaluator, bound, given=stream.given, prepare=stream.prepare)


def _image_source(config: OffloadingConfig, images: LabelledImages) -> TaskSource:
    return _sample_source(config, *make_image_tasks(config, images))


def _sample_source(
    config: OffloadingConfig, tables: ImageTables, evaluator: Evaluator
) -> TaskSource:
    return TaskSource(evaluator, image_bound(config, tables), images=tables)


class StreamTasks:
    """A task stream of the user's own, drawn for one sub-environment after the other.

    What it draws is checked, and only then taken over: what fails leaves everything as it was.
    """

    def __init__(self, config: OffloadingConfig, evaluator: Evaluator, num_envs: int) -> None:
        """Make room for the tasks of AHEAD slots.

        Raises:
            ValueError: the evaluator's A is not symmetric positive semidefinite.
        """
        n, U, d, k = num_envs, config.num_tasks, config.feature_dim, config.samples_per_task
        self._stream: TaskStream = config.tasks
        self._check = TaskCheck(config.tasks, evaluator.quadratic)
        self._generators: dict[int, np.random.Generator] = {}
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
        begin_records(process, randomness.streams, starting)
        for index in starting.tolist():
            # Begun at the key that compiled code would draw tasks from: what the episode takes
            # of it changes nothing about the next.
            generator = np.random.default_rng(int(randomness.streams[index, TASKS]))
            self._generators[index] = generator
            self._episodes[index] = self._stream.start_episode(generator)
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
        drawn = [
            self._draw_for(index, wanted.reshape(-1))
            for index, wanted in zip(due.tolist(), types, strict=True)
        ]
        self._types[due] = types
        for index, tasks in zip(due.tolist(), drawn, strict=True):
            for kept, fresh in zip(self._tasks, tasks, strict=True):
                kept[index] = fresh.reshape(kept.shape[1:])

    def _draw_for(self, index: int, types: Integers) -> TaskBatch:
        """Return tasks of these types, (count,), for a sub-environment; features as Xᵀ.

        Zeros where no task arrives: the stream is not asked for any.
        """
        arrive = types != NOBODY
        if not arrive.all():
            tasks = TaskBatch(*(np.zeros((len(types), *array.shape[3:])) for array in self._tasks))
            if arrive.any():
                some = self._draw_for(index, types[arrive])
                for all_places, filled in zip(tasks, some, strict=True):
                    all_places[arrive] = filled
            return tasks
        generator, episode = self._generators[index], self._episodes[index]
        k, d = self._tasks.features.shape[3:]
        drawn = draw_tasks(self._stream, generator, episode, types, (d, k))
        self._check(types, drawn)
        return drawn._replace(features=drawn.features.transpose(0, 2, 1))

    def _lay_out(self, moving: Integers) -> None:
        slot, now = self.given.slot, (moving, self._position[moving])
        slot.tasks["type"][moving] = self._types[now]
        slot.tasks["constant"][moving] = self._tasks.constant[now]
        slot.features[moving] = self._tasks.features[now]
        slot.labels[moving] = self._tasks.labels[now]
        slot.linear[moving] = self._tasks.linear[now]
