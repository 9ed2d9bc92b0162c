"""The true optimum of every layer, for small scenarios."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mec_moe_agents.dmoe.by_energy import joint_arguments
from mec_moe_agents.dmoe.layer import Layer, Plan
from mec_moe_agents.dmoe.scheduler import StatelessScheduler
from mec_moe_agents.dmoe.thresholds import ThresholdSchedule
from mec_moe_agents.solvers import allocate_jointly, solve_exactly
from mec_moe_env import DMoEConfig
from mec_moe_env.config import Real, reject

MOST_ROUTES = 1024
"""Token-expert-subcarrier combinations up to which a layer takes about a second."""

BATCHED = ("score", "rate", "compute_energy", "threshold", "available")


class ExactScheduler(StatelessScheduler):
    """Mixed-integer programming by HiGHS.

    A layer that HiGHS does not finish within the limit gets the best that it found, or JESA's.

    Args:
        config: the environment's configuration.
        schedule: the thresholds.
        time_limit: seconds for a layer.

    Raises:
        ValueError: the scenario is too large, or the limit out of range.
    """

    def __init__(
        self, config: DMoEConfig, schedule: ThresholdSchedule, time_limit: float = 20.0
    ) -> None:
        if not (allowed := Real(0, open_low=True)).admits(time_limit):
            raise reject("time_limit", time_limit, allowed)
        routes = routes_of(config)
        if routes > MOST_ROUTES:
            raise ValueError(
                f"exact needs at most {MOST_ROUTES} combinations I·Q·K·S of token, expert and "
                f"subcarrier, but this scenario has {routes}: take jesa-plus"
            )
        self._config = config
        self._schedule = schedule
        self._time_limit = time_limit

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        batch = joint_arguments(layer, self._schedule.thresholds(layer), self._config)
        plans = [
            self._solve(batch | {name: batch[name][row] for name in BATCHED})
            for row in range(layer.batch)
        ]
        selected, subcarrier = zip(*plans, strict=True)
        return Plan(np.stack(selected), np.stack(subcarrier))

    def _solve(self, arguments: dict[str, Any]) -> Plan:
        found = solve_exactly(**arguments, time_limit=self._time_limit)
        if math.isfinite(found.energy):
            return Plan(found.selected, found.subcarrier)
        instead = allocate_jointly(**arguments)
        return Plan(instead.selected, instead.subcarrier)


def routes_of(config: DMoEConfig) -> int:
    """Return I·Q·K·S, what the size of the program grows with."""
    tokens = config.sources * config.tokens_per_source
    return tokens * config.num_nodes * config.num_subcarriers
