"""Multipliers on "each task at most once", and the bound that they certify."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.labels import Label
from mec_moe_agents.bounds.multipliers import Collected, collected_worths, improve
from mec_moe_agents.bounds.programs import best_label, write_label_programme
from mec_moe_agents.bounds.relaxation import Relaxation
from mec_moe_agents.bounds.schedule import empty_programme
from mec_moe_env.core.buffers import Floats, Integers

FIRST_SHARE = 0.7
"""Of what each task is worth at its best, as first multipliers."""
AIMS = (0.3, 0.02)
"""By which share of its value a bound is hoped to improve, in the first round and in the last."""
ITERATIONS = (300, 1500)
"""Fewest and most of the subgradient method between two looks at all labels."""
STEPS = 4e7
"""Of dynamic programmes that they may take together, where more than the fewest."""
PURE_ROUNDS = 3
"""Rounds for which labels to begin with are kept."""
EVERY_TYPE, EVERY_TRAINING = -1, 2**62
"""The search over labels that certifies."""


class Column(NamedTuple):
    """A server's programme under a label: see `Programme`."""

    task: Integers
    before: Integers
    value: Floats
    first: int


class Dual:
    """Multipliers of one episode, and the labels that have been best for some server."""

    def __init__(self, relaxation: Relaxation) -> None:
        self.relaxation = relaxation
        self.multipliers = FIRST_SHARE * np.maximum(relaxation.servers.gain.max(axis=0), 0.0)
        self._columns: dict[tuple[int, Label], Column] = {}
        self.lowest = np.inf
        """Least value certified so far."""

    def descend(self, rounds: int) -> float:
        """Return the least value certified within so many rounds, which no plan exceeds."""
        self._collect_pure_labels()
        multipliers = self.multipliers
        for done, aim in enumerate(np.geomspace(*AIMS, rounds)):
            if done == PURE_ROUNDS:
                self._keep_real_labels()
            if self._columns:
                multipliers = self._improved(float(aim))
            value = self._certify(multipliers)
            if value < self.lowest:
                self.lowest, self.multipliers = value, multipliers
            if not self._columns:
                multipliers = 0.5 * multipliers
        return self.lowest

    def _collect_pure_labels(self) -> None:
        """Let every server be a specialist of every type to begin with."""
        for a in np.unique(self.relaxation.instance.types).tolist():
            for m in range(len(self.relaxation.servers.gain)):
                self._collect(m, Label(-1, a, 0, a, 1.0))

    def _keep_real_labels(self) -> None:
        """Replace the labels to begin with where the last training is named: none is like them."""
        if len(self.relaxation.anchors.basis) == 0:
            return
        pure = [key for key in self._columns if key[1].last < 0]
        for m, label in pure:
            del self._columns[m, label]
            _, named = best_label(self.relaxation, self.multipliers, m, 0.0, label.nearest, 1)
            if named.nearest >= 0:
                self._collect(m, named)

    def _collect(self, m: int, label: Label) -> None:
        values = np.empty(len(self.multipliers))
        programme = empty_programme(len(values), self.relaxation.instance.horizon)
        write_label_programme(self.relaxation, m, label, programme, values)
        first, count = programme.sizes.tolist()
        if count > 0:
            task, before = programme.task[:count].copy(), programme.before[:count].copy()
            self._columns[m, label] = Column(task, before, values[:count].copy(), first)

    def _improved(self, aim: float) -> Floats:
        instance = self.relaxation.instance
        collected = collect(self._columns, self.relaxation.servers.joules)
        scale = self.lowest if np.isfinite(self.lowest) else 0.0
        gap = aim * abs(instance.rejection + scale) + 1e-9
        num_servers, experts = instance.price.shape[1], instance.params.max_experts
        steps = len(collected.task) + len(collected.server)
        iterations = int(np.clip(STEPS / steps, *ITERATIONS))
        return improve(collected, self.multipliers, num_servers, experts, gap, iterations)

    def _certify(self, multipliers: Floats) -> float:
        """Return Σλ + Σ_m worth over all labels, and collect each server's best one."""
        instance = self.relaxation.instance
        least = self._certain_worths(multipliers)
        total = float(multipliers.sum())
        for m in range(instance.price.shape[1]):
            worth, label = best_label(
                self.relaxation, multipliers, m, least[m], EVERY_TYPE, EVERY_TRAINING
            )
            total += worth
            if label.nearest >= 0:
                self._collect(m, label)
        return total

    def _certain_worths(self, multipliers: Floats) -> Floats:
        """Return the most that each server is worth over real labels, (M,)."""
        instance, named = self.relaxation.instance, len(self.relaxation.anchors.basis) > 0
        real = {key: kept for key, kept in self._columns.items() if key[1].last >= 0 or not named}
        if not real:
            return np.zeros(instance.price.shape[1])
        collected = collect(real, self.relaxation.servers.joules)
        num_servers, experts = instance.price.shape[1], instance.params.max_experts
        return collected_worths(collected, multipliers, num_servers, experts)


def collect(columns: dict[tuple[int, Label], Column], joules: Floats) -> Collected:
    """Lay programmes end to end."""
    ends = np.cumsum([0, *(len(column.task) for column in columns.values())])
    return Collected(
        server=np.array([m for m, _ in columns], np.int64),
        joules=np.array([joules[m, max(label.last, 0)] for m, label in columns]),
        first=np.array([column.first for column in columns.values()], np.int64),
        begin=ends,
        task=np.concatenate([column.task for column in columns.values()]),
        before=np.concatenate([column.before for column in columns.values()]),
        value=np.concatenate([column.value for column in columns.values()]),
    )
