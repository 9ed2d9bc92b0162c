"""Schedulers that know nothing of energy when they choose experts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import UniformRows, row_seeds
from mec_moe_agents.dmoe.layer import Floats, Layer, Plan
from mec_moe_agents.dmoe.links import assign_exactly, keep_servable, remote_links
from mec_moe_agents.dmoe.scheduler import StatelessScheduler
from mec_moe_env import DMoEConfig


def highest(score: Floats, available: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Select the `count` available experts of the highest score, ties to the lower index.

    Args:
        score: (n, I, Q, K).
        available: (n, K).
        count: D.

    Returns:
        (n, I, Q, K).
    """
    usable = np.broadcast_to(available[:, np.newaxis, np.newaxis], score.shape)
    order = np.argsort(np.where(usable, -score, np.inf), axis=-1, kind="stable")[..., :count]
    selected = np.zeros(score.shape, dtype=np.bool_)
    np.put_along_axis(selected, order, values=True, axis=-1)
    return selected & usable


class TopScheduler(StatelessScheduler):
    """The D most relevant experts of each token, subcarriers by exact assignment.

    Top-k of Qin et al. 2025; it takes no threshold.
    """

    def __init__(self, config: DMoEConfig) -> None:
        self._config = config

    def schedule(self, state: None, layer: Layer) -> Plan:
        """Decide for every row."""
        selected = highest(layer.gate, layer.available, self._config.max_experts)
        return assign_exactly(selected, layer, self._config)


class RandomScheduler:
    """D random available experts of each token; used links get random, different subcarriers.

    Args:
        config: the environment's configuration.
        seed: row i draws from seed + i; a sequence gives each row its own.
    """

    def __init__(self, config: DMoEConfig, seed: int | Sequence[int] = 0) -> None:
        self._config = config
        self._seed = seed

    def start(self, batch: int) -> UniformRows:
        """Return one stream of random numbers per row."""
        I, Q, _ = self._config.expert_shape
        width = I * Q * self._config.num_nodes + self._config.num_subcarriers
        return UniformRows(row_seeds(self._seed, batch), width)

    def schedule(self, state: UniformRows, layer: Layer) -> Plan:
        """Decide for every row."""
        numbers = state.draw()
        score = numbers[:, : layer.gate[0].size].reshape(layer.gate.shape)
        selected = highest(score, layer.available, self._config.max_experts)
        selected = keep_servable(selected, layer, self._config)
        used = (selected.any(axis=2) & remote_links(self._config)).reshape(layer.batch, -1)
        shuffled = numbers[:, layer.gate[0].size :].argsort(axis=1)
        place = np.where(used, used.cumsum(axis=1) - 1, 0)
        subcarrier = np.where(used, np.take_along_axis(shuffled, place, axis=1), -1)
        return Plan(selected, subcarrier.reshape(layer.batch, *self._config.link_shape))
