"""Families of expert-selection instances, and two oracles for them."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

Floats = NDArray[np.float64]
FEASIBILITY = 1e-12
FAMILIES = ("random", "correlated", "equal ratios", "tight", "zeros")


def draw(
    family: str, count: int, experts: int, most: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return energies and scores (count, experts) and thresholds (count,)."""
    score = rng.random((count, experts))
    energy = rng.random((count, experts))
    # A small share lets single experts reach the threshold, a large one asks for many.
    share = rng.choice([0.02, 0.1, 0.2, 0.4, 0.6, 0.9, 1.05], count)
    if family == "correlated":
        energy = score + 0.1
    elif family == "equal ratios":
        score = rng.integers(1, 9, (count, experts)).astype(float)
        energy = 0.5 * score
    elif family == "tight":
        share = rng.choice([0.999, 1.0, 1.0 + 1e-9], count)
    elif family == "zeros":
        energy *= rng.random((count, experts)) < 0.6
        score *= rng.random((count, experts)) < 0.6
    top = np.sort(score, axis=1)[:, ::-1][:, :most].sum(axis=1)
    return energy, score, share * top


def all_subsets(experts: int, most: int) -> Floats:
    """Return every set of at most `most` experts as a row of zeros and ones."""
    members = [
        chosen
        for size in range(min(experts, most) + 1)
        for chosen in itertools.combinations(range(experts), size)
    ]
    subsets = np.zeros((len(members), experts))
    for row, chosen in enumerate(members):
        subsets[row, list(chosen)] = 1.0
    return subsets


def brute_force(energy: Floats, score: Floats, threshold: Floats, most: int) -> Floats:
    """Return the least energy of every row over all sets, +inf where none is feasible."""
    subsets = all_subsets(energy.shape[1], most)
    reached = score @ subsets.T >= (threshold * (1.0 - FEASIBILITY))[:, None]
    least: Floats = np.where(reached, energy @ subsets.T, np.inf).min(axis=1)
    return least


def by_highs(energy: Floats, score: Floats, threshold: float, most: int) -> tuple[float, float]:
    """Return HiGHS's energy and bound; the energy is +inf when its set misses the threshold."""
    rows = np.array([score / threshold, np.ones(score.size)])
    result = milp(
        energy,
        integrality=np.ones(energy.size, np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, [1.0, 0.0], [np.inf, most]),
        options={"mip_rel_gap": 0.0},
    )
    assert result.x is not None
    assert result.mip_dual_bound is not None
    chosen = result.x > 0.5
    if score[chosen].sum() < threshold * (1.0 - FEASIBILITY):
        return np.inf, result.mip_dual_bound
    return float(energy[chosen].sum()), result.mip_dual_bound
