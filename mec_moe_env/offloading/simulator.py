"""A batch of offloading sub-environments: what the scalar and the vector environment share."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Buffers, BufferTable, Flags, Floats, box_space, offsets_of
from mec_moe_env.core.kernels import Entry
from mec_moe_env.core.simulator import Orders, Simulator
from mec_moe_env.offloading.arrivals import make_process
from mec_moe_env.offloading.clairvoyance import write_error_increments, write_model_errors
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.observe import write_masks
from mec_moe_env.offloading.sources import make_source
from mec_moe_env.offloading.state import empty_exogenous, empty_state, make_params
from mec_moe_env.offloading.step import advance, make_workspace
from mec_moe_env.offloading.table import ENTRIES, OUTCOMES

MOST_SHOWN = 64
"""Servers in a line of description."""


class OffloadingSimulator(Simulator):
    """State, exogenous process and random generators of `num_envs` sub-environments."""

    def __init__(self, config: OffloadingConfig, num_envs: int, num_threads: int = 1) -> None:
        super().__init__(num_envs, num_threads)
        self.config = config
        self.episode_steps = config.horizon
        self._source = make_source(config, num_envs)
        self._process = make_process(config, num_envs)
        self._params = make_params(config, self._source.judge, self._source.sum_bound)
        self.state = empty_state(config, num_envs)
        self.exogenous = empty_exogenous(config, num_envs)
        self._advance = Entry(advance)
        self._workspaces = [make_workspace(config) for _ in range(self._pool.count)]
        self._offsets = offsets_of(config.observation_shapes)
        picks = math.prod(config.action_shape[:2])
        self.nvec = np.tile([config.num_servers + 1, config.num_subcarriers], picks)
        self.table = BufferTable(
            OUTCOMES,
            config.observation_shapes,
            mask_size=int(self.nvec.sum()),
            num_envs=num_envs,
            has_accuracy=self._source.judge.heldout_labels.shape[1] > 0,
        )
        bounds = {name: entry.bounds(config) for name, entry in ENTRIES.items()}
        bounds["task"] = (-self._source.sum_bound, self._source.sum_bound)
        self.observation_space = box_space(config.observation_shapes, bounds)

    @property
    def finished(self) -> Flags:
        """Whether each sub-environment is at its horizon, (n,)."""
        over: Flags = self.state.episodes["time"] >= self.config.horizon
        return over

    def _prepare(self, orders: Orders) -> None:
        self._source.prepare(orders, self._randomness, self._process)

    def _call(
        self,
        orders: Orders,
        actions: Actions,
        buffers: Buffers,
        first: int,
        last: int,
        thread: int,
    ) -> None:
        self._advance(
            self._params,
            self._process,
            self._source.synthetic,
            self._source.images,
            self._source.given,
            self.state,
            self.exogenous,
            self._randomness.streams,
            self._offsets,
            orders,
            actions,
            buffers,
            self._workspaces[thread],
            first,
            last,
        )

    def masks(self) -> Flags:
        """Return the flat action masks, (n, U·D·(M + 1 + S))."""
        out = self.table.empty_masks()
        write_masks(self._params, self.state, self.exogenous, out)
        return out

    def model_errors(self) -> Floats:
        """Return the true error of every server's model on the waiting tasks, (n, U, M)."""
        out = self._per_server()
        write_model_errors(self._params, self.state, self.exogenous, out)
        return out

    def error_increments(self) -> Floats:
        """Return the growth of E once server m has learned task u, (n, U, M); inf while busy."""
        out = self._per_server()
        write_error_increments(self._params, self.state, self.exogenous, out)
        return out

    def rejection_errors(self) -> Floats:
        """Return the zero model's error on the waiting tasks, (n, U)."""
        errors: Floats = self.exogenous.tasks["constant"].copy()
        return errors

    def _per_server(self) -> Floats:
        return np.empty((self.num_envs, self.config.num_tasks, self.config.num_servers))

    def describe(self) -> str:
        """Describe sub-environment 0: slot, servers (· idle, x failed, else slots left), tasks."""
        servers = "".join(
            "x" if not server["working"] else str(min(server["remaining"], 9)).replace("0", "·")
            for server in self.state.servers[0, :MOST_SHOWN]
        )
        free = int((self.state.subcarrier_remaining[0] == 0).sum())
        tasks = ", ".join(
            f"type {task['type']} at server {task['origin']}" for task in self.exogenous.tasks[0]
        )
        slot = f"slot {self.state.episodes['time'][0]}/{self.config.horizon}"
        subcarriers = f"{free}/{self.config.num_subcarriers} subcarriers free"
        return f"{slot} | servers [{servers}] | {subcarriers} | waiting: {tasks}"
