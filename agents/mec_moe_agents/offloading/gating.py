"""The gating network and router of Li & Duan 2024, Algorithm 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mec_moe_agents.agent import Seed, UniformRows, row_seeds
from mec_moe_agents.offloading.gates import Gate
from mec_moe_agents.offloading.picks import served_tasks
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import Real, check
from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles
from mec_moe_env.core.kernels import kernel
from mec_moe_env.moe.model import softmax


@dataclass
class GatingState:
    """What the gating network has learned in each of n episodes."""

    theta: Floats
    """(n, M, d), the gating parameters θ_m."""
    features: Floats
    """(n, M, d), x of the task that each server took last.

    A server works on one task at a time, so that one place per server is enough; work that is
    lost in a failure never completes and is overwritten by the next task."""
    noise: UniformRows
    routed: Floats
    """(n, M), tasks routed to each server so far."""
    arrived: Integers
    """(n,), tasks seen so far."""
    converged: Flags
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
        seed: Seed = 0,
    ) -> None:
        check("learning_rate", learning_rate, Real(0, open_low=True))
        check("noise", noise, Real(0))
        check("load_balance", load_balance, Real(0))
        if early_termination is not None:
            check("early_termination", early_termination, Real(0))
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
            features=np.zeros((batch, M, d)),
            noise=UniformRows(row_seeds(self._seed, batch), self._config.num_tasks * M),
            routed=np.zeros((batch, M)),
            arrived=np.zeros(batch, dtype=np.int64),
            converged=np.zeros((batch, M), dtype=np.bool_),
        )

    def reset(self, state: GatingState, rows: Flags) -> None:
        """Return the rows to θ = 0; their noise goes on, so that episodes differ."""
        state.theta[rows] = 0.0
        state.routed[rows] = 0.0
        state.arrived[rows] = 0
        state.converged[rows] = False

    def relevance(self, state: GatingState, slot: Slot) -> Floats:
        """Return h_m + r_m, (n, U, M) (eq. (3) and (4))."""
        return self._gate(state, slot) + self._noise * state.noise.draw().reshape(slot.origin.shape)

    def remember(self, state: GatingState, slot: Slot, servers: Integers) -> None:
        """Note who took which task; with early termination, also whose gate has converged."""
        rows, tasks, chosen = served_tasks(servers, self._config.num_servers)
        state.features[rows, chosen] = slot.task[rows, tasks]
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
            state.features,
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


@kernel
def write_slope(
    share: Floats, server: int, drift: float, load_balance: float, routed: Floats, out: Floats
) -> None:
    """Write the derivative of the loss by each gate h_j, (M,).

    The locality loss π_{m_t}·‖Δw‖ gives ‖Δw‖·π_{m_t}·(1{j = m_t} − π_j), the load-balance term
    α·M·Σ_m f_m·π_m gives α·M·π_j·(f_j − Σ_m f_m·π_m). `share` is π, (M,), `server` m_t, `drift`
    ‖Δw‖, `load_balance` α, and `routed` the tasks routed to each server so far, (M,).
    """
    M = share.shape[0]
    for j in range(M):
        own = 1.0 if j == server else 0.0
        out[j] = drift * share[server] * (own - share[j])
    total = routed.sum()
    if total > 0.0:  # an agent that joins a running episode has routed nothing yet
        mean = (routed * share).sum()
        for j in range(M):
            out[j] += load_balance * M * share[j] * (routed[j] - mean) / total


@kernel
def descend(
    theta: Floats,
    features: Floats,
    completed: Singles,
    drift: Singles,
    routed: Floats,
    learning: Flags,
    learning_rate: float,
    load_balance: float,
) -> None:
    """Move θ, (n, M, d), down the loss of every training that ended, in the order of the servers.

    `completed`, (n, M), is 1 where one ended; `learning`, (n,), false where the gate has stopped.
    The rest is of `GatingState`, of the slot, and η and α.
    """
    n, M, d = theta.shape
    share = np.empty(M)
    slope = np.empty(M)
    for i in range(n):
        for m in range(M):
            if completed[i, m] == 0 or not learning[i]:
                continue
            for j in range(M):
                share[j] = 0.0
                for f in range(d):
                    share[j] += theta[i, j, f] * features[i, m, f]
            softmax(share)
            write_slope(share, m, drift[i, m], load_balance, routed[i], slope)
            for j in range(M):
                for f in range(d):
                    theta[i, j, f] -= learning_rate * slope[j] * features[i, m, f]
