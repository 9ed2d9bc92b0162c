"""Baseline agents, their evaluation, and the `mec-moe` command line.

All that a scheduler of one's own needs is exported here, and imported on first use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mec_moe_agents.agent import Agent, UniformRows, row_seeds
    from mec_moe_agents.arguments import read_arguments
    from mec_moe_agents.evaluation.rollout import (
        Episodes,
        evaluate,
        make_vector_env,
        run_episodes,
    )
    from mec_moe_agents.evaluation.statistics import estimate_mean
    from mec_moe_agents.offloading.gates import Gate
    from mec_moe_agents.offloading.gating import GatingNetwork
    from mec_moe_agents.offloading.learned import LearnedAgent
    from mec_moe_agents.offloading.picks import greedy_action, pick_costs
    from mec_moe_agents.offloading.profile import GuardGate, GuardState, ProfileGate, ProfileState
    from mec_moe_agents.offloading.routing import RoutingAgent, make_gate
    from mec_moe_agents.registry import agent_names, make_agent

__all__ = [
    "Agent",
    "Episodes",
    "Gate",
    "GatingNetwork",
    "GuardGate",
    "GuardState",
    "LearnedAgent",
    "ProfileGate",
    "ProfileState",
    "RoutingAgent",
    "UniformRows",
    "agent_names",
    "estimate_mean",
    "evaluate",
    "greedy_action",
    "make_agent",
    "make_gate",
    "make_vector_env",
    "pick_costs",
    "read_arguments",
    "row_seeds",
    "run_episodes",
]

_EXPORTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "agent": ("Agent", "UniformRows", "row_seeds"),
        "arguments": ("read_arguments",),
        "evaluation.rollout": ("Episodes", "evaluate", "make_vector_env", "run_episodes"),
        "evaluation.statistics": ("estimate_mean",),
        "offloading.gates": ("Gate",),
        "offloading.gating": ("GatingNetwork",),
        "offloading.learned": ("LearnedAgent",),
        "offloading.picks": ("greedy_action", "pick_costs"),
        "offloading.profile": ("GuardGate", "GuardState", "ProfileGate", "ProfileState"),
        "offloading.routing": ("RoutingAgent", "make_gate"),
        "registry": ("agent_names", "make_agent"),
    }
)
_HOMES = MappingProxyType({name: home for home, names in _EXPORTS.items() for name in names})


def __getattr__(name: str) -> Any:
    # Imported on first use: `mec-moe --help` must not wait for numba and gymnasium.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
