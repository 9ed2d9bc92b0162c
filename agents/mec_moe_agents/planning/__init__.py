"""The best plan that can be made for an episode of offloading whose future is known."""

from mec_moe_agents.planning.planner import Plan, plan

__all__ = ["Plan", "plan"]
