"""A batch of DMoE sub-environments: what the scalar and the vector environment share."""

from __future__ import annotations

import math

import numpy as np

from mec_moe_env.claims import Crew
from mec_moe_env.core.actions import Actions
from mec_moe_env.core.buffers import Buffers, BufferTable, Flags, box_space
from mec_moe_env.core.kernels import Entry
from mec_moe_env.dmoe.advance import advance, make_workspace
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.exogenous import RadioWorld, WorldSource
from mec_moe_env.dmoe.gates import DrawnGates, GateSource, make_gates
from mec_moe_env.dmoe.perception import write_masks
from mec_moe_env.dmoe.state import empty_state, empty_world, make_physics
from mec_moe_env.dmoe.table import ENTRIES, OUTCOMES
from mec_moe_env.dmoe.toy import ToyWorld
from mec_moe_env.orders import Orders
from mec_moe_env.simulator import Simulator


class DMoESimulator(Simulator):
    """State, exogenous world and random generators of `num_envs` sub-environments."""

    def __init__(self, config: DMoEConfig, num_envs: int, num_threads: int = 1) -> None:
        super().__init__(num_envs, num_threads)
        self.config = config
        self.episode_steps = config.num_layers
        self._source, self._gates = _make_world(config, num_envs)
        self._physics = make_physics(config)
        self.state = empty_state(config, num_envs, self._gates.weights.norm_scale.shape[1])
        self.world = empty_world(config, num_envs, self._source.block)
        self._advance = Entry(advance)
        self._workspaces = [make_workspace(config) for _ in range(self._threads.count)]
        picks, links = math.prod(config.expert_shape), math.prod(config.link_shape)
        sizes = [config.num_nodes + 1, config.num_subcarriers]
        self.nvec = np.repeat(sizes, [picks, links])
        self.rows = BufferTable(
            OUTCOMES,
            config.observation_shapes,
            mask_size=int(self.nvec.sum()),
            num_envs=num_envs,
            has_accuracy=self.state.hidden.shape[2] > 0,
        )
        self.observation_space = box_space(
            config.observation_shapes,
            {name: entry.bounds(config) for name, entry in ENTRIES.items()},
        )

    @property
    def finished(self) -> Flags:
        """Whether each sub-environment is through its last layer, (n,)."""
        return self.state.layer >= self.config.num_layers

    def _prepare(self, orders: Orders) -> None:
        super()._prepare(orders)
        self._gates.start(orders, self._randomness, self.state, self.world)

    def _call(
        self, orders: Orders, actions: Actions, rows: Buffers, crew: Crew, thread: int, most: int
    ) -> None:
        self._advance(
            self._physics,
            self._source.exogenous,
            self._gates.weights,
            self.state,
            self.world,
            self._randomness.streams,
            orders,
            actions,
            rows,
            crew,
            thread,
            most,
            self._workspaces[thread],
        )

    def masks(self) -> Flags:
        """Return the flat action masks, (n, I·Q·D·(K + 1) + I·K·S)."""
        out = self.rows.empty_masks()
        write_masks(self._physics, self.state, self.world, out)
        return out


def _make_world(config: DMoEConfig, num_envs: int) -> tuple[WorldSource, GateSource]:
    if config.gates == "toy":
        return ToyWorld(config, num_envs), DrawnGates()
    return RadioWorld(config, num_envs), make_gates(config)
