"""Views of the environments that need the agents' gates or solvers."""

from mec_moe_agents.dmoe.importance import ImportanceAction, ImportanceActionVector
from mec_moe_agents.wrappers.gate_observation import GateObservation, GateObservationVector

__all__ = [
    "GateObservation",
    "GateObservationVector",
    "ImportanceAction",
    "ImportanceActionVector",
]
