"""DES and JESA in Offloading: the cheapest servers that a gate finds relevant enough."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.offloading.economical_action import Demand, Floats, economical_action
from mec_moe_agents.offloading.gate import Gate
from mec_moe_agents.offloading.routing_agent import RoutingAgent
from mec_moe_agents.offloading.topk import Seed, make_gate
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import Real, reject

TURNS = 8
"""Most turns of JESA; two or three are usual."""


class EconomicalAgent(RoutingAgent):
    """Spends as little energy as the demanded relevance allows (after Qin et al. 2025).

    Args:
        config: the environment's configuration.
        gate: scores the servers.
        demand: how relevant the servers have to be.
        turns: of selection and assignment; 0 is DES, more are JESA.
    """

    def __init__(
        self, config: OffloadingConfig, gate: Gate[Any], demand: Demand, turns: int
    ) -> None:
        super().__init__(config, gate, picks=config.max_experts)
        self.demand = demand
        self.turns = turns

    def choose(self, relevance: Floats, slot: Slot) -> NDArray[np.int64]:
        """Return server and subcarrier of each pick, (n, U, D, 2)."""
        return economical_action(relevance, slot, self.config, self.demand, self.turns)


def economical_agent(
    config: OffloadingConfig,
    turns: int,
    gate: str = "profile",
    quality: float = 0.5,
    temperature: float = 0.2,
    *,
    seed: Seed = 0,
    **options: Any,
) -> EconomicalAgent:
    """Build the agent on a gate by name.

    Args:
        config: the environment's configuration.
        turns: 0 is DES, more are JESA.
        gate: name of the gate.
        quality: share of the best reachable score that a task needs.
        temperature: difference in relevance at which a server's score falls to 1/e.
        seed: of the gate.
        options: keyword arguments of the gate.

    Raises:
        ValueError: the gate is unknown, or an option is out of range.
        TypeError: the gate does not know an option.
    """
    for name, value, allowed in (
        ("quality", quality, Real(0, 1)),
        ("temperature", temperature, Real(0, open_low=True)),
    ):
        if not allowed.admits(value):
            raise reject(name, value, allowed)
    router = make_gate(gate, config, seed=seed, **options)
    return EconomicalAgent(config, router, Demand(quality, temperature), turns)
