"""What a policy sees that sets the importance of a layer (our extension)."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mec_moe_agents.agent import Observation
from mec_moe_agents.dmoe.layer import Floats, remote_links, token_joules
from mec_moe_env import DMoEConfig, Layer
from mec_moe_env.core.buffers import Entries, box_space

REFERENCE_EFFICIENCY = 4.0
"""bit/s/Hz; sending a state at this efficiency costs the price 1/2."""


class LayerSummary:
    """A dozen numbers instead of I·K·S: the threshold of a layer depends on little else.

    Every entry lies in [0, 1], whatever K, Q and S:

    | key | shape | meaning |
    |---|---|---|
    | `layer` | (L,) | one-hot; zeros after the last layer |
    | `importance` | (1,) | γ^(l) of the configuration, what the paper sets by hand |
    | `relevance` | (4,) | means over the tokens: score of the best available expert, of the best D
    together, of the own node's; entropy of the scores / log K |
    | `price` | (3,) | means over the sources: joules per token in situ, on the cheapest other node
    and on all others; J is shown as J / (J + J₀), J₀ the energy of sending a state at 4 bit/s/Hz |

    A price takes each link's best subcarrier, as old as `csi_delay` makes it.

    Args:
        config: the environment's configuration.
    """

    def __init__(self, config: DMoEConfig) -> None:
        self._config = config
        shapes = {"layer": (config.num_layers,), "importance": (1,)}
        shapes |= {"relevance": (4,), "price": (3,)}
        self.space: spaces.Dict = box_space(shapes, dict.fromkeys(shapes, (0.0, 1.0)))

    def __call__(self, observation: Observation) -> Entries:
        """Summarise a batch of observations, entries (n, size)."""
        layer = Layer.read(observation, self._config)
        summary: dict[str, NDArray[Any]] = {
            "layer": layer.layer,
            "importance": layer.importance,
            "relevance": self._relevance(layer),
            "price": self._price(layer),
        }
        return {key: entry.astype(np.float32) for key, entry in summary.items()}

    def _relevance(self, layer: Layer) -> Floats:
        config = self._config
        gate = layer.gate.astype(np.float64)
        usable = np.sort(np.where(layer.available[:, np.newaxis, np.newaxis] > 0, gate, 0.0))
        own = np.einsum("niqi->niq", gate[..., : config.sources])
        own = own * layer.available[:, : config.sources, np.newaxis]
        logarithm = np.log(gate, out=np.zeros_like(gate), where=gate > 0)
        entropy = -(gate * logarithm).sum(axis=-1) / np.log(config.num_nodes)
        best = usable[..., -config.max_experts :].sum(axis=-1)
        parts = (usable[..., -1], best, own, entropy)
        means = np.stack([part.mean(axis=(1, 2)) for part in parts], axis=1)
        within: Floats = np.clip(means, 0.0, 1.0)  # rounding
        return within

    def _price(self, layer: Layer) -> Floats:
        config = self._config
        joules = token_joules(layer, config)
        shown = 1.0 - 1.0 / (1.0 + joules / reference_joules(config))
        remote = remote_links(config)
        own = np.einsum("nii->ni", shown[..., : config.sources])
        cheapest = np.where(remote, shown, 1.0).min(axis=-1)
        others = shown.mean(axis=-1, where=remote)
        return np.stack([part.mean(axis=1) for part in (own, cheapest, others)], axis=1)

    def rows(self, observations: NDArray[np.object_]) -> NDArray[np.object_]:
        """Summarise single observations, entries (size,), in an object array; None stays None."""
        summaries = np.full(len(observations), None, dtype=object)
        for index, observation in enumerate(observations):
            if observation is not None:
                batch = {key: entry[np.newaxis] for key, entry in observation.items()}
                summaries[index] = {key: entry[0] for key, entry in self(batch).items()}
        return summaries


def reference_joules(config: DMoEConfig) -> float:
    """Return the energy of sending a hidden state at `REFERENCE_EFFICIENCY`."""
    return config.power_w * config.state_bits / (config.bandwidth_hz * REFERENCE_EFFICIENCY)
