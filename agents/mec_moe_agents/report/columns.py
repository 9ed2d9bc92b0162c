"""The measures that reports show, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mec_moe_agents.evaluation.statistics import Estimate

MISSING = "–"


@dataclass(frozen=True)
class Column:
    """A measure with its heading, unit and precision."""

    heading: str
    decimals: int
    scale: float = 1.0
    """Factor from the stored unit to the one that is shown."""
    signed: bool = False

    def number(self, value: float) -> str:
        """Write one number; a dash where there is none."""
        if math.isnan(value):
            return MISSING
        sign = "+" if self.signed else ""
        # Adding zero turns a rounded −0 into 0.
        return f"{round(value * self.scale, self.decimals) + 0.0:{sign}.{self.decimals}f}"

    def interval(self, estimate: Estimate) -> str:
        """Write the interval as [low, high]; nothing where there is none."""
        if math.isnan(estimate.low):
            return ""
        return f"[{self.number(estimate.low)}, {self.number(estimate.high)}]"


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "generalization_error": Column("Final error", 3),
        "accuracy": Column("Accuracy %", 1, scale=100.0),
        "energy_per_task_j": Column("Energy mJ/task", 1, scale=1e3),
        "energy_per_token_j": Column("Energy mJ/token", 1, scale=1e3),
        "relevance": Column("Relevance", 3),
        "violated": Column("Violated %", 1, scale=100.0),
        "experts_per_token": Column("Experts/token", 2),
        "mean_delay_slots": Column("Delay slots", 2),
        "rejected_share": Column("Rejected %", 1, scale=100.0),
    }
)


def return_column(largest: float, heading: str = "Return", signed: bool = False) -> Column:
    """Return a column for returns up to `largest` in size: about four digits."""
    decimals = min(max(3 - math.floor(math.log10(max(largest, 1e-9))), 0), 3)
    return Column(heading, decimals, signed=signed)
