"""From what a DMoE observation shows of a layer to the problem that the solvers take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mec_moe_agents.solvers import LayerProblem, lower_bound
from mec_moe_env import DMoEConfig, Layer
from mec_moe_env.config import Real, reject
from mec_moe_env.core.buffers import Flags, Floats

Importance = float | Sequence[float]

SAFETY = 1e-6
"""Agents see float32, the environment checks in float64: they aim this much higher, relatively."""


class ThresholdSchedule:
    """The threshold that an agent aims at in each layer, z·γ^(l) (Qin et al. 2025, P1).

    Args:
        config: the environment's configuration.
        importance: γ0, so that layer l has importance γ0^l, or the importance of every layer;
            None takes what the observation says.
        qos: z; None takes the configuration's.

    Raises:
        ValueError: a value is outside [0, 1], or there are not as many as layers.
    """

    def __init__(
        self, config: DMoEConfig, importance: Importance | None = None, qos: float | None = None
    ) -> None:
        if qos is not None and not Real(0, 1).admits(qos):
            raise reject("qos", qos, Real(0, 1))
        self._qos = config.qos if qos is None else float(qos)
        self._by_layer: Floats | None = None
        if importance is not None:
            asked = config.override(importance=importance).layer_importance
            self._by_layer = np.array(asked, dtype=np.float64)

    def thresholds(self, layer: Layer) -> Floats:
        """Return the threshold of each row, (n,); 0 after the last layer."""
        if self._by_layer is None:
            importance = layer.importance[:, 0].astype(np.float64)
        else:
            importance = layer.layer.astype(np.float64) @ self._by_layer
        return aim_at(self._qos, importance)


def aim_at(qos: float, importance: Floats) -> Floats:
    """Return the thresholds that agents aim at, a little above z·γ."""
    return qos * importance * (1.0 + SAFETY)


def same_for_all_layers(config: DMoEConfig, qos: float | None = None) -> ThresholdSchedule:
    """Return the schedule of H(z, D): γ^(l) = 1 for all layers (Qin et al. 2025).

    Args:
        config: the environment's configuration.
        qos: z. By default the mean threshold of the configuration's layers, so that H asks for
            as much relevance in all as the layered schedule does (our extension).

    Raises:
        ValueError: `qos` is outside [0, 1].
    """
    if qos is None:
        qos = config.qos * float(np.mean(config.layer_importance))
    return ThresholdSchedule(config, (1.0,) * config.num_layers, qos)


def remote_links(config: DMoEConfig) -> Flags:
    """Return which links cross the air, (I, K): all but those of a source to its own node."""
    return ~np.eye(*config.link_shape, dtype=np.bool_)


def link_rates(layer: Layer, config: DMoEConfig) -> Floats:
    """Return bit/s of every link, (n, I, K, S), as old as `csi_delay` makes them."""
    return config.bandwidth_hz * layer.spectral_efficiency.astype(np.float64)


def token_joules(layer: Layer, config: DMoEConfig) -> Floats:
    """Return joules per token of each expert, its link at the best subcarrier, (n, I, K).

    Unavailable experts cost +inf.
    """
    sending = config.power_w * config.state_bits / link_rates(layer, config).max(axis=-1)
    joules = layer.compute_energy[:, np.newaxis] + np.where(remote_links(config), sending, 0.0)
    return np.where(layer.available[:, np.newaxis] > 0, joules, np.inf)


def layer_problem(layer: Layer, thresholds: ArrayLike, config: DMoEConfig) -> LayerProblem:
    """State the joint problem of a batch of layers, thresholds (n,), or of one row of it."""
    return LayerProblem(
        score=layer.gate,
        rate=link_rates(layer, config),
        compute_energy=layer.compute_energy,
        threshold=np.asarray(thresholds)[..., np.newaxis, np.newaxis],
        max_experts=config.max_experts,
        state_bits=config.state_bits,
        power=config.power_w,
        available=layer.available > 0,
    )


def layer_bound(layer: Layer, schedule: ThresholdSchedule, config: DMoEConfig) -> Floats:
    """Return LB(γ0, D) of every row in joules, (n,): all links at their best subcarriers.

    No agent: two links may share a subcarrier (Qin et al. 2025).
    """
    return lower_bound(layer_problem(layer, schedule.thresholds(layer), config))
