"""DES without a search, for one or two experts."""

from __future__ import annotations

import numpy as np

from mec_moe_agents.solvers.selection_bound import Floats
from mec_moe_env.core.kernels import compiled


@compiled
def best_single(energy: Floats, score: Floats, threshold: float) -> tuple[float, int]:
    """Find the cheapest expert that reaches the threshold alone; (inf, −1) if none does."""
    best, single = np.inf, -1
    for j in range(energy.shape[0]):
        if score[j] >= threshold and energy[j] < best:
            best, single = energy[j], j
    return best, single


@compiled
def best_pair(energy: Floats, score: Floats, threshold: float) -> tuple[float, int, int]:
    """Find the cheapest one or two experts that reach the threshold; (inf, −1, −1) if none do.

    Twice the same expert stands for that expert alone.
    """
    best, first = best_single(energy, score, threshold)
    second = first
    for i in range(energy.shape[0]):
        if energy[i] >= best:
            continue
        for j in range(i):
            if energy[i] + energy[j] < best and score[i] + score[j] >= threshold:
                best, first, second = energy[i] + energy[j], j, i
    return best, first, second
