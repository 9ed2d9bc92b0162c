"""The D most relevant experts of each task, by a gate of one's choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mec_moe_agents.offloading.gate import Gate
from mec_moe_agents.offloading.gating import GatingNetwork
from mec_moe_agents.offloading.guard import GuardGate
from mec_moe_agents.offloading.profile import ProfileGate
from mec_moe_agents.offloading.routing_agent import RoutingAgent
from mec_moe_env import OffloadingConfig
from mec_moe_env.config import suggest

Seed = int | Sequence[int]


def _gating(config: OffloadingConfig, seed: Seed, **options: Any) -> Gate[Any]:
    return GatingNetwork(config, seed=seed, **options)


def _profile(config: OffloadingConfig, seed: Seed, **options: Any) -> Gate[Any]:
    return ProfileGate(config, **options)


def _guard(config: OffloadingConfig, seed: Seed, **options: Any) -> Gate[Any]:
    return GuardGate(config, **options)


GATES: Mapping[str, Callable[..., Gate[Any]]] = MappingProxyType(
    {"gating": _gating, "profile": _profile, "guard": _guard}
)


def make_gate(name: str, config: OffloadingConfig, *, seed: Seed = 0, **options: Any) -> Gate[Any]:
    """Build a gate by name; `options` are its keyword arguments.

    Raises:
        ValueError: the name is unknown, or an option is out of range.
        TypeError: the gate does not know an option.
    """
    if name not in GATES:
        raise ValueError(f"unknown gate {name!r}: {suggest(name, GATES)}")
    return GATES[name](config, seed, **options)


def topk_agent(
    config: OffloadingConfig, gate: str = "profile", *, seed: Seed = 0, **options: Any
) -> RoutingAgent:
    """Serve each task by the D servers that the gate finds most relevant (Qin et al. 2025).

    Raises:
        ValueError: the gate is unknown, or one of its options is out of range.
        TypeError: the gate does not know an option.
    """
    router = make_gate(gate, config, seed=seed, **options)
    return RoutingAgent(config, router, picks=config.max_experts)
