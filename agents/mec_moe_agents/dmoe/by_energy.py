"""Schedulers that spend as little energy as the thresholds allow (Qin et al. 2025)."""

from __future__ import annotations

from typing import Any

import numpy as np

from mec_moe_agents.dmoe.layer import Floats, Layer, Plan
from mec_moe_agents.dmoe.links import assign_exactly, send_joules
from mec_moe_agents.dmoe.scheduler import StatelessScheduler
from mec_moe_agents.dmoe.thresholds import Thresholds
from mec_moe_agents.solvers import (
    allocate_jointly,
    allocate_jointly_plus,
    lower_bound,
    select_experts,
)
from mec_moe_env import DMoEConfig


def joint_arguments(layer: Layer, thresholds: Floats, config: DMoEConfig) -> dict[str, Any]:
    """Return a batch of layers as arguments of the joint solvers."""
    return {
        "score": layer.gate,
        "rate": layer.rate,
        "compute_energy": layer.compute_energy,
        "threshold": thresholds[:, np.newaxis, np.newaxis],
        "max_experts": config.max_experts,
        "state_bits": config.state_bits,
        "power": config.power_w,
        "available": layer.available,
    }


class SelectionScheduler(StatelessScheduler):
    """DES for each token as if every link had its best subcarrier; then exact assignment."""

    def __init__(self, config: DMoEConfig, schedule: Thresholds) -> None:
        self._config = config
        self._schedule = schedule

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        joules = layer.compute_energy[:, np.newaxis] + send_joules(layer, self._config)
        found = select_experts(
            joules[:, :, np.newaxis],
            layer.gate,
            self._schedule.thresholds(layer)[:, np.newaxis, np.newaxis],
            self._config.max_experts,
            available=layer.available[:, np.newaxis, np.newaxis],
        )
        return assign_exactly(found.selected, layer, self._config)


class JointScheduler(StatelessScheduler):
    """JESA: expert selection and subcarrier assignment in turns; with an effort, JESA+.

    Args:
        config: the environment's configuration.
        schedule: the thresholds.
        effort: most moves of JESA+ in a layer; 0 is JESA.
    """

    def __init__(self, config: DMoEConfig, schedule: Thresholds, effort: int = 0) -> None:
        self._config = config
        self._schedule = schedule
        self._effort = effort

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row.

        Raises:
            ValueError: `effort` is not an integer ≥ 0.
        """
        arguments = joint_arguments(layer, self._schedule.thresholds(layer), self._config)
        if self._effort == 0:
            found = allocate_jointly(**arguments)
        else:
            found = allocate_jointly_plus(**arguments, effort=self._effort)
        return Plan(found.selected, found.subcarrier)


def layer_bound(layer: Layer, schedule: Thresholds, config: DMoEConfig) -> Floats:
    """Return LB(γ0, D) of every row in joules, (n,): all links at their best subcarriers.

    No agent: two links may share a subcarrier (Qin et al. 2025).
    """
    return lower_bound(**joint_arguments(layer, schedule.thresholds(layer), config))
