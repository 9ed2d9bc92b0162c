"""From preferences to an action in which no pick gets in another's way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mec_moe_env import Slot


def greedy_action(
    preference: NDArray[np.float64], slot: Slot, picks: int, max_experts: int
) -> NDArray[np.int64]:
    """Serve each task by its most preferred idle servers, each over its best free subcarrier.

    Every task gets its first expert before any gets a second; within a round the tasks choose in
    their order of arrival. A server or subcarrier that one pick takes is gone for the others.
    When no subcarrier is free, only a task's own origin can still serve it: in-situ picks take
    no subcarrier.

    Args:
        preference: (n, U, M), higher is better, −inf is never.
        slot: the observations, n rows.
        picks: most experts that a task gets, at most D.
        max_experts: D, the number of picks that the action has room for.

    Returns:
        (n, U, D, 2): server (M = none) and subcarrier of each pick.
    """
    n, U, M = preference.shape
    action = np.zeros((n, U, max_experts, 2), dtype=np.int64)
    action[..., 0] = M
    idle = slot.busy == 0
    free = slot.subcarrier_busy == 0
    rows = np.arange(n)
    for pick in range(picks):
        for u in range(U):
            local = slot.origin[:, u] > 0
            reachable = idle & (local | free.any(axis=1, keepdims=True))
            score = np.where(reachable, preference[:, u], -np.inf)
            server = score.argmax(axis=1)
            chosen = score[rows, server] > -np.inf
            sends = chosen & ~local[rows, server]
            link = slot.spectral_efficiency[rows, u, server]
            subcarrier = np.where(free, link, -1.0).argmax(axis=1)
            action[chosen, u, pick, 0] = server[chosen]
            action[sends, u, pick, 1] = subcarrier[sends]
            idle[rows[chosen], server[chosen]] = False
            free[rows[sends], subcarrier[sends]] = False
    return action
