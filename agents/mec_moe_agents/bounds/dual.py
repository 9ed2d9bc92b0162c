"""Multipliers on "each task at most once", and the bound that they certify."""

from __future__ import annotations

import numpy as np

from mec_moe_agents.bounds.multipliers import Collected, improve, worths
from mec_moe_agents.bounds.programs import (
    Label,
    best_anchored_label,
    best_free_label,
    label_costs,
)
from mec_moe_agents.bounds.relaxation import Relaxation
from mec_moe_env.core.buffers import Floats

FIRST_SHARE = 0.7
"""Of what each task is worth at its best, as first multipliers."""
FIRST_AIM = 0.05
"""By which share of its value a bound is first hoped to improve."""
ITERATIONS = 40
"""Of the subgradient method between two looks at all labels."""


class Dual:
    """Multipliers of one episode, and the labels that have been best for some server."""

    def __init__(self, relaxation: Relaxation) -> None:
        instance, cells = relaxation.instance, relaxation.cells
        self.relaxation = relaxation
        saved = instance.params.weights[0] * (instance.constant - cells.floor)
        values = np.where(instance.served, saved[:, None] - instance.price, 0.0)
        self._labels: dict[tuple[int, Label], Floats] = {}
        self.multipliers = FIRST_SHARE * np.maximum(values.max(axis=1), 0.0)
        self.lowest = np.inf
        """Least value certified so far."""

    def descend(self, rounds: int) -> float:
        """Return the least value certified within so many rounds, which no plan exceeds."""
        multipliers, aim = self.multipliers, 0.0
        for _ in range(rounds):
            value = self._certify(multipliers)
            if value < self.lowest:
                self.lowest, self.multipliers = value, multipliers
            if not self._labels:
                multipliers = 0.5 * multipliers
                continue
            aim = aim if aim > 0.0 else FIRST_AIM * abs(value)
            multipliers, aim = improve(
                self.relaxation.instance, self._collected(), self.multipliers, aim, ITERATIONS
            )
        return self.lowest

    def _certify(self, multipliers: Floats) -> float:
        """Return Σλ + Σ_m worth over all labels, and collect each server's best one."""
        collected = self._collected()
        known = worths(self.relaxation.instance, collected, multipliers)
        total = float(multipliers.sum())
        for m in range(len(known)):
            worth, label = self._best_label(multipliers, m, float(known[m]))
            total += worth
            if label.nearest >= 0:
                self._labels[m, label] = label_costs(*self.relaxation, label)
        return total

    def _best_label(self, multipliers: Floats, m: int, known: float) -> tuple[float, Label]:
        if self.relaxation.anchored:
            return best_anchored_label(*self.relaxation, multipliers, m, known)
        return best_free_label(*self.relaxation, multipliers, m)

    def _collected(self) -> Collected:
        costs = np.array(list(self._labels.values())).reshape(-1, len(self.multipliers))
        servers = np.array([m for m, _ in self._labels], np.int64)
        return Collected(
            servers, np.array([label.last for _, label in self._labels], np.int64), costs
        )
