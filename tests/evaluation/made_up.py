"""Episodes and scenarios whose returns are written down."""

from collections.abc import Sequence

import numpy as np
from mec_moe_agents import Episodes
from mec_moe_agents.evaluation.leaderboard import Leaderboard, Line, Standings, rank
from mec_moe_agents.evaluation.scenarios import Scenario
from numpy.typing import ArrayLike

from mec_moe_env import OFFLOADING_PRESETS


def episodes(returns: ArrayLike, **metrics: Sequence[float]) -> Episodes:
    """Return episodes on seeds from 0 with these returns and metrics."""
    values = np.asarray(returns, dtype=float)
    extra = {name: np.array(numbers, dtype=float) for name, numbers in metrics.items()}
    n = values.size
    return Episodes(np.arange(n), {"return": values, **extra}, np.ones((n, 3)))


def standings(scenario: str = "scarce", **returns: ArrayLike) -> Standings:
    """Rank agents with these returns; `learned` need not be in the catalogue."""
    results = {agent.replace("_", "-"): episodes(values) for agent, values in returns.items()}
    config = OFFLOADING_PRESETS[scenario]
    return rank(WrittenDown(scenario, config, tuple(results)), results)


def line_of(board: Leaderboard, agent: str) -> Line:
    """Return the line of an agent that is ranked."""
    line = board.line(agent)
    assert line is not None
    return line


class WrittenDown(Scenario):
    """A scenario in which nobody runs but those whose returns are given."""

    @property
    def runners(self) -> list[str]:
        return list(self.agents)

    def is_contender(self, agent: str) -> bool:
        return agent != "oracle"
