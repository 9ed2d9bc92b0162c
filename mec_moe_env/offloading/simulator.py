"""A batch of offloading sub-environments: what the scalar and the vector environment share."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.claims import Crew
from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Buffers, BufferTable, Flags, box_space
from mec_moe_env.core.kernels import Entry
from mec_moe_env.offloading.advance import advance, make_workspace
from mec_moe_env.offloading.clairvoyance import write_error_increments, write_model_errors
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.exogenous import RandomWorld, WorldSource
from mec_moe_env.offloading.perception import write_masks
from mec_moe_env.offloading.state import empty_state, empty_world, make_physics
from mec_moe_env.offloading.table import ENTRIES, OUTCOMES
from mec_moe_env.offloading.toy import ToyWorld
from mec_moe_env.orders import Orders
from mec_moe_env.simulator import Simulator
from mec_moe_env.tasks.digits import digit_tasks
from mec_moe_env.tasks.mnist import mnist_tasks
from mec_moe_env.tasks.python_stream import StreamSource
from mec_moe_env.tasks.stream import Floats, Judge, TaskStream, check_judge
from mec_moe_env.tasks.synthetic import SyntheticTasks
from mec_moe_env.tasks.tables import TaskSource


def make_tasks(config: OffloadingConfig, num_envs: int) -> TaskSource:
    """Build the tasks that a config names, or those of the stream that it carries.

    Raises:
        TypeError: `tasks` is neither a name nor a TaskStream.
        ValueError: the config does not fit the tasks.
        FileNotFoundError: the data are missing.
        ImportError: the data need an extra that is not installed.
    """
    if config.tasks == "synthetic":
        return SyntheticTasks(config, num_envs)
    if config.tasks == "digits":
        return digit_tasks(config)
    if config.tasks == "mnist":
        return mnist_tasks(config)
    if isinstance(config.tasks, type) or not isinstance(config.tasks, TaskStream):
        raise TypeError(f"tasks must be a name or a TaskStream, got {config.tasks!r}")
    check_judge(config.tasks.judge, config.num_types, config.feature_dim)
    return StreamSource(config.tasks, num_envs)


class OffloadingSimulator(Simulator):
    """State, exogenous world and random generators of `num_envs` sub-environments."""

    def __init__(self, config: OffloadingConfig, num_envs: int, num_threads: int = 1) -> None:
        super().__init__(num_envs, num_threads)
        self.config = config
        self.episode_steps = config.horizon
        judge, self._source, self._sum_bound = _make_world(config, num_envs)
        self._physics = make_physics(config, judge)
        self.state = empty_state(config, num_envs)
        self.world = empty_world(config, num_envs, self._source.block)
        self._advance = Entry(advance)
        self._workspaces = [make_workspace(config) for _ in range(self._threads.count)]
        picks = math.prod(config.action_shape[:2])
        self.nvec = np.tile([config.num_servers + 1, config.num_subcarriers], picks)
        self.rows = BufferTable(
            OUTCOMES,
            config.observation_shapes,
            mask_size=int(self.nvec.sum()),
            num_envs=num_envs,
            has_accuracy=judge.heldout_labels.shape[1] > 0,
        )
        self.observation_space = box_space(
            config.observation_shapes,
            {name: entry.bounds(config) for name, entry in ENTRIES.items()}
            | {"task": (-self._sum_bound, self._sum_bound)},
        )

    @property
    def finished(self) -> Flags:
        """Whether each sub-environment is at its horizon, (n,)."""
        return self.state.time >= self.config.horizon

    def _call(
        self, orders: Orders, actions: Actions, rows: Buffers, crew: Crew, thread: int, most: int
    ) -> None:
        self._advance(
            self._physics,
            self._source.exogenous,
            self.state,
            self.world,
            self._randomness.streams,
            self._sum_bound,
            orders,
            actions,
            rows,
            crew,
            thread,
            most,
            self._workspaces[thread],
        )

    def masks(self) -> Flags:
        """Return the flat action masks, (n, U·D·(M + 1 + S))."""
        out = self.rows.empty_masks()
        write_masks(self._physics, self.state, self.world, out)
        return out

    def model_errors(self) -> Floats:
        """Return the true error of every server's model on the waiting tasks, (n, U, M)."""
        out = self._per_server()
        write_model_errors(self._physics, self.state, self.world, out)
        return out

    def error_increments(self) -> Floats:
        """Return the growth of E once server m has learned task u, (n, U, M); inf while busy."""
        out = self._per_server()
        write_error_increments(self._physics, self.state, self.world, out)
        return out

    def rejection_errors(self) -> Floats:
        """Return the zero model's error on the waiting tasks, (n, U)."""
        rows = np.arange(self.num_envs)
        errors: Floats = self.world.constant[rows, self.world.cursor]
        return errors

    def _per_server(self) -> Floats:
        return np.empty((self.num_envs, self.config.num_tasks, self.config.num_servers))


def _make_world(config: OffloadingConfig, num_envs: int) -> tuple[Judge, WorldSource, float]:
    if config.tasks == "toy":
        toy = ToyWorld(config, num_envs)
        return toy.judge, toy, toy.sum_bound
    tasks = make_tasks(config, num_envs)
    return tasks.judge, RandomWorld(config, tasks, num_envs), tasks.sum_bound
