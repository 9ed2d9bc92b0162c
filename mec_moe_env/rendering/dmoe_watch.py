"""What becomes visible of a DMoE sub-environment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mec_moe_env.core.buffers import Actions, Flags, Integers
from mec_moe_env.core.step_buffers import Buffers
from mec_moe_env.dmoe.exogenous import make_workspace
from mec_moe_env.dmoe.links import link_efficiency, sending_joules, states_seconds
from mec_moe_env.dmoe.reserve import wanted_relevance
from mec_moe_env.dmoe.step import act, select
from mec_moe_env.rendering.scene import DMoEScene, LayerDecision, LayerLink
from mec_moe_env.rendering.watch import Ledger, Watcher, step_buffers
from mec_moe_env.worlds.world import extent

if TYPE_CHECKING:
    from mec_moe_env.dmoe.simulator import DMoESimulator


class DMoEWatcher(Watcher):
    """Remembers what the last action did with the tokens and the links of its layer."""

    def __init__(self, simulator: DMoESimulator, row: int) -> None:
        """Begin to watch a sub-environment, possibly in the middle of an episode."""
        config = simulator.config
        super().__init__(row, Ledger(config, simulator.table, row, "energy_j"))
        self._simulator = simulator
        self._work = make_workspace(config)
        self.ledger.open(since=self._layer)
        self._begin()

    @property
    def _layer(self) -> int:
        return int(self._simulator.state.layer[self.row])

    def _begin(self) -> None:
        self._decision: LayerDecision | None = None

    def _settle(self) -> None:
        """Take over nothing: whatever an action does is over with its layer."""

    def _decide(self, action: Actions) -> None:
        """Carry the action out without the episode noticing: `act` writes to its workspace only."""
        simulator, work, row = self._simulator, self._work, self.row
        params, exogenous, layer = simulator.params, simulator.exogenous, self._layer
        config = simulator.config
        picks = math.prod(config.expert_shape)
        gate = exogenous.gates[row, layer].copy()
        select(params, exogenous, action[:picks], work.selected, row)
        asked = work.selected.reshape(gate.shape).copy()
        act(params, simulator.state, exogenous, action, work, self._room(), row)
        chosen = work.selected.reshape(gate.shape).copy()
        threshold = float(params.thresholds[layer])
        scores, shape = gate.reshape(-1, gate.shape[2]), gate.shape[:2]
        wanted = [wanted_relevance(threshold, *of) for of in zip(scores, work.best, strict=True)]
        self._decision = LayerDecision(
            layer=layer,
            threshold=threshold,
            gate=gate,
            available=exogenous.nodes["available"][row].copy(),
            asked=asked,
            chosen=chosen,
            wanted=np.array(wanted).reshape(shape),
            relevance=(gate * chosen).sum(axis=2),
            violated=(work.missing > 0.0).reshape(shape),
            links=self._links(action[picks:].reshape(config.link_shape), asked, chosen),
        )

    def _room(self) -> Buffers:
        return step_buffers(self._simulator.config, self._simulator.num_envs)

    def _links(self, subcarriers: Integers, asked: Flags, chosen: Flags) -> tuple[LayerLink, ...]:
        """Tell what became of every link that was asked for, in row order."""
        params, exogenous = self._simulator.params, self._simulator.exogenous
        held: set[int] = set()
        links = []
        for source, node in np.argwhere(asked.any(axis=1)).tolist():
            if source == node:
                continue
            s, states = int(subcarriers[source, node]), int(asked[source, :, node].sum())
            delivered, sent = bool(chosen[source, :, node].any()), s not in held
            held.add(s)
            efficiency = link_efficiency(exogenous, self.row, source, node, s)
            joules = sending_joules(params, states_seconds(params, efficiency, states))
            ends = source, node, s, states
            links.append(
                LayerLink(*ends, delivered, sent and not delivered, joules if sent else 0.0)
            )
        return tuple(links)

    def scene(self) -> DMoEScene:
        """Return the scene of now."""
        simulator, config, row = self._simulator, self._simulator.config, self.row
        state, exogenous, layer = simulator.state, simulator.exogenous, self._layer
        process = simulator.process
        nodes, thresholds = exogenous.nodes[row].copy(), simulator.params.thresholds
        more, gates = layer < config.num_layers, exogenous.gates[row]
        labelled = state.hidden.shape[2] > 0
        return DMoEScene(
            layer=layer,
            num_layers=config.num_layers,
            num_subcarriers=config.num_subcarriers,
            max_experts=config.max_experts,
            area_m=extent(config.area_m, process.world if process else None),
            positions=process.positions[row].copy() if process else None,
            compute_joules=nodes["joules"],
            available=nodes["available"],
            gate=gates[layer].copy() if more else np.zeros_like(gates[0]),
            threshold=float(thresholds[layer]) if more else 0.0,
            thresholds=thresholds.copy(),
            classes=state.labels[row].reshape(gates.shape[1:3]).copy() if labelled else None,
            decision=self._decision,
            account=self.ledger.account,
        )
