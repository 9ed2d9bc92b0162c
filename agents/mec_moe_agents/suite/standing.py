"""Where replayed returns stand between a task's baseline and the certified bound."""

from __future__ import annotations

import numpy as np

from mec_moe_agents.evaluation.scale import Scale
from mec_moe_agents.suite.lookup import shipped_bounds, shipped_rows
from mec_moe_agents.suite.tasks import Split, Task

FEASIBILITY = ("rejected_share", "lost", "violated", "cost", "lost_states", "accuracy")
"""Metrics beside a return that tell what it was bought with, where an environment has them."""


def scale_of(task: Task, split: Split) -> Scale:
    """Return the scale of a split from what is shipped for its seeds.

    The baseline is NaN where its episodes are not shipped; there are no bounds where none are, or
    nothing is proved.
    """
    rows = None
    if task.baseline is not None:
        rows = shipped_rows(split.config, task.baseline, split.seeds)
    baseline = np.nan if rows is None else float(rows["return"].mean())
    return Scale(baseline, shipped_bounds(split.config, split.seeds))
