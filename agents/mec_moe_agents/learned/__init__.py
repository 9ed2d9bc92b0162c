"""The learned scheduler for Offloading: what it sees, its network in NumPy, its weights."""

from mec_moe_agents.learned.agent import LearnedAgent
from mec_moe_agents.learned.shipped import learned_agent
from mec_moe_agents.learned.weights import export, load

__all__ = ["LearnedAgent", "export", "learned_agent", "load"]
