"""Baseline agents, their evaluation, and the `mec-moe` command line.

All that a scheduler of one's own needs is exported here, and imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mec_moe_agents.agent import Agent as Agent
    from mec_moe_agents.agent import UniformRows as UniformRows
    from mec_moe_agents.agent import row_seeds as row_seeds
    from mec_moe_agents.arguments import read_arguments as read_arguments
    from mec_moe_agents.bounds.certify import certified_bound as certified_bound
    from mec_moe_agents.evaluation.rollout import Episodes as Episodes
    from mec_moe_agents.evaluation.rollout import evaluate as evaluate
    from mec_moe_agents.evaluation.rollout import make_vector_env as make_vector_env
    from mec_moe_agents.evaluation.rollout import run_episodes as run_episodes
    from mec_moe_agents.evaluation.statistics import estimate_mean as estimate_mean
    from mec_moe_agents.offloading.gates import Gate as Gate
    from mec_moe_agents.offloading.gating import GatingNetwork as GatingNetwork
    from mec_moe_agents.offloading.learned import LearnedAgent as LearnedAgent
    from mec_moe_agents.offloading.picks import greedy_action as greedy_action
    from mec_moe_agents.offloading.picks import pick_costs as pick_costs
    from mec_moe_agents.offloading.profile import GuardGate as GuardGate
    from mec_moe_agents.offloading.profile import GuardState as GuardState
    from mec_moe_agents.offloading.profile import ProfileGate as ProfileGate
    from mec_moe_agents.offloading.profile import ProfileState as ProfileState
    from mec_moe_agents.offloading.routing import RoutingAgent as RoutingAgent
    from mec_moe_agents.offloading.routing import make_gate as make_gate
    from mec_moe_agents.registry import agent_names as agent_names
    from mec_moe_agents.registry import make_agent as make_agent

_EXPORTS = {
    "agent": ("Agent", "UniformRows", "row_seeds"),
    "arguments": ("read_arguments",),
    "bounds.certify": ("certified_bound",),
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
__all__ = sorted(name for names in _EXPORTS.values() for name in names)


def __getattr__(name: str) -> Any:
    # Imported on first use: `mec-moe --help` must not wait for numba and gymnasium.
    for home, names in _EXPORTS.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
