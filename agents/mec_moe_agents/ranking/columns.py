"""What the tables of a ranking show of each agent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_agents.ranking.standings import Line, Standings
from mec_moe_agents.report.columns import Column, return_column

SCORE = Column("Score", 3)
SHARE = Column("%", 0, scale=100.0)


@dataclass(frozen=True)
class Shown:
    """A column and where its values come from."""

    column: Column
    value: Callable[[Line], Estimate | None]

    def cell(self, line: Line) -> tuple[str, str]:
        """Write the mean and its interval; both empty where the agent has none."""
        estimate = self.value(line)
        if estimate is None:
            return "", ""
        return self.column.number(estimate.mean), self.column.interval(estimate)


def essential_columns(standings: Standings) -> Sequence[Shown]:
    """Return what fits a terminal."""
    largest, rival = standings.largest_return, standings.rival
    return (
        Shown(return_column(largest), lambda line: line.mean_return),
        Shown(return_column(largest, f"To {rival}", signed=True), lambda line: line.to_rival),
        Shown(SCORE, lambda line: line.score),
        Shown(Column("Better on %", SHARE.decimals, SHARE.scale), lambda line: line.better_on),
    )


def all_columns(standings: Standings) -> Sequence[Shown]:
    """Return all that is measured."""
    return (
        *essential_columns(standings)[:3],
        Shown(Column("IQM score", SCORE.decimals), lambda line: line.iqm),
        Shown(
            Column(f"Better than {standings.rival} on seeds, %", SHARE.decimals, SHARE.scale),
            lambda line: line.better_on,
        ),
        Shown(
            Column("P(improvement), %", SHARE.decimals, SHARE.scale),
            lambda line: line.improvement,
        ),
    )
