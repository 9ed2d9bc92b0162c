"""Random layers of the joint problem, and what every allocation must satisfy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mec_moe_agents.solvers import ExactAllocation, JointAllocation, LayerProblem
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Drawn = tuple[Floats, Floats, Floats]
"""Scores (I, Q, K), rates (I, K, S), joules per token (K,)."""


def draw_layer(
    rng: np.random.Generator,
    sources: int,
    experts: int,
    tokens: int,
    subcarriers: int,
    spread: float = 0.5,
) -> Drawn:
    """Return softmax gates, OFDMA rates in bit/s and joules per token."""
    score = np.exp(1.5 * rng.normal(size=(sources, tokens, experts)))
    score /= score.sum(axis=-1, keepdims=True)
    gain = 10 ** (spread * rng.normal(size=(sources, experts, 1)))
    fading = rng.exponential(size=(sources, experts, subcarriers))
    rate = 1e6 * np.log2(1 + 10 * gain * fading)
    return score, rate, 1e-3 * rng.uniform(0.5, 2, experts)


def state(layer: Drawn, threshold: float, most: int, **more: Any) -> LayerProblem:
    """State the problem of a drawn layer."""
    return LayerProblem(*layer, threshold, most, **{"state_bits": 4e4, "power": 0.1, **more})


def check_allocation(problem: LayerProblem, plan: JointAllocation | ExactAllocation) -> None:
    """Assert C1 where feasible, C2, C3, and that the energy is what the plan costs."""
    score, rate = np.asarray(problem.score), np.asarray(problem.rate)
    count = score.shape[0]
    nodes = np.arange(count) if problem.sources is None else np.asarray(problem.sources)
    reached = (score * plan.selected).sum(axis=-1)
    limit = np.broadcast_to(np.asarray(problem.threshold), reached.shape)
    np.testing.assert_array_equal(plan.feasible, (limit <= 0) | (reached >= limit * (1 - 1e-12)))
    assert (plan.selected.sum(axis=-1) <= problem.max_experts).all()
    load = plan.selected.sum(axis=1)
    load[np.arange(count), nodes] = 0
    used = load > 0
    np.testing.assert_array_equal(used, plan.subcarrier >= 0)
    assert np.unique(plan.subcarrier[used]).size == used.sum()
    with np.errstate(divide="ignore"):
        unit = problem.power * problem.state_bits / rate
    spent = plan.selected.sum(axis=(0, 1)) @ np.asarray(problem.compute_energy)
    for i, k in np.argwhere(used):
        spent += load[i, k] * unit[i, k, plan.subcarrier[i, k]]
    assert plan.energy == pytest.approx(spent, rel=1e-12)
