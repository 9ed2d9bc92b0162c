"""Views of the environments that need the agents' gates or solvers."""

from mec_moe_agents.dmoe.importance import ImportanceAction as ImportanceAction
from mec_moe_agents.dmoe.importance import ImportanceActionVector as ImportanceActionVector
from mec_moe_agents.wrappers.gate_observation import GateObservation as GateObservation
from mec_moe_agents.wrappers.gate_observation import GateObservationVector as GateObservationVector
