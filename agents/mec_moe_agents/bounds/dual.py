"""Multipliers on "each task at most once", and the bound that they certify."""

from __future__ import annotations

import numpy as np

from mec_moe_agents.bounds.labels import Label, label_costs
from mec_moe_agents.bounds.multipliers import Collected, improve
from mec_moe_agents.bounds.programs import best_label
from mec_moe_agents.bounds.relaxation import Relaxation
from mec_moe_env.core.buffers import Floats

FIRST_SHARE = 0.7
"""Of what each task is worth at its best, as first multipliers."""
AIMS = (0.3, 0.02)
"""By which share of its value a bound is hoped to improve, in the first round and in the last."""
ITERATIONS = (300, 1500)
"""Fewest and most of the subgradient method between two looks at all labels."""
STEPS = 4e8
"""Of dynamic programmes that they may take together, where more than the fewest."""
PURE_ROUNDS = 3
"""Rounds for which labels to begin with are kept."""
MOST_FIRST = 2e7
"""Costs up to which every server is given a label for every type to begin with."""


class Dual:
    """Multipliers of one episode, and the labels that have been best for some server."""

    def __init__(self, relaxation: Relaxation) -> None:
        instance, cells = relaxation.instance, relaxation.cells
        self.relaxation = relaxation
        saved = instance.params.weights[0] * (instance.constant - cells.floor)
        values = np.where(instance.served, saved[:, None] - instance.price, 0.0)
        self._labels: dict[tuple[int, Label], Floats] = {}
        self.multipliers = FIRST_SHARE * np.maximum(values.max(axis=1), 0.0)
        self._hints = [-1] * instance.price.shape[1]
        self.lowest = np.inf
        """Least value certified so far."""

    def descend(self, rounds: int) -> float:
        """Return the least value certified within so many rounds, which no plan exceeds."""
        self._collect_pure_labels()
        multipliers = self.multipliers
        for done, aim in enumerate(np.geomspace(*AIMS, rounds)):
            if done == PURE_ROUNDS:
                self._keep_real_labels()
            if self._labels:
                multipliers = self._improved(float(aim))
            value = self._certify(multipliers)
            if value < self.lowest:
                self.lowest, self.multipliers = value, multipliers
            if not self._labels:
                multipliers = 0.5 * multipliers
        return self.lowest

    def _collect_pure_labels(self) -> None:
        """Let every server be a specialist of every type to begin with."""
        n, num_servers = self.relaxation.instance.price.shape
        present = np.unique(self.relaxation.instance.types).tolist()
        if n * num_servers * len(present) <= MOST_FIRST:
            for a in present:
                label = Label(-1, a, 0, a, 1.0)
                costs = label_costs(*self.relaxation, label)
                self._labels.update({(m, label): costs for m in range(num_servers)})

    def _keep_real_labels(self) -> None:
        """Forget labels to begin with: where the last training is named, none is like them."""
        if len(self.relaxation.anchors.basis) > 0:
            self._labels = {key: row for key, row in self._labels.items() if key[1].last >= 0}

    def _improved(self, aim: float) -> Floats:
        instance = self.relaxation.instance
        scale = self.lowest if np.isfinite(self.lowest) else 0.0
        gap = aim * abs(instance.rejection + scale) + 1e-9
        steps = len(self._labels) * len(self.multipliers)
        iterations = int(np.clip(STEPS / steps, *ITERATIONS))
        return improve(instance, self._collected(), self.multipliers, gap, iterations)

    def _certify(self, multipliers: Floats) -> float:
        """Return Σλ + Σ_m worth over all labels, and collect each server's best one."""
        total = float(multipliers.sum())
        for m in range(len(self._hints)):
            worth, label = best_label(*self.relaxation, multipliers, m, self._hints[m])
            total += worth
            if label.nearest >= 0:
                self._hints[m] = label.last
                self._labels[m, label] = label_costs(*self.relaxation, label)
        return total

    def _collected(self) -> Collected:
        costs = np.array(list(self._labels.values())).reshape(-1, len(self.multipliers))
        servers = np.array([m for m, _ in self._labels], np.int64)
        return Collected(
            servers, np.array([label.last for _, label in self._labels], np.int64), costs
        )
