"""How numbers are written: headings, units, precision."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mec_moe_agents.evaluation.statistics import Estimate

MISSING = "–"
ENERGY_OF_A_TASK = "energy_per_arrival_j"
"""Which of Offloading's two measures tables and pictures show: joules per arriving task, rejected
ones included. It has a value for every agent, and a total behind it that all agents share."""


@dataclass(frozen=True)
class Column:
    """A measure with its heading, unit and precision."""

    heading: str
    decimals: int
    scale: float = 1.0
    """Factor from the stored unit to the one that is shown."""
    signed: bool = False
    none: str = ""
    """Written where there is no estimate: for the agent that the others are compared with."""
    achieved: str = ""
    """How a verdict names the value, if it does."""

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

    def cell(self, estimate: Estimate | None) -> tuple[str, str]:
        """Write the mean, and its interval beside it."""
        if estimate is None:
            return self.none, ""
        return self.number(estimate.mean), self.interval(estimate)

    def text(self, estimate: Estimate | None) -> str:
        """Write the mean and its interval."""
        return " ".join(self.cell(estimate)).rstrip()

    def lead(self, estimate: Estimate) -> str:
        """Write a difference, with two significant digits where it would round to zero."""
        return self._fine_enough(estimate.mean).text(estimate)

    def lead_number(self, value: float) -> str:
        """Write one number as `lead` does."""
        return self._fine_enough(value).number(value)

    def _fine_enough(self, value: float) -> Column:
        shown = abs(value * self.scale)
        if not (shown > 0 and round(shown, self.decimals) == 0):
            return self
        return dataclasses.replace(self, decimals=1 - math.floor(math.log10(shown)))


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "generalization_error": Column("Final error", 3, achieved="final error {}"),
        "accuracy": Column("Accuracy %", 1, 1e2, achieved="held-out accuracy {} %"),
        ENERGY_OF_A_TASK: Column(
            "Energy mJ/arrival", 1, 1e3, achieved="energy {} mJ per arriving task"
        ),
        "energy_per_token_j": Column("Energy mJ/token", 1, 1e3, achieved="energy {} mJ a token"),
        "relevance": Column("Relevance", 3),
        "violated": Column("Violated %", 1, 1e2, achieved="thresholds violated {} %"),
        "cost": Column("Violated tokens", 1),
        "experts_per_token": Column("Experts/token", 2),
        "mean_delay_slots": Column("Delay slots", 2),
        "rejected_share": Column("Rejected %", 1, scale=100.0),
        "lost": Column("Lost tasks", 1),
        "dropped_picks": Column("Dropped picks", 1),
    }
)
FEASIBILITY = ("violated", "cost", "rejected_share", "lost", "dropped_picks")
"""Of an environment's measures those that say whether everything was served as it must be."""
RARE = ("lost", "dropped_picks")
"""Shown where they are anything but 0."""
SCORE = Column("Score", 3)
SHARE = Column("%", 0, scale=100.0)
P_VALUE = Column("p (Holm)", 4)


def return_column(largest: float, heading: str = "Return", signed: bool = False) -> Column:
    """Return a column for returns up to `largest` in size: about four digits."""
    decimals = min(max(3 - math.floor(math.log10(max(largest, 1e-9))), 0), 3)
    return Column(heading, decimals, signed=signed)
