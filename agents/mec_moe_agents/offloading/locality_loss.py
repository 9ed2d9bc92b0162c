"""How the gating network learns (Li & Duan 2024, eq. (13), reconstructed)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.kernels import compiled

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@compiled
def write_softmax(logits: Floats) -> None:
    """Overwrite the gates h, (M,), by π_m = exp(h_m) / Σ_j exp(h_j) (Li & Duan 2024, eq. (5))."""
    highest = logits.max()
    total = 0.0
    for m in range(logits.shape[0]):
        logits[m] = math.exp(logits[m] - highest)
        total += logits[m]
    for m in range(logits.shape[0]):
        logits[m] /= total


@compiled
def write_slope(
    share: Floats, server: int, drift: float, load_balance: float, routed: Floats, out: Floats
) -> None:
    """Write the derivative of the loss by each gate h_j, (M,).

    The locality loss π_{m_t}·‖Δw‖ gives ‖Δw‖·π_{m_t}·(1{j = m_t} − π_j), the load-balance term
    α·M·Σ_m f_m·π_m gives α·M·π_j·(f_j − Σ_m f_m·π_m).

    Args:
        share: π, (M,).
        server: m_t, the server that completed the task.
        drift: ‖Δw‖.
        load_balance: α.
        routed: tasks routed to each server so far, (M,).
        out: written, (M,).
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


@compiled
def descend(
    theta: Floats,
    features: Floats,
    completed: Singles,
    drift: Singles,
    routed: Floats,
    learning: NDArray[np.bool_],
    learning_rate: float,
    load_balance: float,
) -> None:
    """Move θ down the loss of every training that ended, one after the other in server order.

    Args:
        theta: θ, (n, M, d), updated.
        features: x of the task that each server took last, (n, M, d).
        completed: (n, M), 1 where a training ended.
        drift: ‖Δw‖, (n, M).
        routed: tasks routed to each server so far, (n, M).
        learning: (n,), false where the gate has stopped learning.
        learning_rate: η.
        load_balance: α.
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
            write_softmax(share)
            write_slope(share, m, drift[i, m], load_balance, routed[i], slope)
            for j in range(M):
                for f in range(d):
                    theta[i, j, f] -= learning_rate * slope[j] * features[i, m, f]
