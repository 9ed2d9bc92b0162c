"""A batch of DMoE sub-environments: what the scalar and the vector environment share."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.buffers import Flags
from mec_moe_env.core.kernels import Entry
from mec_moe_env.core.simulator import Orders, Simulator
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.exogenous import make_process, make_workspace
from mec_moe_env.dmoe.gates import make_gates
from mec_moe_env.dmoe.observe import write_masks
from mec_moe_env.dmoe.state import empty_exogenous, empty_state, make_params
from mec_moe_env.dmoe.step import advance
from mec_moe_env.rendering.dmoe_watch import DMoEWatcher


class DMoESimulator(Simulator):
    """State, exogenous process and random generators of `num_envs` sub-environments."""

    def __init__(self, config: DMoEConfig, num_envs: int, num_threads: int = 1) -> None:
        super().__init__(config, num_envs, num_threads)
        self.config = config
        self._gates = make_gates(config)
        weights = self._gates.weights
        hidden = 0 if weights is None else weights.norm_scale.shape[1]
        spread = float(config.gate_spread) if config.gates == "random" else None
        self.process = None if config.gates == "toy" else make_process(config, num_envs)
        self.params = make_params(config)
        self.state = empty_state(config, num_envs, hidden)
        self.exogenous = empty_exogenous(config, num_envs)
        self._advance = Entry(advance)
        self._own = (self.params, self.process, spread, weights, self.state, self.exogenous)
        self._workspaces = [make_workspace(config) for _ in range(self._pool.count)]
        picks, links = math.prod(config.expert_shape), math.prod(config.link_shape)
        sizes = [config.num_nodes + 1, config.num_subcarriers]
        self._lay_out(config, np.repeat(sizes, [picks, links]), has_accuracy=hidden > 0)

    @property
    def finished(self) -> Flags:
        """Whether each sub-environment is through its last layer, (n,)."""
        return self.state.layer >= self.config.num_layers

    def _prepare(self, orders: Orders) -> None:
        self._gates.start(orders, self._randomness, self.state, self.exogenous)

    def _write_masks(self, out: Flags) -> None:
        write_masks(self.params, self.exogenous, out)

    def _make_watcher(self, row: int) -> DMoEWatcher:
        return DMoEWatcher(self, row)
