"""Episodes and scenarios whose returns are written down."""

from collections.abc import Sequence

import numpy as np
from mec_moe_agents import Episodes
from mec_moe_agents.evaluation.bounds import CERTIFIED, UNKNOWN, Bounds
from mec_moe_agents.evaluation.leaderboard import Leaderboard, Standings, rank
from mec_moe_agents.evaluation.line import Line
from mec_moe_agents.evaluation.scenarios import Scenario
from numpy.typing import ArrayLike

from mec_moe_env import OFFLOADING_PRESETS


def episodes(returns: ArrayLike, **metrics: Sequence[float]) -> Episodes:
    """Return episodes on seeds from 0 with these returns and metrics."""
    values = np.asarray(returns, dtype=float)
    extra = {name: np.array(numbers, dtype=float) for name, numbers in metrics.items()}
    n = values.size
    return Episodes(np.arange(n), {"return": values, **extra}, np.ones((n, 3)))


def standings(
    scenario: str = "scarce", /, *, bounds: ArrayLike | None = None, **returns: ArrayLike
) -> Standings:
    """Rank agents with these returns beside these bounds, a number or one per seed."""
    results = {agent.replace("_", "-"): episodes(values) for agent, values in returns.items()}
    config = OFFLOADING_PRESETS[scenario]
    count = next(iter(results.values())).seeds.size
    return rank(WrittenDown(scenario, config, tuple(results)), results, bounds_of(bounds, count))


def bounds_of(values: ArrayLike | None, count: int) -> Bounds:
    """Return certified bounds on `count` seeds, or none."""
    if values is None:
        return UNKNOWN
    return Bounds(np.broadcast_to(np.asarray(values, dtype=float), (count,)).copy(), CERTIFIED)


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

    @property
    def baseline(self) -> str | None:
        return None

    @property
    def trained(self) -> dict[str, int]:
        return {"learned": 2} if "learned" in self.agents else {}

    def is_contender(self, agent: str) -> bool:
        return agent != "clairvoyant"
