"""The gating network and router of Li & Duan 2024, Algorithm 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mec_moe_agents.agent import Seed, UniformRows, row_seeds
from mec_moe_agents.offloading.gate_descent import Pending, Rule, descend
from mec_moe_agents.offloading.gates import Gate
from mec_moe_agents.offloading.profile import unit
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import OneOf, Real, Whole, check, reject
from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles

MOMENTS = OneOf(("arrival", "completion"))
LOADS = OneOf(("frequency", "round"))
FEATURES = OneOf(("sum", "direction"))
DRIFTS = OneOf(("absolute", "relative"))
SHARERS = OneOf(("all", "idle"))


class Usual(NamedTuple):
    """What stands for options of the gate that are left out."""

    learning_rate: float
    noise: float
    features: str
    drift: str
    softmax_over: str


USUAL: Mapping[str, Usual] = MappingProxyType(
    {
        "linear": Usual(3.0, 0.3, "sum", "absolute", "all"),
        # Chosen on seeds of training, by the return on `digits` and `mnist-5k` (docs/mlp.md).
        "mlp": Usual(50.0, 0.3, "direction", "relative", "idle"),
    }
)
"""By kind of experts: the paper's for linear ones."""


@dataclass
class GatingState:
    """What the gating network has learned in each of n episodes."""

    theta: Floats
    """(n, M, d), the gating parameters θ_m."""
    pending: Pending
    """The task that each server took last. It works on one at a time, so that one place per server
    is enough; work that is lost in a failure never completes and is overwritten by the next."""
    noise: UniformRows
    drawn: Floats
    """(n, U, M), the noise r_m that the present tasks were routed by."""
    routed: Floats
    """(n, M), tasks routed to each server so far."""
    arrived: Integers
    """(n,), tasks seen so far."""
    trainings: Floats
    """(n, 2), the trainings that ended so far, and the sum of their drifts ‖Δw‖."""
    converged: Flags
    """(n, M), servers whose gate has been close to that of a chosen one, for good."""


