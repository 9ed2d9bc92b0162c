"""Where replayed returns stand between a task's baseline and the certified bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mec_moe_agents.suite.lookup import shipped_bounds, shipped_rows
from mec_moe_agents.suite.tasks import Split, Task
from mec_moe_env.core.buffers import Floats

FEASIBILITY = ("rejected_share", "lost", "violated", "cost", "lost_states", "accuracy")
"""Metrics beside a return that tell what it was bought with, where an environment has them."""


@dataclass(frozen=True)
class Standing:
    """Mean returns on a split."""

    mean_return: float
    baseline: float | None
    """None where its episodes are not shipped."""
    bound: float | None
    """None where nothing is shipped or proved."""

    @classmethod
    def of(cls, task: Task, split: Split, returns: Floats) -> Self:
        """Place n returns beside what is shipped for the same seeds."""
        rows = None
        if task.baseline is not None:
            rows = shipped_rows(split.config, task.baseline, split.seeds)
        bounds = shipped_bounds(split.config, split.seeds)
        return cls(
            float(returns.mean()),
            None if rows is None else float(rows["return"].mean()),
            None if bounds is None else float(np.mean(bounds)),
        )

    @property
    def score(self) -> float | None:
        """0 for the baseline, 1 for the bound; None where one is missing or they are equal."""
        if self.baseline is None or self.bound is None or self.bound <= self.baseline:
            return None
        return (self.mean_return - self.baseline) / (self.bound - self.baseline)
