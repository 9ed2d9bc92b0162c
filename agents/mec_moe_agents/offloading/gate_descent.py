"""How the gating network learns (Li & Duan 2024, eq. (13)), compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles
from mec_moe_env.core.kernels import kernel
from mec_moe_env.moe.model import softmax


class Rule(NamedTuple):
    """What the gate descends, and how fast."""

    learning_rate: float
    """η."""
    load_balance: float
    """α."""
    by_round: bool
    """Whether the load-balance term is α·M/(t + 1) rather than α·M·Σ_m f_m·π_m."""
    at_arrival: bool
    """Whether π is of the gate when the task arrived rather than of the present one."""
    least_rounds: int
    """Tasks that are learned from in any case."""
    relative: bool
    """Whether ‖Δw‖ counts in proportion to its mean so far, less one."""


class Pending(NamedTuple):
    """What is remembered of the task that each server took last; P places for logits."""

    features: Floats
    """(n, M, d), x."""
    rounds: Integers
    """(n, M), t, how many tasks arrived before."""
    places: Integers
    """(n, M), where the task's logits stand."""
    logits: Floats
    """(n, P, M): π is their softmax, or that of their sum with the present gate."""


@kernel
def write_slope(
    share: Floats,
    server: int,
    drift: float,
    rule: Rule,
    task_round: int,
    routed: Floats,
    out: Floats,
) -> None:
    """Write the derivative of the loss by each gate h_j, (M,).

    The locality loss π_{m_t}·‖Δw‖ gives ‖Δw‖·π_{m_t}·(1{j = m_t} − π_j). The load-balance term
    α·M·Σ_m f_m·π_m adds α·M·π_j·(f_j − Σ_m f_m·π_m), that of the first author's program adds
    α·M/(t + 1) to ‖Δw‖. `share` is π, (M,), `server` m_t, and `routed`, (M,), the tasks routed to
    each server so far, whose shares are f.
    """
    M = share.shape[0]
    loss = drift
    if rule.by_round:
        loss += rule.load_balance * M / (task_round + 1)
    for j in range(M):
        own = 1.0 if j == server else 0.0
        out[j] = loss * share[server] * (own - share[j])
    total = routed.sum()
    if total > 0.0 and not rule.by_round:  # who joins a running episode has routed nothing yet
        mean = (routed * share).sum()
        for j in range(M):
            out[j] += rule.load_balance * M * share[j] * (routed[j] - mean) / total


@kernel
def relative_drift(drift: float, trainings: Floats) -> float:
    """Return ‖Δw‖ over its mean, less one; 0 while nothing moved. `trainings`: count and sum."""
    return drift * trainings[0] / trainings[1] - 1.0 if trainings[1] > 0.0 else 0.0


@kernel
def descend(
    theta: Floats,
    pending: Pending,
    completed: Singles,
    drift: Singles,
    trainings: Floats,
    routed: Floats,
    settled: Flags,
    rule: Rule,
) -> None:
    """Move θ, (n, M, d), down the loss of every training that ended, in the order of the servers.

    `completed`, (n, M), is 1 where one ended; `settled`, (n,), where every gate has converged.
    `trainings`, (n, 2), counts those that ended in the episode and sums their ‖Δw‖.
    """
    n, M, d = theta.shape
    share, slope = np.empty(M), np.empty(M)
    for i in range(n):
        for m in range(M):
            task_round, x = pending.rounds[i, m], pending.features[i, m]
            if completed[i, m] == 0 or (settled[i] and task_round >= rule.least_rounds):
                continue
            for j in range(M):
                share[j] = pending.logits[i, pending.places[i, m], j]
                for f in range(0 if rule.at_arrival else d):
                    share[j] += theta[i, j, f] * x[f]
            softmax(share)
            trainings[i, 0] += 1.0
            trainings[i, 1] += drift[i, m]
            loss: float = drift[i, m]
            if rule.relative:
                loss = relative_drift(loss, trainings[i])
            write_slope(share, m, loss, rule, task_round, routed[i], slope)
            for j in range(M):
                for f in range(d):
                    theta[i, j, f] -= rule.learning_rate * slope[j] * x[f]
