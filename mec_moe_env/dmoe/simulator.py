"""A batch of DMoE sub-environments: what the scalar and the vector environment share."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Buffers, BufferTable, Flags, box_space, offsets_of
from mec_moe_env.core.kernels import Entry
from mec_moe_env.core.simulator import Orders, Simulator
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.exogenous import make_process
from mec_moe_env.dmoe.gates import make_gates
from mec_moe_env.dmoe.observe import write_masks
from mec_moe_env.dmoe.state import empty_exogenous, empty_state, make_params
from mec_moe_env.dmoe.step import advance, make_workspace
from mec_moe_env.dmoe.table import ENTRIES, OUTCOMES


class DMoESimulator(Simulator):
    """State, exogenous process and random generators of `num_envs` sub-environments."""

    def __init__(self, config: DMoEConfig, num_envs: int, num_threads: int = 1) -> None:
        super().__init__(num_envs, num_threads)
        self.config = config
        self.episode_steps = config.num_layers
        self._gates = make_gates(config)
        self._weights = self._gates.weights
        self._spread = float(config.gate_spread) if config.gates == "random" else None
        self._process = None if config.gates == "toy" else make_process(config, num_envs)
        self._params = make_params(config)
        hidden = 0 if self._weights is None else self._weights.norm_scale.shape[1]
        self.state = empty_state(config, num_envs, hidden)
        self.exogenous = empty_exogenous(config, num_envs)
        self._advance = Entry(advance)
        self._workspaces = [make_workspace(config) for _ in range(self._pool.count)]
        self._offsets = offsets_of(config.observation_shapes)
        picks, links = math.prod(config.expert_shape), math.prod(config.link_shape)
        sizes = [config.num_nodes + 1, config.num_subcarriers]
        self.nvec = np.repeat(sizes, [picks, links])
        self.table = BufferTable(
            OUTCOMES,
            config.observation_shapes,
            mask_size=int(self.nvec.sum()),
            num_envs=num_envs,
            has_accuracy=hidden > 0,
        )
        bounds = {name: entry.bounds(config) for name, entry in ENTRIES.items()}
        self.observation_space = box_space(config.observation_shapes, bounds)

    @property
    def finished(self) -> Flags:
        """Whether each sub-environment is through its last layer, (n,)."""
        return self.state.layer >= self.config.num_layers

    def _prepare(self, orders: Orders) -> None:
        self._gates.start(orders, self._randomness, self.state, self.exogenous)

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
            self._spread,
            self._weights,
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
        """Return the flat action masks, (n, I·Q·D·(K + 1) + I·K·S)."""
        out = self.table.empty_masks()
        write_masks(self._params, self.exogenous, out)
        return out

    def describe(self) -> str:
        """Describe sub-environment 0: layer, available nodes, the gates' favourite experts."""
        layer, last = int(self.state.layer[0]), self.config.num_layers
        heading = f"layer {layer}/{last}"
        if layer == last:
            return f"{heading} | done"
        available = self.exogenous.nodes["available"][0].sum()
        favourites = self.exogenous.gates[0, layer].argmax(axis=-1).reshape(-1).tolist()
        return (
            f"{heading} | {available}/{self.config.num_nodes} nodes available | "
            f"favourite experts {favourites}"
        )