class GatingNetwork(Gate[GatingState]):
    """Linear gate trained online on the locality loss; router with exploration noise.

    Gate h_m = θ_mᵀ x (eq. (3)); router argmax over idle m of h_m + r_m with r_m ~ U[0, λ]
    (eq. (4)). When server m_t completes task t with drift ‖Δw‖, the locality loss π_{m_t}·‖Δw‖
    moves every θ_j by −η·‖Δw‖·π_{m_t}·(1{j = m_t} − π_j)·x (eq. (13)), π the softmax over all
    servers (eq. (5)). Several completions in one slot are learned one after the other.

    That is the gate for linear experts. Networks drift less the more they have learned, and an
    episode ends before it has shown which servers are second best for a type. For them three
    things are otherwise unless said (our extension): x is scaled to length one, ‖Δw‖ counts as
    ‖Δw‖/mean − 1, so that a server that learned with less drift than usual is preferred from then
    on, and the softmax goes over the servers that were idle, among which alone the router chose.

    The variants of the first author's program (Li et al. 2025, arXiv 2406.16437) are
    `softmax_noise=True`, `load="round"`, `early_termination=σ0**1.25` and `least_rounds=80 + 3·M`.

    Args:
        config: the environment's configuration.
        learning_rate: η; 3 for linear experts, 50 for networks.
        noise: λ, width of the router's exploration noise; 0.3.
        features: x is the `sum` of a task's samples (eq. (3)), or its `direction`, x/‖x‖.
        drift: ‖Δw‖ is `absolute`, or `relative`: ‖Δw‖/mean − 1, of all trainings that have ended
            in the episode.
        softmax_over: π is over `all` servers, or the `idle` ones of the slot in which the task
            arrived.
        softmax_at: whether π is of the parameters at the task's `arrival`, as in the paper, or of
            those at its `completion`.
        softmax_noise: whether π is of h + r rather than of h.
        load_balance: α of the load-balance term; 0 leaves it out.
        load: the term is α·M·Σ_m f_m·π_m (`frequency`, eq. (7)), f_m the share of tasks routed to
            m so far, or α·M/(t + 1) beside ‖Δw‖ (`round`), t the tasks that arrived before.
        early_termination: Γ; from task t ≥ M/η on, a server whose gate is less than Γ away from
            that of the server chosen is flagged for good. Learning stops once all are. None never
            stops.
        least_rounds: tasks that are learned from even so.
        seed: of the noise; row i draws from seed + i, a sequence gives each row its own.

    Raises:
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        config: OffloadingConfig,
        *,
        learning_rate: float | None = None,
        noise: float | None = None,
        features: str | None = None,
        drift: str | None = None,
        softmax_over: str | None = None,
        softmax_at: str = "arrival",
        softmax_noise: bool = False,
        load_balance: float = 0.0,
        load: str = "frequency",
        early_termination: float | None = None,
        least_rounds: int = 0,
        seed: Seed = 0,
    ) -> None:
        usual = USUAL[config.experts]
        learning_rate = usual.learning_rate if learning_rate is None else learning_rate
        noise = usual.noise if noise is None else noise
        features = usual.features if features is None else features
        drift = usual.drift if drift is None else drift
        softmax_over = usual.softmax_over if softmax_over is None else softmax_over
        check("learning_rate", learning_rate, Real(0, open_low=True))
        check("noise", noise, Real(0))
        check("features", features, FEATURES)
        check("drift", drift, DRIFTS)
        check("softmax_over", softmax_over, SHARERS)
        check("softmax_at", softmax_at, MOMENTS)
        if not isinstance(softmax_noise, bool):
            raise reject("softmax_noise", softmax_noise, "True or False")
        check("load_balance", load_balance, Real(0))
        check("load", load, LOADS)
        if early_termination is not None:
            check("early_termination", early_termination, Real(0))
        check("least_rounds", least_rounds, Whole(0))
        self._config = config
        self._noise = noise
        self._scaled = features == "direction"
        self._idle_alone = softmax_over == "idle"
        self._softmax_noise = softmax_noise
        self._early_termination = early_termination
        self._exploration = config.num_servers / learning_rate
        self._rule = Rule(
            learning_rate=float(learning_rate),
            load_balance=float(load_balance),
            by_round=load == "round",
            at_arrival=softmax_at == "arrival",
            least_rounds=int(least_rounds),
            relative=drift == "relative",
        )
        # A training takes d_u slots at most, so that the places of those tasks can go round.
        in_flight = config.max_delay * config.num_tasks * config.max_experts
        self._ring = in_flight < config.num_servers
        self._places = min(in_flight, config.num_servers)
        self._seed = seed

    def start(self, batch: int) -> GatingState:
        """Return θ = 0 for each of `batch` rows."""
        U, M, d = self._config.num_tasks, self._config.num_servers, self._config.feature_dim
        return GatingState(
            theta=np.zeros((batch, M, d)),
            pending=Pending(
                features=np.zeros((batch, M, d)),
                rounds=np.zeros((batch, M), np.int64),
                places=np.zeros((batch, M), np.int64),
                logits=np.zeros((batch, self._places, M)),
            ),
            noise=UniformRows(row_seeds(self._seed, batch), U * M),
            drawn=np.zeros((batch, U, M)),
            routed=np.zeros((batch, M)),
            arrived=np.zeros(batch, dtype=np.int64),
            trainings=np.zeros((batch, 2)),
            converged=np.zeros((batch, M), dtype=np.bool_),
        )

    def reset(self, state: GatingState, rows: Flags) -> None:
        """Return the rows to θ = 0; their noise goes on, so that episodes differ."""
        state.theta[rows] = 0.0
        state.routed[rows] = 0.0
        state.arrived[rows] = 0
        state.trainings[rows] = 0.0
        state.converged[rows] = False

    def relevance(self, state: GatingState, slot: Slot) -> Floats:
        """Return h_m + r_m, (n, U, M) (eq. (3) and (4))."""
        state.drawn = self._noise * state.noise.draw().reshape(slot.origin.shape)
        return self._gate(state, slot) + state.drawn

    def remember(self, state: GatingState, slot: Slot, servers: Integers) -> None:
        """Note who took which task, the logits of π, and whose gate has converged."""
        rows, tasks, picks = np.nonzero(servers < self._config.num_servers)
        chosen = servers[rows, tasks, picks]
        places = self._places_of(state, rows, tasks, picks) if self._ring else chosen
        noise = state.drawn[rows, tasks] if self._softmax_noise else 0.0
        gate = self._gate(state, slot)[rows, tasks]
        pending, rounds = state.pending, state.arrived[rows] + tasks
        pending.features[rows, chosen] = self._input(slot)[rows, tasks]
        pending.rounds[rows, chosen] = rounds
        pending.places[rows, chosen] = places
        logits = gate + noise if self._rule.at_arrival else noise
        if self._idle_alone:
            logits = np.where(slot.busy[rows] > 0, -np.inf, logits)
        pending.logits[rows, places] = logits
        np.add.at(state.routed, (rows, chosen), 1.0)
        state.arrived += self._config.num_tasks
        if self._early_termination is not None:
            late = rounds >= self._exploration
            close = self._close(gate + noise, chosen, self._early_termination)
            np.logical_or.at(state.converged, rows[late], close[late])

    def learn(self, state: GatingState, slot: Slot) -> None:
        """Descend the loss of every training that ended in the slot before."""
        settled = np.asarray(state.converged.all(axis=1))
        descend(
            state.theta,
            state.pending,
            slot.completed,
            slot.drift,
            state.trainings,
            state.routed,
            settled,
            self._rule,
        )

    def _places_of(
        self, state: GatingState, rows: Integers, tasks: Integers, picks: Integers
    ) -> Integers:
        """Return where the logits of tasks stand: those of a slot are overwritten d_u later."""
        U, D = self._config.num_tasks, self._config.max_experts
        slots = state.arrived[rows] // U % self._config.max_delay
        return (slots * U + tasks) * D + picks

    @staticmethod
    def _close(gate: Floats, chosen: Integers, threshold: float) -> Flags:
        """Tell whose gate, (count, M), is near that of another server, the chosen one."""
        every = np.arange(len(chosen))
        near: Flags = np.abs(gate - gate[every, chosen, np.newaxis]) < threshold
        near[every, chosen] = False
        return near

    def _gate(self, state: GatingState, slot: Slot) -> Floats:
        gate: Floats = np.matmul(self._input(slot), state.theta.transpose(0, 2, 1))
        return gate

    def _input(self, slot: Slot) -> Floats | Singles:
        """Return x of each task, (n, U, d)."""
        return unit(slot.task.astype(np.float64)) if self._scaled else slot.task
