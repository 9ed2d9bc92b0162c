"""Views of the environments that need the agents' gates."""

from mec_moe_agents.wrappers.gate_observation import GateObservation, GateObservationVector

__all__ = ["GateObservation", "GateObservationVector"]
