"""Learning on top of theory: a policy says how much each layer matters, JESA does the rest."""

from mec_moe_agents.importance.action import ImportanceAction
from mec_moe_agents.importance.action_vector import ImportanceActionVector

__all__ = ["ImportanceAction", "ImportanceActionVector"]
