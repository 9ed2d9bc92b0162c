"""From the importance of a layer to experts and subcarriers."""

from __future__ import annotations

from typing import Any

import numpy as np

from mec_moe_agents.agent import Observation
from mec_moe_agents.dmoe.layer import SAFETY, Floats
from mec_moe_agents.dmoe.schedulers import JointScheduler
from mec_moe_env import DMoEConfig, Layer
from mec_moe_env.config import Real
from mec_moe_env.core.actions import Actions

UNIT = Real(0, 1)


class GivenThresholds:
    """Thresholds z·γ that somebody else decided on, for one layer.

    Args:
        config: the environment's configuration.
        importance: γ of each row, (n,).
    """

    def __init__(self, config: DMoEConfig, importance: Floats) -> None:
        self._thresholds = config.qos * importance * (1.0 + SAFETY)

    def thresholds(self, layer: Layer) -> Floats:
        """Return the threshold of each row, (n,)."""
        return self._thresholds


class ImportanceDecision:
    """JESA for a layer of given importance: what the scalar and the vector wrapper share."""

    def __init__(self, config: Any) -> None:
        """Remember the scenario.

        Raises:
            TypeError: `config` is not of a DMoE environment.
        """
        if not isinstance(config, DMoEConfig):
            raise TypeError(
                f"ImportanceAction needs an environment of mec_moe/DMoE-v0, got {config!r}"
            )
        self._config = config

    def picks(self, observation: Observation, importance: Any) -> Actions:
        """Return the environment's actions, (n, I·Q·D + I·K).

        Args:
            observation: of the environment itself, entries (n, size).
            importance: γ of the coming layer, (n, 1).

        Raises:
            ValueError: the importance has another shape, or lies outside [0, 1].
        """
        layer = Layer.read(observation, self._config)
        given = checked_importance(importance, (layer.batch, 1))
        scheduler = JointScheduler(self._config, GivenThresholds(self._config, given[:, 0]))
        return scheduler.schedule(None, layer).action(self._config.max_experts)


def checked_importance(importance: Any, shape: tuple[int, ...]) -> Floats:
    """Return an action as float64.

    Raises:
        ValueError: it is no array of numbers of this shape, or one lies outside [0, 1].
    """
    given = np.asarray(importance)
    if given.dtype.kind not in "fiu" or given.shape != shape:
        raise ValueError(
            f"action must be numbers of shape {shape}, "
            f"got dtype {given.dtype} and shape {given.shape}"
        )
    wrong = ~((given >= 0) & (given <= 1))  # NaN too
    if wrong.any():
        raise ValueError(f"action holds {given[wrong][0]}: an importance must be {UNIT}")
    return given.astype(np.float64)
