"""Random layers of the joint problem, and what every allocation must satisfy."""

from __future__ import annotations

import numpy as np
import pytest

RADIO = {"state_bits": 4e4, "power": 0.1}


def draw_layer(rng, sources, experts, tokens, subcarriers, spread=0.5):
    """Return softmax gates, OFDMA rates in bit/s and joules per token."""
    score = np.exp(1.5 * rng.normal(size=(sources, tokens, experts)))
    score /= score.sum(axis=-1, keepdims=True)
    gain = 10 ** (spread * rng.normal(size=(sources, experts, 1)))
    fading = rng.exponential(size=(sources, experts, subcarriers))
    rate = 1e6 * np.log2(1 + 10 * gain * fading)
    return score, rate, 1e-3 * rng.uniform(0.5, 2, experts)


def check_allocation(score, rate, compute, threshold, most, plan, sources=None, unit=None):
    """Assert C1 where feasible, C2, C3, and that the energy is what the plan costs."""
    count = score.shape[0]
    nodes = np.arange(count) if sources is None else np.asarray(sources)
    reached = (score * plan.selected).sum(axis=-1)
    limit = np.broadcast_to(threshold, reached.shape)
    np.testing.assert_array_equal(plan.feasible, (limit <= 0) | (reached >= limit * (1 - 1e-12)))
    assert (plan.selected.sum(axis=-1) <= most).all()
    load = plan.selected.sum(axis=1)
    load[np.arange(count), nodes] = 0
    used = load > 0
    np.testing.assert_array_equal(used, plan.subcarrier >= 0)
    assert np.unique(plan.subcarrier[used]).size == used.sum()
    if unit is None:
        unit = RADIO["power"] * RADIO["state_bits"] / rate
    spent = plan.selected.sum(axis=(0, 1)) @ compute
    for i, k in np.argwhere(used):
        spent += load[i, k] * unit[i, k, plan.subcarrier[i, k]]
    assert plan.energy == pytest.approx(spent, rel=1e-12)
