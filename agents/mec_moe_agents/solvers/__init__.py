"""Exact and near-exact solvers of the DMoE scheduling problem: pure functions on arrays."""

from mec_moe_agents.solvers.expert_selection import ExpertSelection, select_experts

__all__ = ["ExpertSelection", "select_experts"]
