"""How much relevance a token needs in each layer: z·γ^(l) (Qin et al. 2025, P1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from mec_moe_agents.dmoe.layer import Floats, Layer
from mec_moe_env import DMoEConfig
from mec_moe_env.config import Real, reject

SAFETY = 1e-6
"""Agents see float32, the environment judges in float64: they aim this much higher, relatively."""

Importance = float | Sequence[float]


class Thresholds(Protocol):
    """What says how much relevance the tokens of a layer need."""

    def thresholds(self, layer: Layer) -> Floats:
        """Return the threshold of each row, (n,)."""
        ...


class ThresholdSchedule:
    """The threshold that an agent aims at in each layer.

    Args:
        config: the environment's configuration.
        importance: γ0, so that layer l has importance γ0^l, or the importance of every layer;
            None takes what the observation says.
        qos: z; None takes the configuration's.

    Raises:
        ValueError: a value is outside [0, 1], or there are not as many as layers.
    """

    def __init__(
        self,
        config: DMoEConfig,
        importance: Importance | None = None,
        qos: float | None = None,
    ) -> None:
        if qos is not None and not Real(0, 1).admits(qos):
            raise reject("qos", qos, Real(0, 1))
        self._qos = config.qos if qos is None else float(qos)
        self._by_layer = None if importance is None else _by_layer(importance, config)

    def thresholds(self, layer: Layer) -> Floats:
        """Return the threshold of each row, (n,); 0 after the last layer."""
        given = self._by_layer
        importance = layer.importance if given is None else layer.layer @ given
        return self._qos * importance * (1.0 + SAFETY)


def _by_layer(importance: Importance, config: DMoEConfig) -> Floats:
    given = importance if isinstance(importance, float | int) else tuple(map(float, importance))
    return np.array(config.override(importance=given).layer_importance, dtype=np.float64)


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
