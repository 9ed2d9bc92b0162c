"""The gating network and router of Li & Duan 2024, Algorithm 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.dispatch_memory import DispatchMemory
from mec_moe_agents.offloading.gate import Gate
from mec_moe_agents.offloading.locality_loss import descend
from mec_moe_agents.random_rows import UniformRows, row_seeds
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import Real, reject

Floats = NDArray[np.float64]


@dataclass
class GatingState:
    """What the gating network has learned in each of n episodes."""

    theta: Floats
    """(n, M, d), the gating parameters θ_m."""
    memory: DispatchMemory
    noise: UniformRows
    routed: Floats
    """(n, M), tasks routed to each server so far."""
    arrived: NDArray[np.int64]
    """(n,), tasks seen so far."""
    converged: NDArray[np.bool_]
    """(n, M), servers whose gate gap has been under the threshold."""


class GatingNetwork(Gate[GatingState]):
    """Linear gate trained online on the locality loss; router with exploration noise.

    Gate h_m = θ_mᵀ x (eq. (3)); router argmax over idle m of h_m + r_m with r_m ~ U[0, λ]
    (eq. (4)). When server m_t completes task t with drift ‖Δw‖, the locality loss π_{m_t}·‖Δw‖
    moves every θ_j by −η·‖Δw‖·π_{m_t}·(1{j = m_t} − π_j)·x (eq. (13), reconstructed), π at the
    present θ. Several completions in one slot are learned one after the other. The input x is
    taken as it comes, on real data too: scaled to a fixed length it serves some scenarios better
    and others worse.

    Args:
        config: the environment's configuration.
        learning_rate: η.
        noise: λ, width of the router's exploration noise.
        load_balance: α of the load-balance term α·M·Σ_m f_m·π_m, f_m the share of tasks routed
            to m so far (reconstructed); 0 leaves it out.
        early_termination: Γ; from task ceil(M/η) on, learning stops for good once every server
            has been chosen with a gate at most Γ below the highest (reconstructed). None never
            stops.
        seed: of the noise; row i draws from seed + i, a sequence gives each row its own.

    Raises:
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        config: OffloadingConfig,
        *,
        learning_rate: float = 3.0,
        noise: float = 0.3,
        load_balance: float = 0.0,
        early_termination: float | None = None,
        seed: int | Sequence[int] = 0,
    ) -> None:
        for name, value, allowed in (
            ("learning_rate", learning_rate, Real(0, open_low=True)),
            ("noise", noise, Real(0)),
            ("load_balance", load_balance, Real(0)),
            ("early_termination", early_termination, Real(0)),
        ):
            if value is not None and not allowed.admits(value):
                raise reject(name, value, allowed)
        self._config = config
        self._learning_rate = float(learning_rate)
        self._noise = noise
        self._load_balance = float(load_balance)
        self._early_termination = early_termination
        self._exploration = math.ceil(config.num_servers / learning_rate)
        self._seed = seed

    def start(self, batch: int) -> GatingState:
        """Return θ = 0 for each of `batch` rows."""
        M, d = self._config.num_servers, self._config.feature_dim
        return GatingState(
            theta=np.zeros((batch, M, d)),
            memory=DispatchMemory.empty(batch, M, d),
            noise=UniformRows(row_seeds(self._seed, batch), self._config.num_tasks * M),
            routed=np.zeros((batch, M)),
            arrived=np.zeros(batch, dtype=np.int64),
            converged=np.zeros((batch, M), dtype=np.bool_),
        )

    def reset(self, state: GatingState, rows: NDArray[np.bool_]) -> None:
        """Return the rows to θ = 0; their noise goes on, so that episodes differ."""
        state.theta[rows] = 0.0
        state.routed[rows] = 0.0
        state.arrived[rows] = 0
        state.converged[rows] = False

    def relevance(self, state: GatingState, slot: Slot) -> Floats:
        """Return h_m + r_m, (n, U, M) (eq. (3) and (4))."""
        return self._gate(state, slot) + self._noise * state.noise.draw().reshape(slot.origin.shape)

    def remember(self, state: GatingState, slot: Slot, servers: NDArray[np.int64]) -> None:
        """Note who took which task; with early termination, also whose gate has converged."""
        state.memory.remember(slot.task, servers)
        rows, tasks, picks = np.nonzero(servers < self._config.num_servers)
        chosen = servers[rows, tasks, picks]
        np.add.at(state.routed, (rows, chosen), 1.0)
        state.arrived += self._config.num_tasks
        if self._early_termination is not None:
            gate = self._gate(state, slot)[rows, tasks]
            gap = gate.max(axis=1) - gate[np.arange(rows.size), chosen]
            close = (gap <= self._early_termination) & (state.arrived[rows] >= self._exploration)
            state.converged[rows[close], chosen[close]] = True

    def learn(self, state: GatingState, slot: Slot) -> None:
        """Descend the loss of every training that ended in the slot before."""
        descend(
            state.theta,
            state.memory.features,
            slot.completed,
            slot.drift,
            state.routed,
            np.logical_not(state.converged.all(axis=1)),
            self._learning_rate,
            self._load_balance,
        )

    def _gate(self, state: GatingState, slot: Slot) -> Floats:
        gate: Floats = np.matmul(slot.task, state.theta.transpose(0, 2, 1))
        return gate
