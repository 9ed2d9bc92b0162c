"""Contests whose returns are written down."""

import numpy as np
from mec_moe_agents import Episodes
from mec_moe_agents.ranking.contest import Contest
from mec_moe_agents.ranking.standings import rank

from mec_moe_env import OFFLOADING_PRESETS


def episodes(returns):
    returns = np.asarray(returns, dtype=float)
    return Episodes(np.arange(returns.size), {"return": returns}, np.ones((returns.size, 2)))


def standings(scenario="scarce", **returns):
    """Rank agents with these returns; `learned` need not be in the catalogue."""
    results = {agent.replace("_", "-"): episodes(values) for agent, values in returns.items()}
    config = OFFLOADING_PRESETS[scenario]
    return rank(WrittenDown(scenario, config, tuple(results)), results)


class WrittenDown(Contest):
    @property
    def runners(self):
        return list(self.agents)

    def is_contender(self, agent):
        return agent != "oracle"
