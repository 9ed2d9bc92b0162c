"""What an agent sees before a layer, in logical shapes, and what it decides."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation
from mec_moe_env import DMoEConfig, unflatten

Floats = NDArray[np.float64]


class Layer(NamedTuple):
    """A batch of observations; n rows, I sources, Q tokens, K nodes, S subcarriers, L layers."""

    gate: Floats
    """(n, I, Q, K), relevance of each expert to each token."""
    rate: Floats
    """(n, I, K, S), bit/s from each source to each node, as old as `csi_delay` makes it."""
    compute_energy: Floats
    """(n, K), joules per token."""
    available: NDArray[np.bool_]
    """(n, K)."""
    layer: Floats
    """(n, L), one-hot; zeros after the last layer."""
    importance: Floats
    """(n,), γ^(l)."""

    @classmethod
    def read(cls, observation: Observation, config: DMoEConfig) -> Self:
        """Read a batched observation.

        Raises:
            ValueError: an entry is missing or has a wrong size.
        """
        entries = {
            key: entry.astype(np.float64)
            for key, entry in unflatten(observation, config.observation_shapes).items()
        }
        return cls(
            gate=entries["gate"],
            rate=config.bandwidth_hz * entries["spectral_efficiency"],
            compute_energy=entries["compute_energy"],
            available=entries["available"] > 0,
            layer=entries["layer"],
            importance=entries["importance"][:, 0],
        )

    @property
    def batch(self) -> int:
        """Number of rows n."""
        return int(self.gate.shape[0])


class Plan(NamedTuple):
    """The decision for a layer."""

    selected: NDArray[np.bool_]
    """(n, I, Q, K), the experts of each token."""
    subcarrier: NDArray[np.int64]
    """(n, I, K), −1 for a link that carries nothing."""

    def action(self, max_experts: int) -> NDArray[np.int64]:
        """Return the flat actions of the environment, (n, I·Q·D + I·K)."""
        n, experts = len(self.selected), self.selected.shape[-1]
        first = np.argsort(~self.selected, axis=-1, kind="stable")[..., :max_experts]
        chosen = np.take_along_axis(self.selected, first, axis=-1)
        picks = np.full((*self.selected.shape[:-1], max_experts), experts)
        picks[..., : first.shape[-1]] = np.where(chosen, first, experts)
        links = np.maximum(self.subcarrier, 0)
        return np.concatenate([picks.reshape(n, -1), links.reshape(n, -1)], axis=1)
