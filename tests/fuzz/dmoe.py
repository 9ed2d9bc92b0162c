"""What holds of every step of DMoE, worked out from what was shown."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import DMoEConfig
from mec_moe_env.dmoe.table import Layer
from tests.fuzz.invariants import ROUNDING, SINGLE, close, require, shares
from tests.fuzz.transition import Observation, Transition

EXOGENOUS = ("spectral_efficiency", "compute_energy", "available", "layer", "importance")
"""What no action changes, whatever the gates are."""
GATES_SUM = 1e-3
"""By how much a recorded softmax may miss 1."""


class DMoEChecks:
    """Follows n sub-environments of one configuration."""

    def __init__(self, config: DMoEConfig, num_envs: int) -> None:
        self._config = config
        self._time = np.zeros(num_envs, np.int64)

    def begin(self, rows: NDArray[np.bool_]) -> None:
        """Forget the episodes before, of those who begin one."""
        self._time[rows] = 0

    def masks(self, observation: Observation, masks: NDArray[np.bool_]) -> None:
        """Require masks to say which experts are available; every subcarrier is possible."""
        view = Layer.read(observation, self._config)
        picks = math.prod(self._config.expert_shape)
        choices = np.concatenate([view.available > 0, np.ones((len(masks), 1), np.bool_)], axis=1)
        links = masks.shape[1] - picks * choices.shape[1]
        wanted = np.concatenate(
            [np.tile(choices, (1, picks)), np.ones((len(masks), links), np.bool_)], axis=1
        )
        require(masks == wanted, "masks are who is available")

    def step(self, step: Transition, rejecting: object) -> None:
        """Check a transition."""
        config, rows = self._config, step.stepped
        self.begin(~rows)
        self._time[rows] += 1
        self._ranges(step)
        chosen = Chosen(config, {key: entry[rows] for key, entry in step.before.items()})
        chosen.carry_out(step.actions[rows])
        self._compare(step, chosen)
        self._view(step.after)
        require(step.ended == (self._time >= config.num_layers), "the end is after layer L")

    def _ranges(self, step: Transition) -> None:
        config = self._config
        tokens = config.sources * config.tokens_per_source
        shares(step, "violated")
        most = min(config.max_experts, config.num_nodes)
        experts, cost = step.of("experts_per_token"), step.of("cost")
        require((experts >= 0) & (experts <= most + ROUNDING), "0 to D experts a token", experts)
        require((cost >= 0) & (cost <= tokens) & (cost == np.round(cost)), "a count", cost)
        relevance, shortfall = step.of("relevance"), step.of("shortfall")
        require((relevance >= 0) & (relevance <= 1 + GATES_SUM), "relevance in [0, 1]", relevance)
        require((shortfall >= 0) & (shortfall <= 1 + GATES_SUM), "shortfall in [0, 1]", shortfall)
        require((shortfall > 0) <= (cost > 0), "no shortfall without a violation")
        require(step.of("lost_states") >= 0, "lost_states ≥ 0")
        if "accuracy" in step.infos:
            shares(step, "accuracy")
        error = step.of("reward_error")
        require(error <= 0.0, "reward_error ≤ 0", error)

    def _compare(self, step: Transition, chosen: Chosen) -> None:
        config = self._config
        dropped = step.of("dropped_picks")
        require(dropped == chosen.dropped, "dropped_picks as counted", dropped, chosen.dropped)
        if math.isfinite(config.deadline_seconds):
            return
        require(step.of("lost_states") == 0, "nothing is late without a deadline")
        require(step.of("unserved") == chosen.unserved, "unserved as counted")
        close(step.of("relevance"), chosen.relevance, SINGLE, "relevance as summed")
        close(step.of("experts_per_token"), chosen.experts, SINGLE, "experts as counted")
        sent, spent = step.of("transmission_energy_j"), step.of("energy_j")
        require(np.abs(spent - sent - chosen.joules) <= SINGLE * spent, "joules of experts", spent)
        if config.csi_delay == 0 and not config.count_backward:
            close(sent, chosen.sent, SINGLE, "transmission_energy_j as priced")

    def _view(self, observation: Observation) -> None:
        """Check the layer shown, and that scores are shares of 1 while there is a layer."""
        view, L = Layer.read(observation, self._config), self._config.num_layers
        ahead = self._time < L
        wanted = np.arange(L) == np.where(ahead, self._time, -1)[:, np.newaxis]
        require(view.layer == wanted, "layer is one-hot, zeros after the last")
        total = view.gate.sum(axis=-1, dtype=np.float64)
        wanted_sum = ahead[:, np.newaxis, np.newaxis] * 1.0
        require(np.abs(total - wanted_sum) <= 2 * GATES_SUM, "gates sum to 1", total)


class Chosen:
    """Carries picks and links out a second time, in all sub-environments at once."""

    def __init__(self, config: DMoEConfig, observation: Observation) -> None:
        view: Any = Layer.read(observation, config)
        self._config, self._view = config, view
        n = len(view.available)
        self._rows = np.arange(n)
        self._selected = np.zeros((n, *config.expert_shape[:2], config.num_nodes), np.bool_)
        self.dropped, self.sent = np.zeros(n, np.int64), np.zeros(n)

    def carry_out(self, actions: NDArray[np.int64]) -> None:
        """Count and price actions, (n, I·Q·D + I·K)."""
        config, n = self._config, len(actions)
        picks = math.prod(config.expert_shape)
        self._select(actions[:, :picks].reshape(n, *config.expert_shape))
        self._send(actions[:, picks:].reshape(n, *config.link_shape))
        gates = self._view.gate.astype(np.float64)
        counts = self._selected.sum(axis=3)
        self.relevance = (self._selected * gates).sum(axis=3).mean(axis=(1, 2))
        self.experts = counts.mean(axis=(1, 2))
        self.unserved = (counts == 0).sum(axis=(1, 2))
        used = self._selected.sum(axis=(1, 2))
        self.joules = (used * self._view.compute_energy.astype(np.float64)).sum(axis=1)

    def _select(self, picks: NDArray[np.int64]) -> None:
        rows, K = self._rows, self._config.num_nodes
        for source, token, pick in np.ndindex(*picks.shape[1:]):
            j = picks[:, source, token, pick]
            wanted = j < K
            m = np.where(wanted, j, 0)
            taken = self._selected[:, source, token]
            possible = wanted & (self._view.available[rows, m] > 0) & ~taken[rows, m]
            self.dropped += wanted & ~possible
            taken[rows[possible], m[possible]] = True

    def _send(self, subcarriers: NDArray[np.int64]) -> None:
        config, rows = self._config, self._rows
        taken = np.zeros((len(rows), config.num_subcarriers), np.bool_)
        for source, node in np.ndindex(*config.link_shape):
            if source == node:
                continue
            states = self._selected[:, source, :, node].sum(axis=1)
            s = subcarriers[:, source, node]
            lost = (states > 0) & taken[rows, s]
            self.dropped += np.where(lost, states, 0)
            self._selected[lost, source, :, node] = False
            sending = (states > 0) & ~lost
            taken[rows[sending], s[sending]] = True
            efficiency = self._view.spectral_efficiency[rows, source, node, s].astype(np.float64)
            seconds = config.state_bits * states / (config.bandwidth_hz * efficiency)
            self.sent += np.where(sending, config.power_w * seconds, 0.0)
