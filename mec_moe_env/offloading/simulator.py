"""A batch of offloading sub-environments: what the scalar and the vector environment share."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.buffers import Flags, Floats
from mec_moe_env.core.kernels import Entry
from mec_moe_env.core.simulator import Orders, Simulator
from mec_moe_env.offloading.arrivals import make_process, make_workspace
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.learning import write_error_increments, write_model_errors
from mec_moe_env.offloading.observe import write_masks
from mec_moe_env.offloading.sources import make_source
from mec_moe_env.offloading.state import empty_exogenous, empty_state, make_params
from mec_moe_env.offloading.step import advance
from mec_moe_env.rendering.offloading_watch import OffloadingWatcher


class OffloadingSimulator(Simulator):
    """State, exogenous process and random generators of `num_envs` sub-environments."""

    def __init__(self, config: OffloadingConfig, num_envs: int, num_threads: int = 1) -> None:
        super().__init__(config, num_envs, num_threads)
        self.config = config
        self.source = make_source(config, num_envs)
        if self.source.evaluator.heldout_labels.shape[1] == 0:
            config.refuse_networks()
        self.process = make_process(config, num_envs)
        self.params = make_params(config, self.source.evaluator, self.source.sum_bound)
        self.state = empty_state(config, num_envs)
        self.exogenous = empty_exogenous(config, num_envs)
        self._advance = Entry(advance)
        tasks = self.source.synthetic, self.source.images, self.source.given
        self._own = (self.params, self.process, *tasks, self.state, self.exogenous)
        self._workspaces = [make_workspace(config) for _ in range(self._pool.count)]
        self._lay_out(
            config,
            np.tile(
                [config.num_servers + 1, config.num_subcarriers],
                math.prod(config.action_shape[:2]),
            ),
            has_accuracy=self.source.evaluator.heldout_labels.shape[1] > 0,
            task=(-self.source.sum_bound, self.source.sum_bound),
        )

    @property
    def finished(self) -> Flags:
        """Whether each sub-environment is at its horizon, (n,)."""
        over: Flags = self.state.episodes["time"] >= self.config.horizon
        return over

    def _prepare(self, orders: Orders) -> None:
        self.source.prepare(orders, self._randomness, self.process)

    def _write_masks(self, out: Flags) -> None:
        write_masks(self.params, self.state, self.exogenous, out)

    def _make_watcher(self, row: int) -> OffloadingWatcher:
        return OffloadingWatcher(self, row)

    def model_errors(self) -> Floats:
        """Return the true error of every server's model on the waiting tasks, (n, U, M)."""
        out = self._per_server()
        write_model_errors(self.params, self.state, self.exogenous, self._workspaces[0], out)
        return out

    def error_increments(self) -> Floats:
        """Return the growth of E once server m has learned task u, (n, U, M); inf while busy."""
        out = self._per_server()
        write_error_increments(self.params, self.state, self.exogenous, self._workspaces[0], out)
        return out

    def expert_models(self) -> Floats:
        """Return every server's model of now, (n, M, d)."""
        models: Floats = self.state.model.copy()
        return models

    def rejection_errors(self) -> Floats:
        """Return the zero model's error on the waiting tasks, (n, U)."""
        errors: Floats = self.exogenous.tasks["constant"].copy()
        return errors

    def _per_server(self) -> Floats:
        return np.empty((self.num_envs, self.config.num_tasks, self.config.num_servers))
