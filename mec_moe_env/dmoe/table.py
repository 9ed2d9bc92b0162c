"""The ordered table of what DMoE shows: observation entries, reward terms, info."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple, Self

from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Entry, Outcomes, Over, Singles, entries_of, unflatten


class Layer(NamedTuple):
    """What a scheduler sees before a layer, in logical shapes.

    n rows (batched observations), I sources, Q tokens, K nodes, S subcarriers, L layers. The
    order of the fields is that of the observation.
    """

    gate: Annotated[Singles, Entry("IQK")]
    """(n, I, Q, K), relevance of each expert to each token; zeros after the last layer."""
    spectral_efficiency: Annotated[
        Singles, Entry("IKS", lambda config: config.max_spectral_efficiency)
    ]
    """(n, I, K, S), log2(1 + SNR), bit/s/Hz, `csi_delay` slots old."""
    compute_energy: Annotated[
        Singles, Entry("K", lambda config: max(config.compute_joules[1], 1.0))
    ]
    """(n, K), joules per token."""
    available: Annotated[Singles, Entry("K")]
    """(n, K), 1 where the expert can be used."""
    layer: Annotated[Singles, Entry("L")]
    """(n, L), one-hot; zeros after the last layer."""
    importance: Annotated[Singles, Entry("1")]
    """(n, 1), γ^(l)."""

    @classmethod
    def read(cls, observation: Mapping[str, Singles], config: Config) -> Self:
        """View a batched observation; nothing is copied.

        Raises:
            ValueError: an entry is missing or has a wrong size.
        """
        return cls(**unflatten(observation, config.observation_shapes))

    @property
    def batch(self) -> int:
        """Number of rows n."""
        return int(self.gate.shape[0])


ENTRIES = entries_of(Layer)
OUTCOMES = Outcomes(
    reward_terms=("error", "energy"),
    scalars={
        "energy_j": Over.SUM,
        "transmission_energy_j": Over.SUM,
        "relevance": Over.MEAN,
        "shortfall": Over.MEAN,
        "violated": Over.MEAN,
        "cost": Over.SUM,
        "experts_per_token": Over.MEAN,
    },
    counts=("dropped_picks", "lost_states", "unserved"),
)
