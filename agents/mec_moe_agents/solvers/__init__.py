"""Exact and near-exact solvers of the DMoE scheduling problem: pure functions on arrays."""

from mec_moe_agents.solvers.exact import ExactAllocation, lower_bound, solve_exactly
from mec_moe_agents.solvers.expert_selection import ExpertSelection, select_experts
from mec_moe_agents.solvers.inputs import LayerProblem
from mec_moe_agents.solvers.joint_allocation import (
    JointAllocation,
    allocate_jointly,
    allocate_jointly_plus,
)
from mec_moe_agents.solvers.subcarrier_allocation import (
    SubcarrierAllocation,
    allocate_subcarriers,
)

__all__ = [
    "ExactAllocation",
    "ExpertSelection",
    "JointAllocation",
    "LayerProblem",
    "SubcarrierAllocation",
    "allocate_jointly",
    "allocate_jointly_plus",
    "allocate_subcarriers",
    "lower_bound",
    "select_experts",
    "solve_exactly",
]
