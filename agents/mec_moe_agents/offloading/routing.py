"""The agent that serves each task by the servers which a gate finds most relevant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mec_moe_agents.agent import BatchAgent, Observation, Seed
from mec_moe_agents.offloading.gates import Gate
from mec_moe_agents.offloading.gating import GatingNetwork
from mec_moe_agents.offloading.picks import greedy_action
from mec_moe_agents.offloading.profile import GuardGate, ProfileGate
from mec_moe_env import OffloadingConfig, Slot
from mec_moe_env.config import suggest
from mec_moe_env.core.buffers import Flags, Floats, Integers

GATES: Mapping[str, Callable[..., Gate[Any]]] = MappingProxyType(
    {"gating": GatingNetwork, "profile": ProfileGate, "guard": GuardGate}
)
"""The gates that know experts, by name; called with configuration and options."""
RANDOM = ("gating",)
"""Those that take a seed, too."""


def make_gate(name: str, config: OffloadingConfig, *, seed: Seed = 0, **options: Any) -> Gate[Any]:
    """Build a gate by name; `options` are its keyword arguments.

    Raises:
        ValueError: the name is unknown, or an option is out of range.
        TypeError: the gate does not know an option.
    """
    seeded = {"seed": seed} if name in RANDOM else {}
    return gate_class(name)(config, **seeded, **options)


def gate_class(name: str) -> Callable[..., Gate[Any]]:
    """Return the class of a gate by name.

    Raises:
        ValueError: the name is unknown.
    """
    if name not in GATES:
        raise ValueError(f"unknown gate {name!r}: {suggest(name, GATES)}")
    return GATES[name]


class RoutingAgent(BatchAgent):
    """A gate and a number of picks make an agent: best servers, best free subcarriers.

    With D picks this is Top-k of Qin et al. 2025.

    Args:
        config: the environment's configuration.
        gate: scores the servers.
        picks: most experts per task, 1..D.

    Raises:
        ValueError: `picks` is outside 1..D.
    """

    def __init__(self, config: OffloadingConfig, gate: Gate[Any], picks: int = 1) -> None:
        if not 1 <= picks <= config.max_experts:
            raise ValueError(f"picks = {picks} is not allowed: 1..{config.max_experts}")
        self.config = config
        self.gate = gate
        self.picks = picks

    def start(self, batch: int) -> Any:
        """Return the gate's state of `batch` fresh episodes."""
        return self.gate.start(batch)

    def restart(self, memory: Any, rows: Flags) -> None:
        """Let the gate forget the episodes of `rows`, (n,)."""
        self.gate.reset(memory, rows)

    def act(self, observation: Observation, memory: Any, deterministic: bool) -> Integers:
        """Let the gate learn, choose by its relevance, and let it note what was chosen."""
        slot = Slot.read(observation, self.config)
        self.gate.learn(memory, slot)
        action = self.choose(self.gate.relevance(memory, slot), slot)
        self.gate.remember(memory, slot, action[..., 0])
        return action

    def choose(self, relevance: Floats, slot: Slot) -> Integers:
        """Return server and subcarrier of each pick, (n, U, D, 2), from relevance (n, U, M)."""
        return greedy_action(relevance, slot, self.picks, self.config.max_experts)
