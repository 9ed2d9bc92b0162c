"""Baseline agents, their evaluation, and the `mec-moe` command line."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mec_moe_agents.agent import Agent
    from mec_moe_agents.evaluation.rollout import Episodes, evaluate
    from mec_moe_agents.registry import agent_names, make_agent

__all__ = ["Agent", "Episodes", "agent_names", "evaluate", "make_agent"]

_HOMES = MappingProxyType(
    {
        "Agent": "mec_moe_agents.agent",
        "Episodes": "mec_moe_agents.evaluation.rollout",
        "agent_names": "mec_moe_agents.registry",
        "evaluate": "mec_moe_agents.evaluation.rollout",
        "make_agent": "mec_moe_agents.registry",
    }
)


def __getattr__(name: str) -> Any:
    # Imported on first use: `mec-moe --help` must not wait for numba and gymnasium.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
